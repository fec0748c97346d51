"""PNG's transparent colour (PNG third edition, section 11.3.1.1), which Pillow keeps apart and unscaled."""

import io

import av
from PIL import Image, ImageMath

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEPTH_AT, _COLOUR_TYPE_AT = 24, 25
"""In bytes: the header is always the first chunk."""
_GREY, _RGB = 0, 2


def transparency(content: bytes, image: Image.Image) -> Image.Image | None:
    """How opaque each pixel is, as L, where one colour of a PNG is transparent. None for other pictures.

    `image` is what Pillow made of `content`. May raise as Pillow does.
    """
    if not content.startswith(PNG_SIGNATURE):
        return None
    depth, colour_type = content[_DEPTH_AT], content[_COLOUR_TYPE_AT]
    if colour_type == _RGB:
        return _alpha_of_16_bits(content, image.size) if depth == 16 else _alpha_of_rgb(image)
    if colour_type == _GREY:
        return _alpha_of_grey(image, depth)
    return None


def _alpha_of_grey(image: Image.Image, depth: int) -> Image.Image:
    value = image.info["transparency"]
    if depth == 16:
        visible: Image.Image = ImageMath.lambda_eval(
            lambda given: (given["grey"] != value) * 255, grey=image.convert("I")
        )
        return visible.convert("L")
    most = 2**depth - 1
    transparent = (value & most) * 255 // most
    return image.convert("L").point([0 if grey == transparent else 255 for grey in range(256)])


def _alpha_of_rgb(image: Image.Image) -> Image.Image:
    pixels = image.copy()
    pixels.info["transparency"] = tuple(value & 255 for value in image.info["transparency"])
    return pixels.convert("RGBA").getchannel("A")


def _alpha_of_16_bits(content: bytes, size: tuple[int, int]) -> Image.Image:
    """By FFmpeg: Pillow has thrown away the lower half of each value, and many colours look like the transparent one."""
    with av.open(io.BytesIO(content), "r", format="png_pipe") as container:
        frame = next(container.decode(video=0))
    plane = frame.planes[0]
    width, height = size
    row = plane.line_size
    lines = memoryview(plane)
    alpha = bytearray()
    for at in range(0, row * height, row):
        alpha += bytes(lines[at : at + 8 * width])[6::8]
    return Image.frombytes("L", size, bytes(alpha))

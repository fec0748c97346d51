"""Pictures: decoded within limits, then encoded anew, so that only pixels travel."""

import io
import struct
import warnings
from pathlib import Path

from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from server.campaigns.models import Media
from server.core.memory import give_back
from server.media.checks import MEGABYTE, BadFile, CheckedFile, enough_memory, read_limited
from server.media.png import PNG_SIGNATURE, transparency

MAX_UPLOAD_BYTES = 20 * MEGABYTE
MAX_PIXELS = 40_000_000
"""Of the upload, width times height: up to 600 MB of memory while it is decoded."""
MAX_SIDE = 1_920
"""Of what agents get, in pixels; larger pictures are made smaller."""
JPEG_QUALITY = 85

PICTURES = frozenset({Media.Type.PNG, Media.Type.JPEG, Media.Type.WEBP})
_TYPES = {"PNG": Media.Type.PNG, "JPEG": Media.Type.JPEG, "WEBP": Media.Type.WEBP}
_SIGNATURES = (PNG_SIGNATURE, b"\xff\xd8\xff", b"RIFF")
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers that give the kind of picture (ITU-T T.81, table B.1)."""


def check_image(path: Path, most_pixels: int = MAX_SIDE) -> CheckedFile:
    """The picture as agents get it: upright, in sRGB, `most_pixels` a side, without what a camera wrote beside it.

    Raises `BadFile` and `EnvironmentFault`.
    """
    try:
        with enough_memory(path):
            return _checked(path, read_limited(path, MAX_UPLOAD_BYTES), most_pixels)
    finally:
        give_back()


def _checked(path: Path, content: bytes, most_pixels: int) -> CheckedFile:
    try:
        # Pillow warns of damaged metadata, which are thrown away here, and of large pictures, which are refused.
        with warnings.catch_warnings(action="ignore"):
            _check_sums(content)
            with Image.open(io.BytesIO(content), formats=list(_TYPES)) as image:
                return _encoded_anew(path, content, image, most_pixels)
    except UnidentifiedImageError as error:
        raise _not_a_picture(path, content) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(path) from error
    except (OSError, SyntaxError, ValueError) as error:
        if "MAX_TEXT" in str(error):
            what = _("“{file}” holds a text or a colour profile that unpacks to more than 1 MB")
            raise BadFile(what.format(file=path.name), _("save it again without")) from error
        raise _damaged(path) from error


def _check_sums(content: bytes) -> None:
    """See that each part of a PNG has its checksum; Pillow compares them only when asked.

    Raises `OSError`, `SyntaxError`, `ValueError`, `UnidentifiedImageError`.
    """
    if content.startswith(PNG_SIGNATURE):
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            try:
                image.verify()
            except IndexError as error:
                raise SyntaxError("a PNG without pixels") from error


def _not_a_picture(path: Path, content: bytes) -> BadFile:
    if content[:2] == b"\xff\xd8" and (bits := _bits_of_jpeg(content)) not in {8, None}:
        return BadFile(
            _("“{file}” is a JPEG picture with {bits} bits a colour").format(file=path.name, bits=bits),
            _("save it with 8 bits a colour"),
        )
    if content.startswith(_SIGNATURES) or b"PNG" in content[:8]:
        return _damaged(path)
    return BadFile(
        _("“{file}” is no PNG, JPEG or WebP picture").format(file=path.name), _("save it as one of these")
    )


def _bits_of_jpeg(content: bytes) -> int | None:
    at = 2
    while at + 5 <= len(content) and content[at] == 0xFF:
        if content[at + 1] in _START_OF_FRAME:
            return content[at + 4]
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return None


def _damaged(path: Path) -> BadFile:
    return BadFile(_("“{file}” is damaged or incomplete").format(file=path.name), _("export it again"))


def _encoded_anew(path: Path, content: bytes, image: Image.Image, most_pixels: int) -> CheckedFile:
    # Cameras put a small or a second picture behind the first one (CIPA DC-007); viewers show the first.
    file_format = "JPEG" if image.format == "MPO" else image.format or ""
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels(path)
    if file_format != "JPEG" and getattr(image, "is_animated", False):
        raise BadFile(
            _("“{file}” is an animation").format(file=path.name),
            _("save one picture of it, or publish it as a video"),
        )
    image.load()
    upright = _in_srgb(_upright(_in_8_bits(content, image)))
    upright.thumbnail((most_pixels, most_pixels), Image.Resampling.LANCZOS)
    return encode(upright, file_format, lossless=file_format == "WEBP" and b"VP8L" in content[:64])


def _too_many_pixels(path: Path) -> BadFile:
    return BadFile(
        _("“{file}” has more than {limit} million pixels").format(
            file=path.name, limit=MAX_PIXELS // 1_000_000
        ),
        _("make it smaller"),
    )


def encode(image: Image.Image, file_format: str, *, lossless: bool = False) -> CheckedFile:
    """Encode the pixels, and nothing else, as `PNG`, `JPEG` or `WEBP`. `lossless` is for WebP."""
    has_alpha = image.mode in {"RGBA", "LA"} and file_format != "JPEG"
    pixels = image.convert("RGBA" if has_alpha else "RGB")
    bare = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    target = io.BytesIO()
    options = {"lossless": True} if lossless else {"quality": JPEG_QUALITY, "subsampling": 0}
    bare.save(target, file_format, optimize=True, **options)
    return CheckedFile(target.getvalue(), _TYPES[file_format], *bare.size)


def _in_8_bits(content: bytes, image: Image.Image) -> Image.Image:
    """The picture as L, LA, RGB, RGBA or CMYK, with the notes beside it. May raise as Pillow does."""
    if image.mode == "P":
        pixels = image.convert("RGBA" if "transparency" in image.info else "RGB")
    else:
        alpha = transparency(content, image) if "transparency" in image.info else None
        pixels = _scaled_down(image) if image.mode.startswith("I") else image
        if pixels.mode == "1":
            pixels = pixels.convert("L")
        if alpha is not None:
            pixels = pixels.copy()
            pixels.putalpha(alpha)
    pixels.info = {key: value for key, value in image.info.items() if key != "transparency"}
    return pixels


def _scaled_down(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit grey; Pillow's own conversion turns all above 255 white."""
    return image.point(lambda value: value * (1 / 257) + 0.5).convert("L")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, struct.error):
        return image  # Notes that cannot be read say nothing of which way is up.


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture with its colour profile applied. A picture without one is in sRGB already."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    alpha = image.getchannel("A") if image.mode in {"LA", "RGBA"} else None
    colours = image.convert(image.mode[:-1]) if alpha else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):
        return image  # A profile that cannot be read, or is of other colours, describes nothing.
    if converted is None:
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted

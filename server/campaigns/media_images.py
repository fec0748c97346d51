"""Pictures: decoded within limits, then encoded anew, so that only pixels travel."""

import io
import warnings
from pathlib import Path

from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from server.campaigns.media_checks import MEGABYTE, BadFile, CheckedFile, read_limited
from server.campaigns.models import Media

MAX_UPLOAD_BYTES = 20 * MEGABYTE
MAX_PIXELS = 40_000_000
"""Of the upload, width times height: about 160 MB of memory when it is decoded."""
MAX_SIDE = 1_920
"""Of what agents get, in pixels; larger pictures are made smaller."""
JPEG_QUALITY = 85

_TYPES = {"PNG": Media.Type.PNG, "JPEG": Media.Type.JPEG, "WEBP": Media.Type.WEBP}


def check_image(path: Path, most_pixels: int = MAX_SIDE) -> CheckedFile:
    """The picture as agents get it: upright, in sRGB, `most_pixels` a side, without what a camera wrote beside it.

    Raises `BadFile`.
    """
    content = read_limited(path, MAX_UPLOAD_BYTES)
    try:
        # Pillow warns of damaged metadata, which are thrown away here, and of large pictures, which are refused.
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(content), formats=list(_TYPES)) as image,
        ):
            return _encoded_anew(path, image, most_pixels)
    except UnidentifiedImageError as error:
        raise BadFile(
            _("“{file}” is no PNG, JPEG or WebP picture").format(file=path.name), _("save it as one of these")
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(path) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise BadFile(
            _("“{file}” is damaged or incomplete").format(file=path.name), _("export it again")
        ) from error


def _encoded_anew(path: Path, image: Image.Image, most_pixels: int) -> CheckedFile:
    file_format = image.format or ""
    if image.width * image.height > MAX_PIXELS:
        raise _too_many_pixels(path)
    if getattr(image, "is_animated", False):
        raise BadFile(
            _("“{file}” is an animation").format(file=path.name),
            _("save one picture of it, or publish it as a video"),
        )
    image.load()
    upright = _in_srgb(ImageOps.exif_transpose(image))
    upright.thumbnail((most_pixels, most_pixels), Image.Resampling.LANCZOS)
    return encode(upright, file_format)


def _too_many_pixels(path: Path) -> BadFile:
    return BadFile(
        _("“{file}” has more than {limit} million pixels").format(
            file=path.name, limit=MAX_PIXELS // 1_000_000
        ),
        _("make it smaller"),
    )


def encode(image: Image.Image, file_format: str) -> CheckedFile:
    """Encode the pixels, and nothing else, as `PNG`, `JPEG` or `WEBP`."""
    has_alpha = image.mode in {"RGBA", "LA"} and file_format != "JPEG"
    pixels = image.convert("RGBA" if has_alpha else "RGB")
    bare = Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())
    target = io.BytesIO()
    bare.save(target, file_format, optimize=True, quality=JPEG_QUALITY)
    return CheckedFile(target.getvalue(), _TYPES[file_format], *bare.size)


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture with its colour profile applied. A picture without one is in sRGB already."""
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in {"RGB", "RGBA", "CMYK"}:
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image  # A profile that cannot be read describes nothing.
    return converted or image

"""What the checks of pictures, videos and captions have in common."""

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from server.campaigns.models import Media

MEGABYTE = 1024 * 1024


class BadFile(Exception):
    """A file that cannot be published: what is wrong with it, and what to do."""

    def __init__(self, what: str, what_to_do: str) -> None:
        super().__init__(f"{what}; {what_to_do}")
        self.what = what
        self.what_to_do = what_to_do


@dataclass(frozen=True)
class CheckedFile:
    """What agents will get: bytes made by us from the checked upload. Lengths in pixels and milliseconds."""

    content: bytes
    type: Media.Type
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None

    def described(self) -> dict[str, Any]:
        """As the protocol describes every file."""
        sha256 = hashlib.sha256(self.content).hexdigest()
        sizes = {"width": self.width, "height": self.height}
        return {"sha256": sha256, "size": len(self.content), "type": self.type.value, **sizes}


def read_limited(path: Path, most_bytes: int) -> bytes:
    """The content of a file. Raises `BadFile` when it is empty, too large or cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise BadFile(
            _("“{file}” cannot be read ({reason})").format(file=path.name, reason=error.strerror),
            _("check its permissions"),
        ) from error
    if not content:
        raise BadFile(_("“{file}” is empty").format(file=path.name), _("export it again"))
    if len(content) > most_bytes:
        raise BadFile(
            _("“{file}” has more than {limit} MB").format(file=path.name, limit=most_bytes // MEGABYTE),
            _("make it smaller"),
        )
    return content


def conversion(path: Path, *, shrink_to: int = 0) -> str:
    """The advice that names the ffmpeg command which makes an MP4 that every agent plays."""
    source = path.name
    target = f"{path.stem}-h264.mp4"
    shrink = (
        f"-vf scale={shrink_to}:{shrink_to}:force_original_aspect_ratio=decrease:force_divisible_by=2 "
        if shrink_to
        else ""
    )
    command = (
        f"ffmpeg -i {shlex.quote(source)} -map 0:v:0 -map '0:a:0?' {shrink}"
        f"-c:v libx264 -pix_fmt yuv420p -c:a aac -ac 2 -movflags +faststart {shlex.quote(target)}"
    )
    return _("convert it with: {command}").format(command=command)

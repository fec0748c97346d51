"""What the checks of pictures, videos and captions have in common."""

import contextlib
import hashlib
import io
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from server.campaigns.models import Media
from server.core.errors import EnvironmentFault

MEGABYTE = 1024 * 1024


class BadFile(Exception):
    """A file that cannot be published: what is wrong with it, and what to do."""

    def __init__(self, what: str, what_to_do: str) -> None:
        super().__init__(f"{what}; {what_to_do}")
        self.what = what
        self.what_to_do = what_to_do


class Convertible(BadFile):
    """A video that agents do not play as it is, and that ffmpeg makes another one of; `what_to_do` says how."""


@dataclass(frozen=True)
class CheckedFile:
    """What agents will get: bytes made by us from the checked upload. Lengths in pixels and milliseconds."""

    content: bytes
    type: Media.Type
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None

    @property
    def sha256(self) -> str:
        """In hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content)

    def opened(self) -> BinaryIO:
        """The bytes, to be read."""
        return io.BytesIO(self.content)


@dataclass(frozen=True)
class KeptFile:
    """A `CheckedFile` that was checked before and lies on the disk. Nobody checks it again."""

    path: Path
    sha256: str
    size: int
    type: Media.Type
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None

    def opened(self) -> BinaryIO:
        """The bytes, to be read. Raises `OSError`."""
        return self.path.open("rb")


def described(file: CheckedFile | KeptFile) -> dict[str, Any]:
    """As the protocol describes every file."""
    sizes = {"width": file.width, "height": file.height}
    return {"sha256": file.sha256, "size": file.size, "type": file.type.value, **sizes}


@contextlib.contextmanager
def opened_limited(path: Path, most_bytes: int) -> Iterator[tuple[BinaryIO, int]]:
    """The open file and its size in bytes. Raises `BadFile` when it is empty, too large or cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        size = os.fstat(file.fileno()).st_size
        _check_size(path, size, most_bytes)
        yield file, size


def _unreadable(path: Path, error: OSError) -> BadFile:
    return BadFile(
        _("“{file}” cannot be read ({reason})").format(file=path.name, reason=error.strerror),
        _("check its permissions"),
    )


def _check_size(path: Path, size: int, most_bytes: int) -> None:
    if not size:
        raise BadFile(_("“{file}” is empty").format(file=path.name), _("export it again"))
    if size > most_bytes:
        raise BadFile(
            _("“{file}” has more than {limit} MB").format(file=path.name, limit=most_bytes // MEGABYTE),
            _("make it smaller"),
        )


def read_limited(path: Path, most_bytes: int) -> bytes:
    """The content of a file. Raises `BadFile` when it is empty, too large or cannot be read."""
    with opened_limited(path, most_bytes) as (file, size):
        try:
            return file.read(size)
        except OSError as error:
            raise _unreadable(path, error) from error


@contextlib.contextmanager
def enough_memory(path: Path) -> Iterator[None]:
    """Say it as it is when the computer's memory does not suffice for this file. Raises `EnvironmentFault`.

    FFmpeg answers ENOMEM where it gets no memory, and EAGAIN where it gets no thread.
    """
    try:
        yield
    except (MemoryError, BlockingIOError) as error:
        raise EnvironmentFault(
            _("There is too little memory"),
            _(
                "“{file}” may be in order, but this computer has not enough memory free to look at it. "
                "Close other programs, or raise the limit that was set for this one, and try again"
            ).format(file=path.name),
        ) from error


FIT = (
    "scale=iw*sar:ih,scale='min({side},iw)':'min({side},ih)'"
    ":force_original_aspect_ratio=decrease:force_divisible_by=2,setsar=1"
)
"""Filters of ffmpeg that make pixels square, and a picture that is too large as large as may be."""


def conversion(path: Path, *, filters: Sequence[str] = (), rate: int = 0, reading: str = "") -> str:
    """The advice that names the ffmpeg command which makes an MP4 that every agent plays.

    `filters`: of ffmpeg, in this order. `rate`: the most pictures a second; 0 leaves them. `reading`: how ffmpeg reads the
    file, with a blank at its end.
    """
    fit = f'-vf "{",".join(filters)}" ' if filters else ""
    fit += f"-fpsmax {rate} " if rate else ""
    source = path.name
    target = f"{path.stem}-h264.mp4"
    command = (
        f"ffmpeg {reading}-i {as_argument(source)} -map 0:V:0 -map '0:a:0?' {fit}"
        f"-c:v libx264 -pix_fmt yuv420p -c:a aac -ac 2 -movflags +faststart {as_argument(target)}"
    )
    return _("convert it with: {command}").format(command=command)


def as_argument(name: str) -> str:
    """Quoted for a shell, and never taken for an option or for a protocol."""
    return shlex.quote(f"./{name}" if name.startswith("-") or ":" in name else name)

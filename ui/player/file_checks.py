"""The player's last look at a file before a decoder sees it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from io import FileIO

from ui.player.messages import path_of

MAX_BOXES = 10_000
"""At the outermost level; a real video has a handful."""


class NotPlayable(Exception):
    """The reason, for the log."""


class NotThere(NotPlayable):
    """There is no file."""


def open_video(path: str, sha256: str) -> FileIO:
    """A regular local file that is MP4 from its first to its last byte, and the one that the company signed.

    Anything else, such as a playlist by another name, could make a decoder read other files or the network; one that was
    cut short would be played as if it were whole. The open file is what was checked, whatever its name leads to later.
    Reads the whole file. Raises NotThere, NotPlayable.
    """
    try:
        file = path_of(path)
    except ValueError as error:
        raise NotPlayable("not a path") from error
    if not file.is_absolute():
        raise NotPlayable("not an absolute path of this computer")
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise NotThere(f"cannot be opened: {error.strerror}") from error
    except OSError as error:
        raise NotPlayable(f"cannot be opened: {error.strerror}") from error
    opened: FileIO | None = None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotPlayable("not a regular file")
        opened = FileIO(descriptor, "rb")
        _check(opened, status.st_size, sha256)
    except OSError as error:
        raise NotPlayable(f"cannot be read: {error.strerror}") from error
    except NotPlayable:
        if opened is None:
            os.close(descriptor)
        else:
            opened.close()
        raise
    return opened


def _check(opened: FileIO, size: int, sha256: str) -> None:
    if b"moov" not in [name for name, _size in _boxes(opened, size)]:
        raise NotPlayable("MP4 without a video")
    opened.seek(0)
    if hashlib.file_digest(opened, "sha256").hexdigest() != sha256:
        raise NotPlayable("the hash is not the signed one")
    opened.seek(0)


def _boxes(file: FileIO, size: int) -> Iterator[tuple[bytes, int]]:
    """The outermost boxes with their sizes in bytes (ISO/IEC 14496-12, section 4.2). Raises NotPlayable."""
    position = 0
    for number in range(MAX_BOXES):
        file.seek(position)
        header = file.read(16)
        length, name = int.from_bytes(header[:4], "big"), header[4:8]
        if number == 0 and name != b"ftyp":
            raise NotPlayable("not MP4")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = size - position
        if length < 8 or position + length > size:
            raise NotPlayable("cut short, or something else follows")
        yield name, length
        position += length
        if position == size:
            return
    raise NotPlayable("too many parts")

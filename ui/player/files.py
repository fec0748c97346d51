"""The player's last look at a file before a decoder sees it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MAX_BOXES = 10_000
"""At the outermost level; a real film has a handful."""


class NotPlayable(Exception):
    """The reason, for the log."""


def check_video(path: str) -> Path:
    """A regular local file that is MP4 from its first to its last byte. Raises NotPlayable.

    Anything else, such as a playlist by another name, could make a decoder read other files or the network; one that was
    cut short would be played as if it were whole.
    """
    file = Path(path)
    if not file.is_absolute():
        raise NotPlayable("not an absolute path of this computer")
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb", buffering=0) as opened:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise NotPlayable("not a regular file")
            names = [name for name, _size in _boxes(opened, status.st_size)]
    except OSError as error:
        raise NotPlayable(f"cannot be opened: {error.strerror}") from error
    if b"moov" not in names:
        raise NotPlayable("MP4 without a film")
    return file


def _boxes(file: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
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

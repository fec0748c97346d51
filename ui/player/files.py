"""The player's last look at a file before a decoder sees it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

FILE_TYPE_BOX = b"ftyp"


class NotPlayable(Exception):
    """The reason, for the log."""


def check_video(path: str) -> Path:
    """A regular local file that begins as MP4 does (ISO/IEC 14496-12, section 4.3). Raises NotPlayable.

    Anything else, such as a playlist by another name, could make a decoder read other files or the network.
    """
    file = Path(path)
    if not file.is_absolute():
        raise NotPlayable("not an absolute path of this computer")
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise NotPlayable(f"cannot be opened: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotPlayable("not a regular file")
        if os.read(descriptor, 12)[4:8] != FILE_TYPE_BOX:
            raise NotPlayable("not MP4")
    finally:
        os.close(descriptor)
    return file

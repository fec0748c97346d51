"""Files and folders that their owner alone may read, whatever the umask and the folder that they are in.

On Windows a user's own folders are the user's alone by what the system sets there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from pathlib import Path

_UNBLOCKED = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Opening a pipe (fifo(7)) waits for its other end else."""

MODE = 0o600
FOLDER_MODE = 0o700


def opener(path: str, flags: int) -> int:
    """For ``open(…, opener=opener)``: a file that is made is private from its first moment. Raises OSError."""
    return os.open(path, flags, MODE)


def make(path: Path) -> None:
    """Let there be such a file, empty if there was none. Raises OSError.

    One that is there is not opened: it may be a database that this process has open, and closing any descriptor of a file
    drops all locks that its process has on it (sqlite.org/howtocorrupt.html, section 2.2).
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE))
    tighten(path)


def read(path: Path, most_bytes: int) -> bytes:
    """What an ordinary file holds. Raises OSError, also for what would never end: a pipe, a device, a file that is larger."""
    descriptor = os.open(path, os.O_RDONLY | _UNBLOCKED)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "It is no ordinary file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes} bytes", str(path))
    return content


def write(path: Path, content: bytes) -> None:
    """Replace what the file holds. Raises OSError."""
    with open(path, "wb", opener=lambda name, flags: opener(name, flags | _UNBLOCKED)) as file:
        file.write(content)
    tighten(path)


def make_folder(folder: Path) -> None:
    """Make it, with its parents where there are none. Raises OSError.

    A mode that a parent has already is not ours to change (XDG Base Directory, "Referencing this specification").
    """
    if folder.exists():
        tighten(folder)
        return
    if not folder.parent.exists():
        make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=FOLDER_MODE)


def tighten(path: Path) -> None:
    """Take away what others may do with it, if it is ours. Raises OSError, but not of a disk that is read-only."""
    if sys.platform == "win32":
        return
    found = path.stat()
    if found.st_uid != os.geteuid() or not found.st_mode & 0o077:
        return
    try:
        path.chmod(FOLDER_MODE if stat.S_ISDIR(found.st_mode) else MODE)
    except OSError:
        if os.access(path, os.W_OK):
            raise


def tighten_all(folder: Path) -> None:
    """Also what an earlier version made; what goes meanwhile, goes. Raises OSError."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            with contextlib.suppress(FileNotFoundError):
                if not path.is_symlink():
                    tighten(path)


def limit_umask() -> None:
    """What libraries make, no other user can change. Not less: programs that we start inherit it."""
    os.umask(os.umask(0o077) | 0o022)

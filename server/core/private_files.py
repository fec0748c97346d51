"""Files and folders of the server that its own user alone may read, whatever the umask and the folder around them."""

import contextlib
import os
import stat
from pathlib import Path

MODE = 0o600
FOLDER_MODE = 0o700


def opener(path: str, flags: int) -> int:
    """For `open(…, opener=opener)`: a file that is made is private from its first moment. Raises `OSError`."""
    return os.open(path, flags, MODE)


def make(path: Path) -> None:
    """Let there be such a file, empty if there was none. Raises `OSError`.

    One that is there is not opened: closing it again would drop every lock that SQLite holds of it in this process (POSIX
    advisory locks), and with them what keeps two writers apart.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
    except FileExistsError:
        tighten(path)


def write(path: Path, content: bytes) -> None:
    """Put a file there that holds all of this, or leave it as it was, whenever the process ends. Raises `OSError`."""
    fresh = path.with_name(f".{path.name}.new")
    with open(fresh, "wb", opener=opener) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The names in it are on the disk when this returns. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make it, with its parents where there are none. Raises `OSError`."""
    if folder.exists():
        tighten(folder)
        return
    if not folder.parent.exists():
        make_folder(folder.parent)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)


def tighten(path: Path) -> None:
    """Take away what others may do with it, if it is ours; what is gone meanwhile is gone. Raises `OSError`."""
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077 and not stat.S_ISLNK(found.st_mode):
            path.chmod(FOLDER_MODE if stat.S_ISDIR(found.st_mode) else MODE)


def tighten_all(folder: Path) -> None:
    """The folder and all in it, as an earlier version may have made it. Raises `OSError`."""
    tighten(folder)
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            tighten(Path(place, name))

"""What is being done, and by which process: files in the data folder, each locked by its process for as long as it lives.

A **note** says which command runs, so that whoever waits for the database can be told for whom. An **order** is work that was
begun and must be carried out as a whole, although it is done in short transactions: its file is synced before the first of
them, and removed after the last. One that no process holds was interrupted: housekeeping carries it out. A **turn** is of
what each process does before anything else, one after the other.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from server.core import private_files
from server.core.clock import now, utc_text
from server.core.errors import EnvironmentFault, Refused
from server.core.json_text import read_json

FOLDER = "under-way"
COMMAND = ".command"


@dataclass(frozen=True)
class Note:
    """A command that runs: its words without what they are about, its process and since when (RFC 3339, UTC)."""

    command: str
    pid: int
    since: str


@contextlib.contextmanager
def told(command: str) -> Iterator[None]:
    """Let others see that this command runs, for the length of a block. Where that cannot be written it goes on untold."""
    path = _folder() / f"{os.getpid()}{COMMAND}"
    note = {"command": command, "pid": os.getpid(), "since": utc_text(now())}
    try:
        file = _opened(path)
    except OSError:
        # A data folder that is not there yet, or is somebody else's: the command itself says it better.
        yield
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.ftruncate(file, 0)
        os.write(file, json.dumps(note).encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


def others() -> list[Note]:
    """The commands that run now in other processes of this data folder."""
    found = []
    for path in sorted(_folder().glob(f"*{COMMAND}")):
        if path.stem == str(os.getpid()):
            continue
        with contextlib.suppress(OSError, ValueError, TypeError), path.open("rb") as file:
            if _is_held(file.fileno()):
                found.append(Note(**read_json(file.read())))
            else:  # its process was ended by force
                path.unlink()
    return found


def told_others() -> str:
    """The same as a sentence for people; empty when there is none."""
    running = ", ".join(
        _("tidings-server {command} (process {pid}, since {since})").format(
            command=note.command, pid=note.pid, since=note.since
        )
        for note in others()
    )
    return _("At the same time runs: {commands}.").format(commands=running) if running else ""


class Order:
    """Work that must be carried out as a whole.

    `content` is what it takes to carry out what was interrupted; empty where nothing was.
    """

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        self.content = _whole(file)
        self.stands = bool(self.content)

    def begin(self, content: bytes | memoryview) -> None:
        """From here on it will be carried out, also after a crash.

        Raises `EnvironmentFault` when the disk refuses; then it will not.
        """
        digest = hashlib.sha256(content).hexdigest().encode()
        try:
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            for part in (digest + b"\n", content):
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
            private_files.sync_folder(_folder())
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)  # all of it may have been written
            self.content, self.stands = b"", False
            raise _unusable(error) from error
        self.content, self.stands = b"", True

    def done(self) -> None:
        """It has been carried out."""
        self._path.unlink(missing_ok=True)
        self.content, self.stands = b"", False


@contextlib.contextmanager
def order(kind: str, name: str) -> Iterator[Order]:
    """Hold the order of this kind and name, for the length of a block. One that was not `done` stays.

    Raises `Refused` when another process holds it, and `EnvironmentFault` when the data folder cannot be used.
    """
    path = _folder() / f"{name}.{kind}"
    try:
        file = _opened(path)
    except OSError as error:
        raise _unusable(error) from error
    try:
        if not _taken(file, path):
            raise Refused(_("This is being done already"), told_others() or _("Wait until it is done."))
        held = Order(path, file)
        yield held
        if not held.stands:
            path.unlink(missing_ok=True)
    finally:
        os.close(file)


@contextlib.contextmanager
def turn(name: str) -> Iterator[None]:
    """Wait until no other process has this turn, and have it for the length of a block. Raises `EnvironmentFault`."""
    try:
        file = _opened(_folder() / f"{name}.turn")
    except OSError as error:
        raise _unusable(error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def is_held(kind: str, name: str) -> bool:
    """Whether a process holds the order of this kind and name."""
    with contextlib.suppress(FileNotFoundError), (_folder() / f"{name}.{kind}").open("rb") as file:
        return _is_held(file.fileno())
    return False


def begun(kind: str) -> list[str]:
    """The names of all orders of this kind, whether a process holds them or not."""
    return [path.name.removesuffix(f".{kind}") for path in _folder().glob(f"*.{kind}") if path.stat().st_size]


def interrupted(kind: str) -> list[str]:
    """The names of the orders of this kind that were begun and that no process holds."""
    found = []
    for path in sorted(_folder().glob(f"*.{kind}")):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            if not _is_held(file.fileno()) and _whole(file.fileno()):
                found.append(path.name.removesuffix(f".{kind}"))
    return found


def _whole(file: int) -> bytes:
    """What was written with its digest; nothing where a crash cut it off."""
    written = os.pread(file, os.fstat(file).st_size, 0)
    digest, _newline, content = written.partition(b"\n")
    return content if hashlib.sha256(content).hexdigest().encode() == digest else b""


def _opened(path: Path) -> int:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(file: int, path: Path) -> bool:
    """Whether the lock is ours, of the file that lies there: whoever had it may have removed it meanwhile."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return path.exists() and os.fstat(file).st_ino == path.stat().st_ino


def _is_held(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _folder() -> Path:
    return Path(settings.DATA) / FOLDER


def _unusable(error: OSError) -> EnvironmentFault:
    return EnvironmentFault(
        _("The data folder cannot be used"),
        _("{path}: {reason}.").format(path=_folder(), reason=error.strerror or error),
    )

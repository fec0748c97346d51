"""One agent for each person's data: a lock on a file beside the data, whatever session, login or computer asks.

The system frees the lock when its process ends (docs/adr/0013). The folder is locked too, where the file system does that:
a file can be removed under the agent that holds it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec.structs import replace

from agent.domain import errors, limits
from agent.ipc import local_socket, named_pipe, running_instance
from agent.ipc.running_instance import Place
from agent.system import mounts, private_files
from agent.system.dirs import Folders
from resources.i18n import _

log = logging.getLogger(__name__)

NAME = "agent.lock"

_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)
"""What a system says of a lock that another process holds; msvcrt.locking says EACCES or EDEADLOCK."""
_HELD_FOLDER = (errno.EWOULDBLOCK, errno.EAGAIN)
"""Of a folder; where flock(2) is emulated, others say that a folder takes none."""
_CANNOT_CREATE = (errno.EROFS, errno.ENOSPC, errno.EDQUOT)
_TEMPORARY = "tidings-sockets-"


class NoLocks(errors.DiskFault):
    """The file system of the data folder gives no locks."""

    @property
    def title(self) -> str:
        return _("Tidings cannot make sure that it runs only once")

    @property
    def message(self) -> str:
        return _(
            "The disk of your home folder gives no file locks. Ask your administrator to turn them on, then start Tidings "
            "again."
        )


class LockLost(errors.EnvironmentFault):
    """The lock was removed, and another agent has it now, or the data folder is gone."""

    @property
    def title(self) -> str:
        return _("This Tidings has stopped: its data was taken away")

    @property
    def message(self) -> str:
        return _(
            "The folder with its data was removed or replaced while it ran, or another one works on it. Nothing is received "
            "or sent here any more. Quit Tidings, then start it again."
        )


class NobodyCanAsk(errors.EnvironmentFault):
    """There is no place for the socket over which commands ask."""

    @property
    def title(self) -> str:
        return _("Commands cannot reach this Tidings")

    @property
    def message(self) -> str:
        return _(
            "“tidings privacy” and a second start do not find it, as there is no place for its socket: {reason}. Choose in "
            "its window, or remove what is in the way. Tidings tries again each minute."
        ).format(reason=self.detail)


class InstanceLock:
    """Held until ``release`` or the end of the process. Raises AlreadyRunning, NoLocks, DiskFault.

    ``display``: where the agent's windows are, empty for none.
    """

    def __init__(self, folders: Folders, display: str = "") -> None:
        self._data = folders.data
        self._descriptors: list[int] = []
        self._holding = threading.RLock()
        self._file: os.stat_result | None = None
        self._folder: os.stat_result | None = None
        self.is_lost = False
        """Whether it cannot be taken again: this agent must do nothing more."""
        self.when_lost: Callable[[], None] = lambda: None
        self.each_beat: Callable[[], None] = lambda: None
        self.deaf: NobodyCanAsk | None = None
        """Why commands do not find this agent, if so."""
        try:
            for folder in (folders.data, folders.runtime):
                private_files.make_folder(folder)
            self._take(folders)
            self.place = Place(
                instance=uuid.uuid4().hex,
                host=running_instance.this_host(),
                pid=os.getpid(),
                display=display.encode(errors="replace").decode(),
                sockets=_socket_folder(folders.runtime),
                computer=running_instance.this_computer(),
            )
        except OSError as error:
            self._close()
            raise errors.DiskFault(f"lock: {error}") from error
        except errors.EnvironmentFault:
            self._close()
            raise
        self._written = True
        self._written = self._write()

    @property
    def sockets(self) -> Path:
        """The folder for this agent's sockets: its user's alone."""
        return self.place.socket_folder or Path()

    def move_sockets(self) -> None:
        """To a fresh folder, and tell where. Raises DiskFault where that is not possible."""
        try:
            folder = os.fsencode(_fresh_sockets())
        except OSError as error:
            raise errors.DiskFault(f"no folder for a socket: {error}") from error
        _remove_temporary(self.place)
        self.place = replace(self.place, sockets=folder)
        self._written = self._write()
        if not self._written:
            raise errors.DiskFault("it cannot be written where commands are heard")

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its own files in the data folder."""
        return NAME, running_instance.NAME

    def is_ours(self) -> bool:
        """Whether nobody removed the lock, and no agent elsewhere took over, since this one took it."""
        if self._file is None:
            return True
        try:
            if not os.path.samestat(self._file, (self._data / NAME).stat()):
                return False
        except OSError:
            return False
        return not self._is_taken_over()

    def _is_taken_over(self) -> bool:
        """Whether an agent of a computer that does not see this lock wrote that it runs here."""
        place = running_instance.read(self._data)
        return (
            self._written
            and place is not None
            and place.instance != self.place.instance
            and not self._is_forged(place)
        )

    def _is_forged(self, place: Place) -> bool:
        """An agent of this computer would have had to take the lock first."""
        is_known_here = bool(place.computer) and place.computer == self.place.computer
        return not place.is_elsewhere and (is_known_here or mounts.is_of_one_computer(self._data))

    def hold(self) -> None:
        """Take it again where somebody removed it. Raises LockLost where another has it, or the folder is gone."""
        with self._holding:
            if not self.is_lost:
                self._look()
            if self.is_lost:
                raise LockLost("another has it, or the folder is gone")

    def _look(self) -> None:
        try:
            if self._is_removed():
                self._take_again()
            if self._is_taken_over():
                raise errors.AlreadyRunning("another computer's agent took over")
        except (errors.EnvironmentFault, OSError) as error:
            log.error("The lock beside the data is lost: %s", error)
            self.is_lost = True
            self.when_lost()

    def _is_removed(self) -> bool:
        if self._file is None:
            return False
        try:
            return not os.path.samestat(self._file, (self._data / NAME).stat())
        except FileNotFoundError:
            return True
        except OSError as error:
            log.info("The lock cannot be looked at: %s", error)
            return False

    def _take_again(self) -> None:
        """The folder must be the one that it was."""
        if self._folder is not None and not os.path.samestat(self._folder, self._data.stat()):
            raise errors.AlreadyRunning("another folder is in the place of the data folder")
        descriptor = _locked(self._data / NAME)
        self._descriptors.append(descriptor)
        self._file = os.fstat(descriptor)
        log.warning("The lock beside the data was removed by somebody; it is taken again.")

    def beat(self) -> None:
        """Show computers that do not see this lock that the agent runs."""
        self.each_beat()
        if not self.is_ours():
            return
        if running_instance.read(self._data) != self.place:
            self._written = self._write()
            return
        try:
            os.utime(self._data / running_instance.NAME)
        except OSError as error:
            log.info("Other computers cannot see that this agent runs: %s", error)

    def release(self, *, remove: bool = False) -> None:
        """Let another agent be first. ``remove``: leave no lock file either. Releasing again does nothing."""
        if not self._descriptors:
            return
        if self._written and self.is_ours():
            _unlink(self._data / running_instance.NAME)
        _remove_temporary(self.place)
        if sys.platform == "win32":  # It removes no file that is open.
            self._close()
        if remove:
            _unlink(self._data / NAME)
        self._close()

    def _take(self, folders: Folders) -> None:
        if (folder := _locked_folder(folders.data)) is not None:
            self._descriptors.append(folder)
            self._folder = os.fstat(folder)
        try:
            descriptor = _locked(folders.data / NAME)
        except OSError as error:
            if error.errno not in _CANNOT_CREATE:
                raise
            log.warning("The disk takes no lock beside the data, so only this login knows of it: %s", error)
        else:
            self._descriptors.append(descriptor)
            self._file = os.fstat(descriptor)
            self._refuse_one_elsewhere()
        for path in _earlier_locks(folders):
            self._descriptors.append(_locked(path))

    def _refuse_one_elsewhere(self) -> None:
        """Some computers with one home do not see each other's locks: there the other agent's sign of life counts.

        Its age is the disk's word on both files, since the computers' clocks may differ.
        """
        place = running_instance.read(self._data)
        if place is None:
            return
        if not place.is_elsewhere:
            _remove_temporary(place)
            return
        with contextlib.suppress(OSError):
            os.utime(self._data / NAME)
            age = (self._data / NAME).stat().st_mtime - (self._data / running_instance.NAME).stat().st_mtime
            if abs(age) < limits.LEASE_S:  # no sign comes from the future
                raise running_instance.already_running(place, "another computer's agent gave a sign of life")
            log.info("The agent of another computer gave no sign of life for %d s: this one takes over.", age)

    def _write(self) -> bool:
        """Where a disk does not take it, commands look in the session's folder."""
        try:
            running_instance.write(self._data, self.place)
        except OSError as error:
            if self._written:
                log.warning("Where this agent runs could not be written: %s", error)
            return False
        return True

    def _close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())


def refuse_elsewhere(folders: Folders) -> None:
    """The store of an agent on another computer is left alone (sqlite.org/wal.html: all processes on one computer).

    Raises AlreadyRunning, which says where it is.
    """
    place = running_instance.read(folders.data)
    if place is not None and place.is_elsewhere:
        InstanceLock(folders).release()


def _locked(path: Path) -> int:
    """The descriptor of this file, locked. Raises AlreadyRunning, NoLocks, OSError."""
    while True:
        descriptor = _opened(path)
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _HELD:
                raise running_instance.already_running(
                    running_instance.read(path.parent), "the lock is held"
                ) from error
            raise NoLocks(f"{path.name}: {error}") from error
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)  # Who held it removed the file.


def _locked_folder(folder: Path) -> int | None:
    """The descriptor of this folder, locked; None where the system locks no folders. Raises AlreadyRunning, OSError."""
    if sys.platform == "win32":
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor)
    except OSError as error:
        os.close(descriptor)
        if error.errno in _HELD_FOLDER:
            raise running_instance.already_running(
                running_instance.read(folder), "the folder is locked"
            ) from error
        log.info("The data folder itself takes no lock: %s", error)
        return None
    return descriptor


def _opened(path: Path) -> int:
    """Only the owner can open it: another user could hold a lock on a file that they can read."""
    if _is_strangers(path):
        path.unlink()
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _SAFE, 0o600)
    except OSError as error:
        if error.errno in _CANNOT_CREATE and path.exists():
            return os.open(path, os.O_RDONLY | _SAFE)
        raise
    if sys.platform != "win32":
        os.fchmod(descriptor, 0o600)
    return descriptor


def _is_strangers(path: Path) -> bool:
    """Whether another user than that of the folder made this file."""
    if sys.platform == "win32":
        return False
    try:
        return path.lstat().st_uid not in (os.geteuid(), path.parent.stat().st_uid)
    except FileNotFoundError:
        return False


def _earlier_locks(folders: Folders) -> Iterator[Path]:
    """Those of version 0.1, which had no other: one of that version may still run, or start."""
    yield folders.runtime / NAME
    for folder in folders.other_runtimes:
        if (path := folder / NAME).exists():
            yield path


def _socket_folder(runtime: Path) -> bytes:
    """The session's folder; where it takes no socket, a fresh one of our own."""
    is_usual = sys.platform != "win32" and local_socket.takes_sockets(runtime)
    return os.fsencode(runtime if is_usual else _fresh_sockets())


def _fresh_sockets() -> Path:
    if sys.platform == "win32":
        return named_pipe.fresh()
    return Path(tempfile.mkdtemp(prefix=_TEMPORARY))


def _remove_temporary(place: Place) -> None:
    folder = place.socket_folder
    if folder is not None and folder.name.startswith(_TEMPORARY):
        shutil.rmtree(folder, ignore_errors=True)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s stays: %s", path.name, error)


if sys.platform == "win32":
    import msvcrt

    _SAFE = os.O_NOINHERIT | os.O_BINARY

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    _SAFE = os.O_CLOEXEC | os.O_NOFOLLOW

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""The channel's end on Linux and macOS: a Unix socket in a folder of the person's own, whose other end is checked.

(unix(7), SO_PEERCRED; getpeereid(3).) Messages come after their length, as `multiprocessing.connection` writes them; its own
`Connection` waits for each piece of one anew, so that one that drips would never end (ADR 44).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)

NAME = "control.socket"
WAITING = 128
"""Who finds no room in this line waits for it (unix(7)); other systems refuse them."""
_LENGTH = struct.Struct(">i")
_PIECE_BYTES = 64 * 1024


class Line:
    """One connection, with whole messages under a deadline. Methods raise OSError, and EOFError where nobody is there."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, message: bytes, seconds: float) -> None:
        """All of it within so long, however the other end takes it."""
        self._socket.settimeout(seconds)
        self._socket.sendall(_LENGTH.pack(len(message)) + message)

    def receive(self, seconds: float, most_bytes: int) -> bytes:
        """The next message, all of it within so long, however its pieces come."""
        deadline = time.monotonic() + seconds
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, deadline))
        if not 0 <= length <= most_bytes:
            raise OSError(f"a message of {length} bytes")
        return self._read(length, deadline)

    def _read(self, count: int, deadline: float) -> bytes:
        pieces = bytearray()
        while len(pieces) < count:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("the message did not come in time")
            self._socket.settimeout(left_s)
            piece = self._socket.recv(min(count - len(pieces), _PIECE_BYTES))
            if not piece:
                raise EOFError("the other end closed")
            pieces += piece
        return bytes(pieces)

    def is_quiet(self) -> bool:
        """Whether the other end is there, and has said nothing more."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return False

    def hang_up(self) -> None:
        """End what another thread is waiting for."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


class Listener:
    """Hears whoever asks, until ``close``. Raises OSError where there can be no socket."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)
            with short(self._path) as path:
                self._socket.bind(path)
            self._path.chmod(0o600)
            self._file = self._path.lstat()
            self._socket.listen(WAITING)
        except OSError:
            self._socket.close()
            raise

    def accept(self) -> Line | None:
        """The next who asks; None for another user. Raises OSError."""
        asking, _address = self._socket.accept()
        if _is_own(asking):
            return Line(asking)
        asking.close()
        return None

    def is_found(self) -> bool:
        """Whether its name still leads to it: anybody of the person's may have removed or replaced it."""
        try:
            return os.path.samestat(self._file, self._path.lstat())
        except OSError:
            return False

    def close(self) -> None:
        """Hear nobody any more; who waits in ``accept`` gets an OSError."""
        try:
            if self.is_found():
                self._path.unlink(missing_ok=True)
        except OSError as error:
            log.info("The socket stays: %s", error)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def connect(folder: Path, seconds: float) -> Line:
    """The agent whose socket is in this folder; in its line there may be no room for so long. Raises OSError."""
    agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        patience = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000) or 1)
        agent.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        with short(folder / NAME) as path:
            agent.connect(path)
        if not _is_own(agent):
            raise PermissionError("another user answers")
    except OSError:
        agent.close()
        raise
    return Line(agent)


def takes_sockets(folder: Path) -> bool:
    """Whether there can be one: some file systems take none, some systems only short paths, and its name may be taken."""
    path = folder / f"{NAME}.{os.getpid()}"
    try:
        (folder / NAME).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial, short(path) as address:
            trial.bind(address)
        path.unlink()
    except OSError as error:
        log.warning("No socket can be in the session's folder: %s", error)
        return False
    return True


@contextmanager
def short(path: Path) -> Iterator[str]:
    """The address of a socket has 108 bytes at most; on Linux an open folder stands for a longer path."""
    if sys.platform != "linux":
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _is_own(line: socket.socket) -> bool:
    return _uid(line) == os.geteuid()


def _uid(line: socket.socket) -> int:
    """The user at the other end."""
    if sys.platform == "linux":
        credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[1])
    import ctypes

    user, group = ctypes.c_uint(), ctypes.c_uint()
    if ctypes.CDLL(None).getpeereid(line.fileno(), ctypes.byref(user), ctypes.byref(group)) != 0:
        return -1
    return user.value

"""The channel's end on Linux and macOS: a Unix socket in a folder of the person's own, whose other end is checked.

(unix(7), SO_PEERCRED; getpeereid(3).)
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from agent.domain import limits

log = logging.getLogger(__name__)

NAME = "control.socket"
WAITING = 128
"""Who finds no room in this line is refused at once (unix(7)), and a withdrawal must not be."""


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
            self._socket.listen(WAITING)
        except OSError:
            self._socket.close()
            raise

    def accept(self) -> Connection | None:
        """The next who asks; None for another user. Raises OSError."""
        asking, _address = self._socket.accept()
        with asking:
            return _connection(asking, limits.CONTROL_TIMEOUT_S) if _is_own(asking) else None

    def close(self) -> None:
        """Hear nobody any more; who waits in ``accept`` gets an OSError."""
        if self._path.exists():
            self._path.unlink(missing_ok=True)
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()


def connect(folder: Path, seconds: float) -> Connection:
    """The agent whose socket is in this folder, which may take so long for each piece. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
        agent.settimeout(seconds)
        with short(folder / NAME) as path:
            agent.connect(path)
        if not _is_own(agent):
            raise PermissionError("another user answers")
        return _connection(agent, seconds)


def takes_sockets(folder: Path) -> bool:
    """Whether there can be a socket: some file systems take none, and some systems only short paths."""
    path = folder / f"{NAME}.{os.getpid()}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial, short(path) as address:
            trial.bind(address)
        path.unlink()
    except OSError as error:
        log.info("No socket can be in the session's folder: %s", error)
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


def _connection(line: socket.socket, seconds: float) -> Connection:
    """One whose other end may take so long for each piece; then there is an OSError (socket(7), SO_RCVTIMEO)."""
    line.setblocking(True)
    patience = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        line.setsockopt(socket.SOL_SOCKET, option, patience)
    return Connection(line.detach())


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

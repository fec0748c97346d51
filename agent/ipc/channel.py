"""Asking the running agent, from the command line: its store is locked to it, and what is turned off must be off there.

Over a socket in a folder of the person's own, which the agent names beside its data. It checks who asks (unix(7),
SO_PEERCRED; getpeereid(3)). One question and one answer a connection, each with its length before it, as four bytes,
big-endian. The agent begins, with one byte: a process that is stopped accepts connections all the same, and would do
much later what somebody had asked for and given up.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.domain import errors, limits
from agent.ipc import running_instance
from agent.system.dirs import Folders

log = logging.getLogger(__name__)

NAME = "control.socket"
READY = b"\x01"
"""The agent's first byte: it runs, and takes a question."""

Answering = Callable[[bytes], bytes]


class ControlListener:
    """Answers, each question on a thread of its own, until ``close``. Raises DiskFault where there can be no socket."""

    def __init__(self, folder: Path, answer: Answering) -> None:
        self._path = folder / NAME
        self._answer = answer
        self._closed = threading.Event()
        self._deaf = False
        self._room = threading.BoundedSemaphore(limits.CONTROL_AT_ONCE)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._path.unlink(missing_ok=True)
            with short(self._path) as path:
                self._socket.bind(path)
            self._path.chmod(0o600)
            self._socket.listen(limits.CONTROL_AT_ONCE)
        except OSError as error:
            self._socket.close()
            raise errors.DiskFault(f"no socket in the runtime folder: {error}") from error
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        """Hear nobody any more. What is being answered goes on."""
        self._closed.set()
        if self._path.exists():
            self._path.unlink(missing_ok=True)
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _address = self._socket.accept()
            except OSError as error:
                if not self._closed.is_set():
                    self._wait(error)
                continue
            self._deaf = False
            self._room.acquire()
            try:
                threading.Thread(
                    target=self._serve, args=(connection,), name="control-answer", daemon=True
                ).start()
            except RuntimeError as error:  # no thread can be started now (Python documentation, Thread.start)
                connection.close()
                self._room.release()
                self._wait(error)

    def _wait(self, error: Exception) -> None:
        """No descriptor, memory or thread is left for now: whoever asks then is heard later, or gives up."""
        if not self._deaf:
            self._deaf = True
            log.warning("Nobody can ask the agent for now: %s", error)
        self._closed.wait(limits.CONTROL_RETRY_S)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(limits.CONTROL_TIMEOUT_S)
                if peer_uid(connection) != os.geteuid():
                    log.warning("Another user asked the agent; refused.")
                    return
                connection.sendall(READY)
                question = _receive(connection, limits.CONTROL_QUESTION_MAX_BYTES)
                _still_asking(connection)
                _send(connection, self._answer(question))
        except OSError as error:
            log.info("Who asked the agent went away: %s", error)
        finally:
            self._room.release()


def listen(folder: Path, answer: Answering) -> Callable[[], None]:
    """Answer from now on. Returns how to end that. Where there can be no socket, commands say that the agent runs."""
    if sys.platform == "win32":
        return lambda: None
    try:
        return ControlListener(folder, answer).close
    except errors.DiskFault as fault:
        log.error("Commands cannot ask this agent: %s", fault.detail)
        return lambda: None


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


def ask_agent(folders: Folders, question: bytes) -> bytes:
    """Ask the agent of this data, of whatever login. Raises AlreadyRunning, which says where it is, if it does not answer."""
    place = running_instance.read(folders.data)
    if place is not None and place.is_elsewhere:
        raise running_instance.already_running(place, "it runs on another computer")
    try:
        return ask(socket_folder(folders), question)
    except errors.AlreadyRunning as fault:
        raise running_instance.already_running(place, fault.detail) from fault


def socket_folder(folders: Folders) -> Path:
    """Where the sockets of the agent are that runs over this data."""
    place = running_instance.read(folders.data)
    return (place.socket_folder if place is not None else None) or folders.runtime


def ask(folder: Path, question: bytes) -> bytes:
    """Ask the agent whose socket is in this folder.

    Raises AlreadyRunning when it takes no question, and NoAnswer when it took this one.
    """
    if sys.platform == "win32":
        raise errors.AlreadyRunning("no socket on this system")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(limits.CONTROL_READY_S)
            with short(folder / NAME) as path:
                connection.connect(path)
            if peer_uid(connection) != os.geteuid():
                raise errors.AlreadyRunning("another user answers")
            _exactly(connection, len(READY))
        except OSError as error:
            raise errors.AlreadyRunning(f"the running agent did not answer: {error}") from error
        try:
            connection.settimeout(limits.CONTROL_PATIENCE_S)
            _send(connection, question)
            return _receive(connection, limits.CONTROL_ANSWER_MAX_BYTES)
        except OSError as error:
            raise errors.NoAnswer(f"the running agent took a question and did not answer: {error}") from error


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end of a local socket."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[1])
    import ctypes

    user, group = ctypes.c_uint(), ctypes.c_uint()
    if ctypes.CDLL(None).getpeereid(connection.fileno(), ctypes.byref(user), ctypes.byref(group)) != 0:
        return -1
    return user.value


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


def _still_asking(connection: socket.socket) -> None:
    """Raises OSError where who asked has gone: nothing is done for somebody who was told that it was not."""
    connection.setblocking(False)
    try:
        if not connection.recv(1, socket.MSG_PEEK):
            raise OSError("the other end closed before anything was done")
    except BlockingIOError:
        pass
    connection.settimeout(limits.CONTROL_TIMEOUT_S)


def _send(connection: socket.socket, message: bytes) -> None:
    connection.sendall(struct.pack(">I", len(message)) + message)


def _receive(connection: socket.socket, most: int) -> bytes:
    (size,) = struct.unpack(">I", _exactly(connection, 4))
    if size > most:
        raise OSError(f"a message of {size} bytes")
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        piece = connection.recv(min(size - len(content), 65_536))
        if not piece:
            raise OSError("the other end closed")
        content += piece
    return bytes(content)

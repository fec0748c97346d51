"""One agent for each user: the first holds a lock and listens; a second start asks it to show its inbox, and ends.

On Linux and macOS over a socket beside that of the commands, which checks who asks (unix(7), SO_PEERCRED; getpeereid(3));
on Windows over an event of the person's own session.
"""

from __future__ import annotations

import logging
import os
import socket
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal

from agent.domain import errors
from agent.ipc.channel import peer_uid, short
from agent.ipc.instance_lock import InstanceLock

log = logging.getLogger(__name__)

SHOW = b"show\n"
SOCKET_NAME = "agent.socket"
ANSWER_TIMEOUT_S = 2.0
PATIENCE_S = 10.0
"""For an agent that holds the lock and does not listen yet: it starts, perhaps on a computer that is busy at login."""
ASK_AGAIN_S = 0.2
REQUEST_TIMEOUT_S = 0.2
DEAF_MS = 500
"""Until it listens again where no descriptor was left."""


class SingleInstance(QObject):
    """The first instance, which holds the ``lock`` since before Qt; ``ask_to_show`` of a second start reaches it."""

    show_requested = Signal()

    def __init__(self, lock: InstanceLock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = lock
        self._listener = _listener(lock.sockets, self.show_requested.emit, self)

    def close(self) -> None:
        """Stop listening, then let another be first."""
        self._listener.close()
        self._lock.release()


def display() -> str:
    """The display that the windows of this process are on, by its environment; empty for none."""
    if sys.platform == "win32":
        return os.environ.get("SESSIONNAME", "Console")
    if sys.platform == "darwin":
        return "Aqua"
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "").removesuffix(".0")


class SocketListener(QObject):
    """Accepts connections of the same user only, and says that it heard."""

    def __init__(self, path: Path, heard: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._path = path
        self._heard = heard
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            with short(path) as address:
                self._socket.bind(address)
        finally:
            os.umask(before)
        self._socket.listen(4)
        self._socket.setblocking(False)
        self._notifier = QSocketNotifier(self._socket.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._accept)

    def close(self) -> None:
        self._notifier.setEnabled(False)
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError as error:
            log.info("A second start is not heard for now: %s", error)
            self._notifier.setEnabled(False)  # it would be activated for it again at once, and for ever
            QTimer.singleShot(DEAF_MS, self._notifier, lambda: self._notifier.setEnabled(True))
            return
        with connection:
            if peer_uid(connection) != os.geteuid():
                log.warning("Another user asked to show the inbox; refused.")
                return
            connection.settimeout(REQUEST_TIMEOUT_S)
            try:
                request = connection.recv(len(SHOW))
                if request == SHOW:
                    connection.sendall(SHOW)
            except OSError as error:
                log.info("A second start went away: %s", error)
                return
        if request == SHOW:
            self._heard()


def ask_to_show(folder: Path, *, patience_s: float = PATIENCE_S) -> bool:
    """Ask the running instance to show its inbox, for as long as ``patience_s`` seconds. Returns whether it heard."""
    deadline = time.monotonic() + patience_s
    while not _ask(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(ASK_AGAIN_S)
    return True


def _ask(folder: Path) -> bool:
    if sys.platform == "win32":
        from ui.desktop.single_instance_windows import signal_event

        return signal_event()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            with short(folder / SOCKET_NAME) as address:
                connection.connect(address)
            if peer_uid(connection) != os.geteuid():
                return False
            connection.sendall(SHOW)
            return connection.recv(len(SHOW)) == SHOW
    except OSError as error:
        log.info("The running agent did not answer: %s", error)
        return False


class Listener(Protocol):
    """What hears of second starts until it is closed."""

    def close(self) -> None: ...


def _listener(folder: Path, heard: Callable[[], None], parent: QObject) -> Listener:
    if sys.platform == "win32":
        from ui.desktop.single_instance_windows import EventListener

        return EventListener(heard, parent)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        folder.chmod(0o700)
    try:
        return SocketListener(folder / SOCKET_NAME, heard, parent)
    except OSError as error:
        raise errors.DiskFault(f"no socket in the runtime folder: {error}") from error

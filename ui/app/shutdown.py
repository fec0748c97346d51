"""The way out, in three stages: accept nothing more, stop the agent, leave the event loop."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from ui.core.bridge import Bridge
from ui.core.timers import QtTimers

log = logging.getLogger(__name__)

STOP_DEADLINE_MS = 6_000
"""How long stage two may take: twice what the agent itself waits for work under way."""


class Shutdown(QObject):
    """Asked once, by whatever wants the program to end: the menu, a signal, the end of the session."""

    finished = Signal()
    """All three stages are done: the event loop may end."""

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._closers: list[Callable[[], None]] = []
        self._stop: Callable[[], None] | None = None
        self._timers = QtTimers(self)
        self._requested = False
        self._left = False

    @property
    def requested(self) -> bool:
        return self._requested

    def first(self, close: Callable[[], None]) -> None:
        """Stage one: close a window, a socket, a tray icon. Called in the reverse order of being told."""
        self._closers.append(close)

    def then(self, stop: Callable[[], None]) -> None:
        """Stage two: stop the agent; may take seconds, runs on a worker."""
        self._stop = stop

    def request(self, reason: str) -> None:
        """Begin. Does nothing the second time."""
        if self._requested:
            return
        self._requested = True
        log.info("Shutdown, stage 1 of 3: %s.", reason)
        for close in reversed(self._closers):
            try:
                close()
            except Exception:  # one part that cannot close must not keep the others open
                log.exception("Closing failed")
        log.info("Shutdown, stage 2 of 3: stop the agent.")
        if self._stop is None:
            self._leave()
            return
        self._timers.after(STOP_DEADLINE_MS, self._overdue)
        self._bridge.run_in_worker(
            self._stop, lambda _result: self._leave(), lambda _error: self._leave(), "stop"
        )

    def _overdue(self) -> None:
        if self._left:
            return
        log.warning("The agent did not stop within %d ms; leaving all the same.", STOP_DEADLINE_MS)
        self._leave()

    def _leave(self) -> None:
        if not self._left:
            self._left = True
            log.info("Shutdown, stage 3 of 3: leave the event loop.")
            self._bridge.close()
            self.finished.emit()


class SignalWatch(QObject):
    """Hears SIGTERM, SIGINT and SIGHUP while Qt waits: they write to a socket that Qt listens to. No timer."""

    caught = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._heard)
        self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._handlers = {
            number: signal.signal(number, _let_qt_hear)
            for number in (getattr(signal, name, None) for name in ("SIGINT", "SIGTERM", "SIGHUP"))
            if number is not None
        }

    def close(self) -> None:
        """Put everything back."""
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _heard(self) -> None:
        for number in self._reader.recv(64):
            if number in self._handlers:
                self.caught.emit(signal.Signals(number).name)


def _let_qt_hear(number: int, frame: FrameType | None) -> None:
    """Replaces the default action, which would end the process at once; the socket does the rest."""

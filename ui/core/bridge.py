"""The only crossing from the agent's threads to Qt: whatever is heard or answered there is told on the main thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from agent.domain import errors
from agent.domain.model import Change
from agent.system import threads

log = logging.getLogger(__name__)

T = TypeVar("T")


class Bridge(QObject):
    """Lives on the main thread. ``listen`` and ``post`` may be called on any thread."""

    changed = Signal(object)
    """A ``frozenset`` of ``Change``: what changed since the last time. Many changes at once arrive as one."""

    _posted = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._open = True
        self._changes: set[Change] = set()
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def listen(self, change: Change) -> None:
        """The listener to give to ``Runtime.subscribe``."""
        with self._lock:
            first = not self._changes
            self._changes.add(change)
        if first:
            self.post(self._tell)

    def post(self, call: Callable[[], None]) -> None:
        """Call something soon on the main thread. After ``close`` it is forgotten."""
        with self._lock:
            if self._open:
                self._posted.emit(call)

    def run_in_worker(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[errors.TidingsError], None],
        name: str = "worker",
    ) -> None:
        """Do something slow on a thread of its own; ``done`` or ``failed`` is called on the main thread.

        A bug in ``work`` is logged with its traceback, and ``failed`` is given a plain TidingsError.
        """

        def run() -> None:
            try:
                result = work()
            except errors.TidingsError as error:
                log.info("%s: %s: %s", name, type(error).__name__, error.detail)
                self.post(lambda error=error: failed(error))  # type: ignore[misc]
            except Exception as error:  # the outermost door of a thread
                log.exception("%s failed", name)
                fault = errors.TidingsError(type(error).__name__)
                self.post(lambda: failed(fault))
            else:
                self.post(lambda: done(result))

        try:
            threads.start(name, run)
        except OSError as error:
            log.warning("%s did not begin: %s", name, error)
            fault = errors.EnvironmentFault(str(error))
            self.post(lambda: failed(fault))

    def close(self) -> None:
        """Tell nothing any more. What a worker still answers is dropped."""
        with self._lock:
            self._open = False

    def _tell(self) -> None:
        with self._lock:
            changes = frozenset(self._changes)
            self._changes.clear()
        self.changed.emit(changes)

    def _run(self, call: Callable[[], None]) -> None:
        if self._open:
            call()

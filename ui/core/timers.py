"""Calls after a while, on the main thread. A test brings its own that does not wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer

LONGEST_MS = 24 * 3_600 * 1_000


class Call(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None:
        """It does not come. Does nothing when it came already."""


class Timers(Protocol):
    """Calls after a while; tests let the time pass themselves."""

    def after(self, delay_ms: float, call: Callable[[], None]) -> Call:
        """Call once after ``delay_ms`` milliseconds, a day at most."""


class QtTimers:
    """Single-shot timers of Qt; long ones are coarse, so that the processor wakes up less."""

    def __init__(self, parent: QObject) -> None:
        self._parent = parent

    def after(self, delay_ms: float, call: Callable[[], None]) -> Call:
        return _QtCall(self._parent, round(min(max(delay_ms, 0), LONGEST_MS)), call)


class _QtCall:
    def __init__(self, parent: QObject, delay_ms: int, call: Callable[[], None]) -> None:
        self._timer: QTimer | None = QTimer(parent)
        self._call = call
        self._timer.setSingleShot(True)
        self._timer.setTimerType(
            Qt.TimerType.VeryCoarseTimer if delay_ms >= 10_000 else Qt.TimerType.CoarseTimer
        )
        self._timer.timeout.connect(lambda: self._fire())  # holds this call; a method alone is held weakly
        self._timer.start(delay_ms)

    def cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.stop()
            timer.deleteLater()

    def _fire(self) -> None:
        self.cancel()
        self._call()

"""Presses that were meant for what stood here before count for nothing."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from ui.core.timers import Call, QtTimers, Timers

SETTLED_AFTER_MS = 1_000
"""Whoever clicks or types on in another program has seen by then that something else stands there."""

_POINTER = frozenset({QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TouchBegin})
_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Select})


class PressGuard(QObject):
    """Takes presses away from ``guarded`` until ``page`` has stood visible, active and unchanged for a second.

    A press that is taken away begins that second anew, so that a row of clicks ends before one of them counts. Nothing looks
    otherwise meanwhile. A screen reader's own command to press a button is never taken away: it names the button.
    """

    def __init__(self, page: QWidget, *guarded: QWidget, timers: Timers | None = None) -> None:
        super().__init__(page)
        self._page = page
        self._timers = timers or QtTimers(self)
        self._waiting: Call | None = None
        self._settled = False
        for widget in (page, *guarded):
            widget.installEventFilter(self)

    def begin(self) -> None:
        """What is on the page is another thing than before."""
        self._settled = False
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = self._timers.after(SETTLED_AFTER_MS, self._settle)

    def _settle(self) -> None:
        self._waiting = None
        self._settled = True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._page:
            if event.type() in (QEvent.Type.Show, QEvent.Type.WindowActivate):
                self.begin()
            return False
        if not _is_press(event) or (self._settled and self._page.isActiveWindow()):
            return False
        self.begin()
        return True


def _is_press(event: QEvent) -> bool:
    if isinstance(event, QKeyEvent):
        return event.type() == QEvent.Type.KeyPress and event.key() in _KEYS
    return event.type() in _POINTER

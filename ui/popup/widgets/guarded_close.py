"""A close button that is not pressed by accident: it takes two steps, each only once what it says could be read."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from resources.i18n import _
from ui.core.timers import Call, Timers
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.press_guard import SETTLED_AFTER_MS, PressGuard
from ui.widgets.text import label

READY_AFTER_MS = 3 * SETTLED_AFTER_MS
"""Whoever was typing or clicking when the window came has stopped by then."""


class GuardedClose(QWidget):
    """First "Close", then "Yes, close it", which stands elsewhere. ``ready`` when the first can be pressed."""

    closed = Signal()
    ready = Signal()
    resized = Signal()
    """It needs another height than before."""

    def __init__(self, theme: Theme, timers: Timers) -> None:
        super().__init__()
        self._timers = timers
        self._waiting: Call | None = None
        self.first = Button(_("Close"))
        self.first.clicked.connect(self._ask)
        self.note = label(_("It can be closed in a moment."), kind="small", tone="muted")
        self._first_row = FlowRow(theme.px(10))
        self._first_row.add(self.first)
        self._first_row.add(self.note)
        self.keep = Button(_("Keep it open"))
        self.keep.clicked.connect(self._step_back)
        self.yes = Button(_("Yes, close it"))
        self.yes.clicked.connect(self._close)
        self.question = _Question(theme, self.keep, self.yes)
        self.question.escaped.connect(self._step_back)
        self._guard = PressGuard(self.question, self.yes, timers=timers, needs_front=False)
        self._guard.settled.connect(lambda: self.yes.setEnabled(True))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._first_row)
        column.addWidget(self.question)

    def begin(self) -> None:
        """A new announcement is on the screen: its first step is some seconds away."""
        self._show_question(False)
        self.first.setEnabled(False)
        self.note.show()
        self._cancel()
        self._waiting = self._timers.after(READY_AFTER_MS, self._first_is_ready)

    def stop(self) -> None:
        """The window goes."""
        self._cancel()

    def _first_is_ready(self) -> None:
        self._waiting = None
        self.first.setEnabled(True)
        self.note.hide()
        self._first_row.updateGeometry()
        self.ready.emit()

    def _ask(self) -> None:
        self._show_question(True)
        self.yes.setEnabled(False)
        self.keep.setFocus(Qt.FocusReason.OtherFocusReason)
        self._guard.begin()

    def _step_back(self) -> None:
        self._cancel()
        self._show_question(False)
        self.first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close(self) -> None:
        self._cancel()
        self.closed.emit()

    def _show_question(self, shown: bool) -> None:
        self.question.setVisible(shown)
        self._first_row.setVisible(not shown)
        self.resized.emit()

    def _cancel(self) -> None:
        self._guard.stop()
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class _Question(QFrame):
    """The second step. "Keep it open" stands where "Close" stood before."""

    escaped = Signal()

    def __init__(self, theme: Theme, keep: Button, yes: Button) -> None:
        super().__init__()
        text = _("Close it? It stays in your inbox.")
        self.setAccessibleName(text)
        yes.setAccessibleDescription(text)
        buttons = FlowRow(theme.px(10))
        buttons.add(keep)
        buttons.add_trailing(yes)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.px(8))
        column.addWidget(label(text, kind="strong", wrap=True))
        column.addWidget(buttons)
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

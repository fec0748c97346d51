"""What became of something the person asked for: in progress, done, or failed; said in place, never in their way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QFont, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QProgressBar, QVBoxLayout, QWidget

from resources.i18n import _
from ui.style.theme import Theme
from ui.widgets.buttons import Button, IconButton
from ui.widgets.flow import FlowRow
from ui.widgets.icons import Glyph
from ui.widgets.text import label

LINES_PX = 12
LINES_IN_VIEW = 6
ROWS_A_LINE = 2
"""A line of details may need that many rows."""
Action = tuple[str, Callable[[], None]]
"""A button's text, and what it does."""


class Note(QFrame):
    """Hidden until there is something to say. ``changed`` when its height may be another."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        self.setProperty("kind", "card")
        self.title = label(kind="h3", wrap=True)
        self.text = label(kind="small", tone="muted", wrap=True)
        self.lines = QPlainTextEdit()
        self.close_button = IconButton(Glyph.CLOSE, _("Close this message"), theme, side=24)
        self.close_button.clicked.connect(self.clear)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(_("Please wait"))
        self.actions_row = FlowRow(px(8))
        self._buttons: list[Button] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(12), px(10), px(12))
        column.setSpacing(px(4))
        column.addLayout(self._heading())
        for widget in (self.text, self.progress, self.lines, self.actions_row):
            column.addWidget(widget)
        self._set_up_lines()
        self.hide()

    def _heading(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(8))
        row.addWidget(self.title, 1)
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _set_up_lines(self) -> None:
        self.lines.setProperty("kind", "text")
        self.lines.setReadOnly(True)
        self.lines.setFrameShape(QFrame.Shape.NoFrame)
        self.lines.setTabChangesFocus(True)
        self.lines.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.lines.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        font = QFont(self.lines.font())
        font.setPixelSize(self._theme.px(LINES_PX))
        self.lines.setFont(font)
        self.lines.document().setDocumentMargin(0)

    @property
    def buttons(self) -> tuple[Button, ...]:
        """The buttons of what can be done about it."""
        return tuple(self._buttons)

    def clear(self) -> None:
        """Nothing to say any more."""
        self.hide()
        self.changed.emit()

    def show_progress(self, title: str) -> None:
        """It is being done."""
        self._show(title, "", waiting=True)

    def tell(
        self, title: str, text: str = "", *, lines: Sequence[str] = (), actions: Sequence[Action] = ()
    ) -> None:
        """It was done: what that means, details of any number, and what can be done next."""
        self._show(title, text, lines=lines, actions=actions)

    def show_problem(self, title: str, text: str, *, actions: Sequence[Action] = ()) -> None:
        """It failed; title and text are for people."""
        self._show(title, text, actions=actions, tone="error")

    def _show(
        self,
        title: str,
        text: str,
        *,
        lines: Sequence[str] = (),
        actions: Sequence[Action] = (),
        tone: str = "",
        waiting: bool = False,
    ) -> None:
        self._set_tone(tone)
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.progress.setVisible(waiting)
        # Reduced motion: a still bar instead of one that runs to and fro.
        self.progress.setRange(0, 1 if self._theme.reduced_motion else 0)
        self.progress.setValue(1)
        self.lines.setPlainText("\n".join(lines))
        self.lines.setAccessibleName(title)
        rows = min(len(lines) * ROWS_A_LINE, LINES_IN_VIEW)
        self.lines.setFixedHeight(rows * self.lines.fontMetrics().lineSpacing() + self._theme.px(4))
        self.lines.setVisible(bool(lines))
        self._show_actions(actions)
        self.close_button.setVisible(not waiting)
        self.setAccessibleName(title)
        self.setAccessibleDescription(text)
        self.show()
        self.changed.emit()
        if self.isVisible() and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _set_tone(self, tone: str) -> None:
        if self.title.property("tone") != tone:
            self.title.setProperty("tone", tone)
            self.title.style().unpolish(self.title)
            self.title.style().polish(self.title)

    def _show_actions(self, actions: Sequence[Action]) -> None:
        for button in self._buttons:
            self.actions_row.drop(button)
        self._buttons = []
        for text, act in actions:
            button = Button(text, kind="compact")
            button.clicked.connect(lambda _checked=False, act=act: act())
            self.actions_row.add(button)
            self._buttons.append(button)
        self.actions_row.setVisible(bool(actions))

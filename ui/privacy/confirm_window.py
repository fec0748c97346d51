"""A question before something that cannot be undone: what happens, exactly, and two buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout

from resources.i18n import _
from ui.core.timers import Timers
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.press_guard import PressGuard
from ui.widgets.text import label
from ui.widgets.window import ContentWindow

WIDTH = 500


class ConfirmWindow(ContentWindow):
    """Never modal. ``confirmed`` or nothing: Esc and closing mean no, and "no" has the keyboard."""

    confirmed = Signal()

    def __init__(
        self, theme: Theme, title: str, sentences: Sequence[str], action: str, timers: Timers | None = None
    ) -> None:
        super().__init__(theme, title, width=WIDTH)
        self.setAccessibleDescription(" ".join(sentences))
        self.content.addWidget(label(title, kind="h2", wrap=True))
        self.content.addSpacing(theme.px(10))
        for sentence in sentences:
            self.content.addLayout(_point(sentence, theme))
            self.content.addSpacing(theme.px(6))
        self.content.addSpacing(theme.px(12))
        self.no = Button(_("Cancel"))
        self.no.clicked.connect(self.close)
        self.yes = Button(action, kind="danger")
        self.yes.clicked.connect(self._on_yes)
        row = FlowRow(theme.px(10))
        row.add_trailing(self.no)
        row.add_trailing(self.yes)
        self.content.addWidget(row)
        self.content.addStretch(1)
        self.no.setFocus()
        self._guard = PressGuard(self, self.yes, timers=timers)

    def _on_yes(self) -> None:
        self.confirmed.emit()
        self.close()


def _point(sentence: str, theme: Theme) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.px(8))
    row.addWidget(label("•"), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(label(sentence, wrap=True), 1)
    return row

"""The line under the player: what is shared, and the way to change it. As in a pop-up."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from resources.i18n import _
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.icons import Glyph
from ui.widgets.text import WrappedLabel
from ui.widgets.themed import GlyphLabel

MAX_LINES = 2


class ShareBar(QWidget):
    """Says what is shared of this announcement; without a text it takes no room."""

    change_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        shield = GlyphLabel(Glyph.SHIELD, theme, colour="accent", side=13)
        self.text = WrappedLabel(max_lines=MAX_LINES)
        self.text.setProperty("kind", "small")
        self.text.setProperty("tone", "muted")
        self.change = Button(_("Change"), kind="link")
        self.change.setAccessibleDescription(_("Change what is shared"))
        self.change.clicked.connect(self.change_clicked)
        line = QFrame()
        line.setProperty("kind", "line")
        row = QHBoxLayout()
        row.setContentsMargins(theme.px(16), theme.px(7), theme.px(14), theme.px(7))
        row.setSpacing(theme.px(8))
        row.addWidget(shield)
        row.addWidget(self.text, 1)
        row.addWidget(self.change)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(line)
        column.addLayout(row)

    def show_line(self, text: str) -> None:
        self.text.setText(text)
        self.setVisible(bool(text))

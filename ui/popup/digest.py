"""The list on a digest's page: what was missed, each a way into the inbox."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from resources.i18n import ngettext
from ui.popup.page import DigestLine
from ui.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label

MOST = 5
"""More are counted: the inbox has them all."""


class DigestList(QWidget):
    """``chosen`` names the campaign."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.buttons: list[Button] = []
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, theme.px(8), 0, 0)
        self._rows.setSpacing(theme.px(6))
        self.more = label(kind="small", tone="muted")

    def show_lines(self, lines: Sequence[DigestLine]) -> None:
        """In place of those before; none hides the list."""
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget is not self.more:
                widget.hide()
                widget.deleteLater()
        self.buttons = [self._button(line) for line in lines[:MOST]]
        for button in self.buttons:
            self._rows.addWidget(button)
        left = len(lines) - len(self.buttons)
        self.more.setText(ngettext("and {n} more", "and {n} more", left).format(n=left))
        self._rows.addWidget(self.more)
        self.more.setVisible(left > 0)
        self.setVisible(bool(lines))

    def _button(self, line: DigestLine) -> Button:
        button = Button(line.title, kind="row")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setAccessibleDescription(line.facts)
        button.setToolTip(line.facts)
        button.clicked.connect(lambda: self.chosen.emit(line.campaign_id))
        return button

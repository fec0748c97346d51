"""The list on a digest's page: what was missed, each a way into the inbox."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from resources.i18n import ngettext
from ui.popup.pages import DigestLine
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label
from ui.widgets.themed import Themed
from ui.widgets.tooltips import plain_tip

MOST = 5
"""More are counted: the inbox has them all."""
TITLE_PX, FACTS_PX = 13, 12
SIDE, ABOVE = 11, 6
LARGE_TEXT = 1.5
"""From here on a line each, so that the way to the inbox still has room; the rest is a tool tip."""


class DigestRow(Themed, Button):
    """A button with two lines: the announcement's title; from whom it is, and when it came."""

    def __init__(self, line: DigestLine, theme: Theme) -> None:
        super().__init__(kind="row")
        self._theme = theme
        self._title, self._facts = QFont(self.font()), QFont(self.font())
        self._title.setPixelSize(theme.px(TITLE_PX))
        self._facts.setPixelSize(theme.px(FACTS_PX))
        large = theme.text_scale >= LARGE_TEXT
        self._lines = ((self._title, line.title), (self._facts, "" if large else line.facts))
        self.setAccessibleName(line.title)
        self.setAccessibleDescription(line.facts)
        self.setToolTip(plain_tip("\n".join((line.title, line.facts))))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        width = max(QFontMetrics(font).horizontalAdvance(text) for font, text in self._lines)
        height = sum(QFontMetrics(font).height() for font, text in self._lines if text)
        return QSize(width + 2 * self._theme.px(SIDE), height + 2 * self._theme.px(ABOVE))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        room = self.rect().adjusted(self._theme.px(SIDE), self._theme.px(ABOVE), -self._theme.px(SIDE), 0)
        for (font, text), colour in zip(self._lines, (self._theme.ink, self._theme.ink2), strict=True):
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(colour))
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            side = (
                Qt.AlignmentFlag.AlignRight
                if text_format.is_right_to_left(text)
                else Qt.AlignmentFlag.AlignLeft
            )
            painter.drawText(room, int(side | Qt.AlignmentFlag.AlignTop), text_format.isolated(shown))
            room.setTop(room.top() + metrics.height())
        painter.end()


class DigestList(QWidget):
    """``chosen`` names the campaign."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.buttons: list[DigestRow] = []
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
            button.show()  # by itself only in the next turn of the event loop, and it is measured now
        left = len(lines) - len(self.buttons)
        self.more.setText(ngettext("and {n} more", "and {n} more", left).format(n=left))
        self._rows.addWidget(self.more)
        self.more.setVisible(left > 0)
        self.setVisible(bool(lines))

    def _button(self, line: DigestLine) -> DigestRow:
        button = DigestRow(line, self._theme)
        button.clicked.connect(lambda: self.chosen.emit(line.campaign_id))
        return button

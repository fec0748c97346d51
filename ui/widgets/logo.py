"""The tile with a company's first letter."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme import Theme
from ui.widgets.themed import Themed


class LogoTile(Themed, QWidget):
    """``side`` in the design's pixels. Decoration: the name stands beside it in words."""

    def __init__(self, theme: Theme, *, side: int = 22, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._letter = ""
        self.setFixedSize(theme.px(side), theme.px(side))

    def set_name(self, company_name: str) -> None:
        """The company whose first letter is shown."""
        self._letter = company_name.strip()[:1].upper()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent))
        radius = 6 * self.width() / 22 if self.width() < 30 else 8
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        font = QFont(self.font())
        font.setPixelSize(max(round(self.width() * 0.54), 8))
        font.setWeight(QFont.Weight.ExtraBold)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.accent_ink))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._letter)
        painter.end()

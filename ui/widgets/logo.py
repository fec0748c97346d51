"""The tile with a company's logo, or its first letter."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui.style.theme import Theme
from ui.widgets.picture import read_picture
from ui.widgets.themed import Themed

GROUND, EDGE = "#FFFFFF", "#8A8580"
"""Logos are made for paper: a dark one would not be seen on a dark ground."""
INSET_SHARE = 0.1


class LogoTile(Themed, QWidget):
    """``side`` in the design's pixels. Decoration: the name stands beside it in words."""

    def __init__(self, theme: Theme, *, side: int = 22, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._letter = ""
        self._path: Path | None = None
        self._logo = QImage()
        self.setFixedSize(theme.px(side), theme.px(side))

    def show_company(self, name: str, logo: Path | None = None) -> None:
        """The company's logo; its first letter where there is none, or none that can be read."""
        self._letter = name.strip()[:1].upper()
        if logo != self._path:
            self._path = logo
            wanted = self.size() * 2 * self.devicePixelRatioF()
            self._logo = read_picture(logo, wanted) if logo is not None else QImage()
        self.update()

    @property
    def shows_logo(self) -> bool:
        """Whether it is the logo rather than the letter."""
        return not self._logo.isNull()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        radius = 6 * self.width() / 22 if self.width() < 30 else 8
        if self.shows_logo:
            self._paint_logo(painter, radius)
        else:
            self._paint_letter(painter, radius)
        painter.end()

    def _paint_logo(self, painter: QPainter, radius: float) -> None:
        painter.setPen(QPen(QColor(EDGE), 1))
        painter.setBrush(QColor(GROUND))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        inset = self.width() * INSET_SHARE
        room = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        size = QSizeF(self._logo.size()).scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(room.topLeft(), size)
        place.moveCenter(room.center())
        painter.drawImage(place, self._logo)

    def _paint_letter(self, painter: QPainter, radius: float) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.accent))
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        font = QFont(self.font())
        font.setPixelSize(max(round(self.width() * 0.54), 8))
        font.setWeight(QFont.Weight.ExtraBold)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.accent_ink))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._letter)

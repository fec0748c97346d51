"""Widgets that draw themselves follow the theme while they are open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.style.apply import applied_theme
from ui.style.theme import Theme
from ui.widgets import icons
from ui.widgets.icons import Glyph

if TYPE_CHECKING:
    _Widget = QWidget
else:
    _Widget = object  # A second base class of Qt's would make a second C++ object.


class Themed(_Widget):
    """Put it before the widget's own class. ``self._theme`` is the one it was made with, or a newer applied one.

    A company's accent becomes known while the first run is open; a desktop turns dark in the evening.
    """

    _theme: Theme

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        newer = applied_theme()
        if event.type() == QEvent.Type.StyleChange and newer is not None and newer != self._theme:
            self._theme = newer
            self.recolour()

    def recolour(self) -> None:
        """The theme has other colours than before."""
        self.update()


class GlyphLabel(Themed, QWidget):
    """An icon beside a text that says the same in words. ``colour`` names one of the theme's; ``side`` is the design's."""

    def __init__(
        self, glyph: Glyph, theme: Theme, *, colour: str, side: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._glyph = glyph
        self._colour = colour
        self.setFixedSize(theme.px(side), theme.px(side))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        icons.paint(painter, self._glyph, QRectF(self.rect()), getattr(self._theme, self._colour))
        painter.end()

"""The switch."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QWidget

from ui.style.theme import Scheme, Theme
from ui.widgets.themed import Themed

WIDTH = 40
HEIGHT = 23
KNOB = 17
FOCUS_GAP = 3


class ToggleSwitch(Themed, QCheckBox):
    """A check box drawn as a switch. State is told by place and by a mark, never by colour alone."""

    def __init__(
        self, name: str, theme: Theme, *, description: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(name)
        self.setAccessibleDescription(description)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(WIDTH) + 2 * FOCUS_GAP, self._theme.px(HEIGHT) + 2 * FOCUS_GAP)

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self.click()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.5)
        track = QRectF(self.rect()).adjusted(
            FOCUS_GAP + 0.5, FOCUS_GAP + 0.5, -FOCUS_GAP - 0.5, -FOCUS_GAP - 0.5
        )
        self._paint_track(painter, track)
        self._paint_knob(painter, track)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            ring = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(ring, ring.height() / 2, ring.height() / 2)
        painter.end()

    def _paint_track(self, painter: QPainter, track: QRectF) -> None:
        high = self._theme.scheme is Scheme.HIGH_CONTRAST
        off_fill = self._theme.card if high else self._theme.line
        on = self.isChecked()
        painter.setPen(QPen(QColor(self._theme.accent if on else self._theme.edge), 1))
        painter.setBrush(QColor(self._theme.accent if on else off_fill))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)

    def _paint_knob(self, painter: QPainter, track: QRectF) -> None:
        on = self.isChecked()
        radius = self._theme.px(KNOB) / 2
        inset = track.height() / 2
        centre = QPointF(track.right() - inset if on else track.left() + inset, track.center().y())
        painter.setPen(Qt.PenStyle.NoPen if on else QPen(QColor(self._theme.edge), 1))
        painter.setBrush(QColor(self._theme.accent_ink if on else "#FFFFFF"))
        painter.drawEllipse(centre, radius, radius)
        if on:
            painter.setPen(
                QPen(QColor(self._theme.accent), 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
            )
            unit = radius / 8.5
            points = ((-3.4, 0.2), (-1.0, 2.6), (3.4, -2.4))
            painter.drawPolyline([centre + QPointF(x * unit, y * unit) for x, y in points])

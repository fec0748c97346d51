"""The window of a pop-up: a card with a shadow that comes in from below and never takes the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QEvent, QPoint, QPropertyAnimation, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QPainter, QPaintEvent, QPen, QRegion, QResizeEvent
from PySide6.QtWidgets import QWidget

from ui.style.theme import Scheme, Theme
from ui.widgets.themed import Themed

SHADOW_MARGIN = 28
SHADOW_DROP = 8
RADIUS = 14
RADIUS_CUT = 6
"""Without blending a corner is cut in whole pixels; a small one looks right."""
SLIDE_PX = 28
SLIDE_MS = 220


class CardFrame(Themed, QWidget):
    """``shadow_margin``: device-independent pixels around the card that are shadow, 0 where windows cannot blend."""

    hover_changed = Signal(bool)
    resized = Signal()
    """It has another size than before, and is shown."""

    def __init__(self, theme: Theme, *, translucent: bool) -> None:
        super().__init__(None, _flags())
        self._theme = theme
        self._translucent = translucent
        self.shadow_margin = SHADOW_MARGIN if translucent else 0
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        # Window managers of X11 (xfwm4) would give another kind of window the keyboard for a moment when it is clicked.
        self.setAttribute(Qt.WidgetAttribute.WA_X11NetWmWindowTypeNotification)
        self.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, translucent)
        self._slide = QPropertyAnimation(self, b"pos", self)
        self._slide.setDuration(SLIDE_MS)
        self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)

    def appear(self, top_left: QPoint) -> None:
        """Show the window at a place on the screen, sliding in unless the person asked for no motion."""
        if self._theme.reduced_motion:
            self.move(top_left)
            self.show()
            return
        self._slide.stop()
        self._slide.setStartValue(top_left + QPoint(0, SLIDE_PX))
        self._slide.setEndValue(top_left)
        self.move(self._slide.startValue())
        self.show()
        self._slide.start()

    def settle(self, width: int, height: int) -> None:
        """Take a new size; a window that is already shown keeps its bottom right corner."""
        corner = self._end_of_slide() + QPoint(self.width(), self.height())
        shown = self.isVisible()
        self.setFixedSize(width, height)
        if shown:
            self._slide.stop()
            self.move(corner - QPoint(width, height))
            self.resized.emit()

    def _end_of_slide(self) -> QPoint:
        running = self._slide.state() == QPropertyAnimation.State.Running
        return QPoint(self._slide.endValue()) if running else self.pos()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.hover_changed.emit(True)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hover_changed.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._translucent:
            self.setMask(_cut_corners(self.width(), self.height()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._translucent:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_shadow(painter)
            self._paint_card(painter, RADIUS, self._theme.line)
        else:
            self._paint_card(painter, RADIUS_CUT, self._theme.edge)
        painter.end()

    def _paint_card(self, painter: QPainter, radius: int, border: str) -> None:
        width = 2 if self._theme.scheme is Scheme.HIGH_CONTRAST else 1
        inset = self.shadow_margin + width / 2
        painter.setPen(QPen(QColor(border), width))
        painter.setBrush(QColor(self._theme.card))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), radius, radius)

    def _paint_shadow(self, painter: QPainter) -> None:
        """Rounded rectangles over one another: where fewer lie, the shadow is lighter."""
        steps = SHADOW_MARGIN - 2
        painter.setPen(Qt.PenStyle.NoPen)
        for step in range(steps):
            share = (step + 1) / steps
            painter.setBrush(QColor(0, 0, 0, max(round(self._theme.shadow_alpha * share / steps * 1.1), 1)))
            grow = SHADOW_MARGIN - 2 - step
            inset = SHADOW_MARGIN - grow
            area = QRectF(self.rect()).adjusted(
                inset, inset + SHADOW_DROP * (1 - grow / steps), -inset, -inset + SHADOW_DROP
            )
            area.setBottom(min(area.bottom(), self.height() - 1))
            painter.drawRoundedRect(area, RADIUS + grow, RADIUS + grow)


def _flags() -> Qt.WindowType:
    return (
        Qt.WindowType.Tool
        | Qt.WindowType.FramelessWindowHint
        | Qt.WindowType.WindowStaysOnTopHint
        | Qt.WindowType.WindowDoesNotAcceptFocus
        | Qt.WindowType.NoDropShadowWindowHint
    )


def _cut_corners(width: int, height: int) -> QRegion:
    """A rectangle whose corners are rounded in whole pixels."""
    region = QRegion(0, 0, width, height)
    for row, cut in enumerate((4, 2, 1, 1)):
        for y in (row, height - 1 - row):
            region -= QRegion(0, y, cut, 1)
            region -= QRegion(width - cut, y, cut, 1)
    return region

"""The tray's icons, drawn: a speech bubble whose shape says the state, with the number of unread announcements.

Colour is never the only sign: connected is a full bubble with lines of text, paused holds two bars, offline is an outline
with a stroke through it, not connected an outline with a plus.
"""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QKeySequence, QPainter, QPainterPath, QPen, QPixmap

SIDE = 24.0
SIZES = (16, 22, 24, 32, 48, 64)
MOST_COUNTED = 9
SIGN_MOVES = 3.0
"""To the left, out of the number's way."""

PREFERENCES_KEYS = QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Comma)

TEAL = "#0F8F83"
INK = "#FFFFFF"
GREY = "#8B9794"
BADGE = "#C2123D"


class TrayState(StrEnum):
    """What the tray icon tells."""

    CONNECTED = "connected"
    PAUSED = "paused"
    OFFLINE = "offline"
    NOT_CONNECTED = "not_connected"


def tray_icon(state: TrayState, unread: int = 0) -> QIcon:
    """The icon in every size that a panel may ask for."""
    icon = QIcon()
    for side in SIZES:
        icon.addPixmap(tray_pixmap(state, unread, side))
    return icon


def application_icon() -> QIcon:
    """For windows and their entries in the task list."""
    return tray_icon(TrayState.CONNECTED)


def tray_pixmap(state: TrayState, unread: int, side: int) -> QPixmap:
    """One size; ``side`` in device pixels."""
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(side / SIDE, side / SIDE)
    ground, sign = _DRAWINGS[state]
    ground(painter)
    painter.save()
    if unread > 0:
        painter.translate(-SIGN_MOVES, 0)
    sign(painter)
    painter.restore()
    if unread > 0:
        _draw_badge(painter, unread)
    painter.end()
    return pixmap


def bubble() -> QPainterPath:
    """A speech bubble with its tail at the lower left, in a square of 24."""
    path = QPainterPath()
    path.addRoundedRect(QRectF(2, 3, 20, 15), 4.5, 4.5)
    tail = QPainterPath(QPointF(6, 15))
    tail.lineTo(6, 22)
    tail.lineTo(13, 17)
    tail.closeSubpath()
    return path.united(tail)


def _pen(colour: str, width: float) -> QPen:
    return QPen(
        QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    )


def _lines(painter: QPainter, colour: str, width: float, *lines: tuple[float, float, float, float]) -> None:
    painter.setPen(_pen(colour, width))
    for x1, y1, x2, y2 in lines:
        painter.drawLine(QPointF(x1, y1), QPointF(x2, y2))


def _full(painter: QPainter) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(TEAL))
    painter.drawPath(bubble())


def _outline(painter: QPainter) -> None:
    painter.setPen(_pen(GREY, 2.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(bubble())


def _text_lines(painter: QPainter) -> None:
    _lines(painter, INK, 2.0, (7, 8.5, 17.5, 8.5), (7, 12.8, 13.5, 12.8))


def _two_bars(painter: QPainter) -> None:
    _lines(painter, INK, 2.6, (9.6, 7.5, 9.6, 13.5), (14.4, 7.5, 14.4, 13.5))


def _stroke(painter: QPainter) -> None:
    _lines(painter, GREY, 2.2, (3, 2, 21, 20))


def _plus(painter: QPainter) -> None:
    _lines(painter, GREY, 2.2, (12, 7.2, 12, 13.8), (8.7, 10.5, 15.3, 10.5))


_DRAWINGS = {
    TrayState.CONNECTED: (_full, _text_lines),
    TrayState.PAUSED: (_full, _two_bars),
    TrayState.OFFLINE: (_outline, _stroke),
    TrayState.NOT_CONNECTED: (_outline, _plus),
}


def _draw_badge(painter: QPainter, unread: int) -> None:
    """The number in a disc at the lower right; the ring around it is cut out, so that it stands off on any panel."""
    centre, radius = QPointF(16.8, 16.8), 7.0
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(Qt.GlobalColor.black)
    painter.drawEllipse(centre, radius + 1.2, radius + 1.2)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.setBrush(QColor(BADGE))
    painter.drawEllipse(centre, radius, radius)
    text = str(unread) if unread <= MOST_COUNTED else f"{MOST_COUNTED}+"
    font = QFont()
    font.setPixelSize(11 if len(text) == 1 else 9)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(QColor(INK))
    painter.drawText(QRectF(centre.x() - 8, centre.y() - 8, 16, 16.4), Qt.AlignmentFlag.AlignCenter, text)

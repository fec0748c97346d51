"""The player's own icons, as painter paths in a 24 × 24 square."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPainterPath, QPen, QPixmap

SIDE = 24


class PlayerGlyph(StrEnum):
    """The signs on the player's buttons."""

    PLAY = "play"
    PAUSE = "pause"
    SOUND = "sound"
    MUTED = "muted"
    CAPTIONS = "captions"
    KEYS = "keys"
    FULL_SCREEN = "full_screen"
    LEAVE_FULL_SCREEN = "leave_full_screen"


def icon(glyph: PlayerGlyph, colour: str) -> QIcon:
    """In two pixel densities."""
    result = QIcon()
    for ratio in (1.0, 2.0):
        pixmap = QPixmap(round(SIDE * ratio), round(SIDE * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(colour), 2.0)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        _PAINTERS[glyph](painter, QColor(colour))
        painter.end()
        result.addPixmap(pixmap)
    return result


def _polyline(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolyline([QPointF(x, y) for x, y in points])


def _play(painter: QPainter, colour: QColor) -> None:
    path = QPainterPath(QPointF(7, 4.5))
    path.lineTo(19, 12)
    path.lineTo(7, 19.5)
    path.closeSubpath()
    painter.fillPath(path, colour)


def _pause(painter: QPainter, colour: QColor) -> None:
    painter.fillRect(QRectF(6.5, 5, 3.8, 14), colour)
    painter.fillRect(QRectF(13.7, 5, 3.8, 14), colour)


def _speaker(painter: QPainter, colour: QColor) -> None:
    path = QPainterPath(QPointF(3, 9.5))
    for x, y in ((6.5, 9.5), (11, 5.5), (11, 18.5), (6.5, 14.5), (3, 14.5)):
        path.lineTo(x, y)
    path.closeSubpath()
    painter.fillPath(path, colour)
    painter.drawPath(path)


def _sound(painter: QPainter, colour: QColor) -> None:
    _speaker(painter, colour)
    painter.drawArc(QRectF(9.5, 8, 7, 8), -60 * 16, 120 * 16)
    painter.drawArc(QRectF(9, 5, 12, 14), -55 * 16, 110 * 16)


def _muted(painter: QPainter, colour: QColor) -> None:
    _speaker(painter, colour)
    _polyline(painter, (15.5, 9.5), (20.5, 14.5))
    _polyline(painter, (20.5, 9.5), (15.5, 14.5))


def _captions(painter: QPainter, colour: QColor) -> None:
    painter.drawRoundedRect(QRectF(2.5, 5, 19, 14), 3, 3)
    font = QFont()
    font.setPixelSize(9)
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(QRectF(2.5, 5, 19, 14), Qt.AlignmentFlag.AlignCenter, "CC")


def _keys(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(2, 6, 20, 12.5), 2.5, 2.5)
    for x in (6.0, 10.0, 14.0, 18.0):
        painter.drawPoint(QPointF(x, 10.2))
    _polyline(painter, (8, 14.6), (16, 14.6))


def _corners(painter: QPainter, inwards: bool) -> None:
    for x, dx in ((4.0, 1), (20.0, -1)):
        for y, dy in ((4.0, 1), (20.0, -1)):
            corner = (x + 5 * dx, y + 5 * dy) if inwards else (x, y)
            _polyline(painter, (x + 5 * dx, y), corner, (x, y + 5 * dy))


_PAINTERS: dict[PlayerGlyph, Callable[[QPainter, QColor], None]] = {
    PlayerGlyph.PLAY: _play,
    PlayerGlyph.PAUSE: _pause,
    PlayerGlyph.SOUND: _sound,
    PlayerGlyph.MUTED: _muted,
    PlayerGlyph.CAPTIONS: _captions,
    PlayerGlyph.KEYS: lambda painter, _colour: _keys(painter),
    PlayerGlyph.FULL_SCREEN: lambda painter, _colour: _corners(painter, inwards=False),
    PlayerGlyph.LEAVE_FULL_SCREEN: lambda painter, _colour: _corners(painter, inwards=True),
}

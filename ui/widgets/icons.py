"""Icons as painter paths in a 24 × 24 square, so that no image format's code is loaded and any colour will do."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

SIDE = 24.0
STROKE = 2.0


class Glyph(StrEnum):
    """The signs that are drawn in the colours of the theme."""

    HEART = "heart"
    HEART_FULL = "heart_full"
    CLOSE = "close"
    CLOCK = "clock"
    PLAY = "play"
    SHIELD = "shield"
    PREVIOUS = "previous"
    NEXT = "next"
    SEARCH = "search"
    OUTWARD = "outward"
    DOT = "dot"
    MEGAPHONE = "megaphone"
    CHECK = "check"
    WAITING = "waiting"
    CLOSED_ROW = "closed_row"
    OPEN_ROW = "open_row"


def _heart() -> QPainterPath:
    path = QPainterPath(QPointF(12, 20.5))
    path.cubicTo(5.5, 15.6, 2.5, 12.2, 2.5, 8.4)
    path.cubicTo(2.5, 5.4, 4.8, 3.4, 7.4, 3.4)
    path.cubicTo(9.3, 3.4, 11.0, 4.4, 12, 6.1)
    path.cubicTo(13.0, 4.4, 14.7, 3.4, 16.6, 3.4)
    path.cubicTo(19.2, 3.4, 21.5, 5.4, 21.5, 8.4)
    path.cubicTo(21.5, 12.2, 18.5, 15.6, 12, 20.5)
    path.closeSubpath()
    return path


def _lines(*strokes: tuple[tuple[float, float], ...]) -> QPainterPath:
    path = QPainterPath()
    for first, *others in strokes:
        path.moveTo(*first)
        for point in others:
            path.lineTo(*point)
    return path


def _close() -> QPainterPath:
    return _lines(((6, 6), (18, 18)), ((18, 6), (6, 18)))


def _clock() -> QPainterPath:
    path = _lines(((12, 7), (12, 12), (15.5, 14)))
    path.addEllipse(QPointF(12, 12), 9, 9)
    return path


def _play() -> QPainterPath:
    path = _lines(((8, 4.5), (20, 12), (8, 19.5)))
    path.closeSubpath()
    return path


def _shield() -> QPainterPath:
    path = QPainterPath(QPointF(12, 2.5))
    path.lineTo(20, 5.5)
    path.lineTo(20, 11.5)
    path.cubicTo(20, 16.5, 16.5, 20, 12, 21.8)
    path.cubicTo(7.5, 20, 4, 16.5, 4, 11.5)
    path.lineTo(4, 5.5)
    path.closeSubpath()
    path.addPath(_lines(((8.3, 12), (11, 14.7), (15.7, 9.3))))
    return path


def _search() -> QPainterPath:
    path = _lines(((15.5, 15.5), (20.5, 20.5)))
    path.addEllipse(QPointF(10.5, 10.5), 6.8, 6.8)
    return path


def _dot() -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QPointF(12, 12), 10, 10)
    return path


def _waiting() -> QPainterPath:
    """A circle with gaps."""
    path = QPainterPath()
    circle = QRectF(4, 4, 16, 16)
    for start in range(0, 360, 60):
        path.arcMoveTo(circle, start)
        path.arcTo(circle, start, 28)
    return path


def _triangle(*corners: tuple[float, float]) -> QPainterPath:
    path = _lines(corners)
    path.closeSubpath()
    return path


def _megaphone() -> QPainterPath:
    path = _lines(((4, 9.5), (4, 14.5), (8, 14.5), (18, 19.5), (18, 4.5), (8, 9.5), (4, 9.5)))
    path.addPath(_lines(((8, 14.5), (9.5, 20.5), (12, 20.5), (11.2, 16.4)), ((21, 10.5), (21, 13.5))))
    return path


_PATHS: dict[Glyph, Callable[[], QPainterPath]] = {
    Glyph.HEART: _heart,
    Glyph.HEART_FULL: _heart,
    Glyph.CLOSE: _close,
    Glyph.CLOCK: _clock,
    Glyph.PLAY: _play,
    Glyph.SHIELD: _shield,
    Glyph.PREVIOUS: lambda: _lines(((14.5, 5.5), (8.5, 12), (14.5, 18.5))),
    Glyph.NEXT: lambda: _lines(((9.5, 5.5), (15.5, 12), (9.5, 18.5))),
    Glyph.SEARCH: _search,
    Glyph.OUTWARD: lambda: _lines(((6, 18), (18, 6)), ((8.5, 6), (18, 6), (18, 15.5))),
    Glyph.DOT: _dot,
    Glyph.MEGAPHONE: _megaphone,
    Glyph.CHECK: lambda: _lines(((4.5, 12.5), (10, 18), (19.5, 6.5))),
    Glyph.WAITING: _waiting,
    Glyph.CLOSED_ROW: lambda: _triangle((9, 6), (17, 12), (9, 18)),
    Glyph.OPEN_ROW: lambda: _triangle((6, 9), (18, 9), (12, 17)),
}
_FILLED = {Glyph.HEART_FULL, Glyph.PLAY, Glyph.DOT, Glyph.CLOSED_ROW, Glyph.OPEN_ROW}


def paint(painter: QPainter, glyph: Glyph, area: QRectF, colour: str) -> None:
    """Paint an icon into a square area."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(area.topLeft())
    painter.scale(area.width() / SIDE, area.height() / SIDE)
    if glyph in _FILLED:
        painter.fillPath(_PATHS[glyph](), QColor(colour))
    else:
        pen = QPen(QColor(colour), STROKE)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.strokePath(_PATHS[glyph](), pen)
    painter.restore()


def pixmap(glyph: Glyph, colour: str, side: int, pixel_ratio: float = 2.0) -> QPixmap:
    """An icon of ``side`` device-independent pixels."""
    result = QPixmap(round(side * pixel_ratio), round(side * pixel_ratio))
    result.setDevicePixelRatio(pixel_ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    paint(painter, glyph, QRectF(0, 0, side, side), colour)
    painter.end()
    return result


def icon(glyph: Glyph, colour: str, side: int) -> QIcon:
    """The same as a QIcon."""
    return QIcon(pixmap(glyph, colour, side))


def square(side: int) -> QSize:
    """A size of equal sides."""
    return QSize(side, side)

"""A part of a window that is scrolled where it needs more room than there is."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def plain_scroll_area() -> QScrollArea:
    """Without a frame, scrolled up and down only."""
    area = QScrollArea()
    area.setProperty("kind", "plain")
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def place_of(widget: QWidget) -> QRect:
    """On the screen."""
    return QRect(widget.mapToGlobal(QPoint()), widget.size())


def scroll_to(area: QScrollArea, part: QWidget, button: QWidget, *, clear_of: QRect) -> None:
    """To the beginning of a part of it, with the button that is in there beneath that place on the screen, not over it."""
    bar = area.verticalScrollBar()
    bar.setValue(bar.value() + place_of(part).top() - place_of(area).top())
    place = place_of(button)
    if place.intersects(clear_of):
        bar.setValue(bar.value() - (clear_of.bottom() + 1 - place.top()))

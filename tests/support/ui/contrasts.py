"""The contrast of every text on every screen, as it is drawn: `python -m tests.support.ui.contrasts`.

Prints each text that is less legible than WCAG 2.2 wants it: 4.5:1 (criterion 1.4.3), in high contrast 7:1 (1.4.6).
"""

import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QTextEdit, QWidget

from tests.support.ui import gallery
from tests.support.ui.gallery_screens import SCREENS
from ui.style.theme import Scheme, contrast

TEXT = {Scheme.LIGHT: 4.5, Scheme.DARK: 4.5, Scheme.HIGH_CONTRAST: 7.0}
ROUNDING = 0.05
EDGE = 6
"""Of a control: its outline and its rounded corners, in pixels."""
Pixels = list[int]


def name(pixel: int) -> str:
    """As ``#RRGGBB``."""
    return f"#{pixel & 0xFFFFFF:06X}"


@cache
def between(one: int, other: int) -> float:
    """The contrast of two pixels."""
    return contrast(name(one), name(other))


def pixels(widget: QWidget, area: QRect) -> Pixels:
    """The colours of an area, line by line."""
    image = widget.grab(area).toImage().convertToFormat(QImage.Format.Format_RGB32)
    return list(memoryview(image.constBits()).cast("I"))


def commonest(drawn: Pixels) -> str:
    """What is drawn on."""
    return name(Counter(drawn).most_common(1)[0][0])


def strongest(drawn: Pixels, ground: str | None = None) -> float:
    """The contrast of what is drawn to what is drawn on: the commonest colour, unless ``ground`` is given."""
    below = ground or commonest(drawn)
    return max(contrast(name(pixel), below) for pixel in set(drawn))


def said(widget: QWidget) -> str:
    """The text that a widget shows, empty for none and for one that cannot be used now (which WCAG exempts)."""
    if not widget.isEnabled():
        return ""
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text().strip()
    if isinstance(widget, QLineEdit):
        return widget.text() or widget.placeholderText()
    return widget.toPlainText() if isinstance(widget, QTextEdit) else ""


def illegible(window: QWidget, least: float) -> Iterator[str]:
    """Each text in a window that is less legible than ``least``."""
    for widget in window.findChildren(QWidget):
        text = said(widget) if widget.isVisibleTo(window) else ""
        area = widget.visibleRegion().boundingRect()
        if not isinstance(widget, QLabel):
            area = area.intersected(widget.rect().adjusted(EDGE, EDGE, -EDGE, -EDGE))
        if not text or area.height() < widget.fontMetrics().height() // 2 or area.width() < EDGE:
            continue
        there = QRect(widget.mapTo(window, QPoint(0, 0)) + area.topLeft(), area.size())
        measured = strongest(pixels(window, there))
        if measured < least - ROUNDING:
            yield f"{text!r} has {measured:.1f}:1"


def findings(app: QApplication) -> Iterator[str]:
    """What is illegible on any screen, in any scheme."""
    for scheme, least in TEXT.items():
        for screen in SCREENS:
            with gallery.shown(app, screen, scheme) as window:
                for finding in illegible(window, least):
                    yield f"{screen}, {scheme}: {finding}"


if __name__ == "__main__":
    for found in findings(gallery.offscreen_application()):
        print(found)
    sys.exit(0)

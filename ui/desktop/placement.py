"""Where pop-ups go: a corner of the screen that the person is looking at, or of the main one, clear of panels."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QCursor, QGuiApplication, QScreen

from agent.domain.preferences import Corner, Screen

MARGIN = 16
"""Between a pop-up and the edge of what panels leave free, in device-independent pixels."""


def places_windows() -> bool:
    """Whether a window may say where it wants to be. Under Wayland the compositor alone decides."""
    return not QGuiApplication.platformName().startswith("wayland")


def active_screen() -> QScreen:
    """The screen with the pointer, else the one with the focused window, else the primary one."""
    focused = QGuiApplication.focusWindow()
    return (
        QGuiApplication.screenAt(QCursor.pos())
        or (focused.screen() if focused is not None else None)
        or QGuiApplication.primaryScreen()
    )


def popup_screen(choice: Screen) -> QScreen:
    """The screen for pop-ups that a preference names."""
    return QGuiApplication.primaryScreen() if choice is Screen.PRIMARY else active_screen()


def in_corner(corner: Corner, size: QSize, available: QRect, margin: int = MARGIN) -> QPoint:
    """The top left corner for a window of this size in a corner of the free part of a screen.

    What is larger than the screen keeps its top left corner, where its buttons to close are, in sight.
    """
    left = corner in (Corner.BOTTOM_LEFT, Corner.TOP_LEFT)
    top = corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT)
    x = available.left() + margin if left else available.right() + 1 - margin - size.width()
    y = available.top() + margin if top else available.bottom() + 1 - margin - size.height()
    return QPoint(max(x, available.left()), max(y, available.top()))


def centred(size: QSize, available: QRect) -> QPoint:
    """The top left corner for a window in the middle of the free part of a screen; never out of sight."""
    x = available.x() + (available.width() - size.width()) // 2
    y = available.y() + (available.height() - size.height()) // 2
    return QPoint(max(x, available.left()), max(y, available.top()))

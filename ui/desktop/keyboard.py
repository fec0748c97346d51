"""Which window had the keyboard before one of ours took it, so that it gets it back."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from ui.desktop import xcb

_POINTER_ROOT = 1


class Borrowed:
    """The keyboard, from now until ``give_back``.

    Only on X11, where a window that the window manager does not know is no concern of its. Elsewhere the desktop itself gives
    the keyboard back.
    """

    def __init__(self) -> None:
        self._from = 0
        if QGuiApplication.platformName() == "xcb":
            with xcb.connected() as display:
                self._from = 0 if display is None else display.input_focus()

    def give_back(self) -> None:
        """To the window that had it, if that is still to be seen."""
        if self._from > _POINTER_ROOT:
            with xcb.connected() as display:
                if display is not None:
                    display.set_input_focus(self._from)

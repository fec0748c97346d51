"""Whether windows may be partly transparent."""

from __future__ import annotations

import ctypes

from PySide6.QtGui import QGuiApplication, QNativeInterface


def translucent_windows() -> bool:
    """Whether the desktop blends windows.

    On X11 that needs a compositing manager, which owns the selection ``_NET_WM_CM_S<screen>`` (EWMH, “Compositing
    Managers”); without one a transparent window is black.
    """
    app = QGuiApplication.instance()
    if app is None or QGuiApplication.platformName() != "xcb":
        return True
    native = app.nativeInterface() if isinstance(app, QGuiApplication) else None
    if not isinstance(native, QNativeInterface.QX11Application):
        return False
    return _selection_has_owner(native.display(), b"_NET_WM_CM_S0")


def _selection_has_owner(display: int, name: bytes) -> bool:
    # Qt has it loaded already: its xcb plugin links to it.
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XGetSelectionOwner.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    x11.XGetSelectionOwner.restype = ctypes.c_ulong
    atom = x11.XInternAtom(display, name, 0)
    return bool(x11.XGetSelectionOwner(display, atom))

"""What is there for a moment only is no entry in the list of open windows."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication, QWindow

from ui.desktop import xcb


def leave_out(window: QWindow) -> None:
    """Of taskbar and pager; before it is shown. Some list also what says that it is a notification (xfce4-panel)."""
    if QGuiApplication.platformName() == "xcb":
        with xcb.connected() as display:
            if display is not None:
                display.add_states(
                    int(window.winId()), "_NET_WM_STATE_SKIP_TASKBAR", "_NET_WM_STATE_SKIP_PAGER"
                )

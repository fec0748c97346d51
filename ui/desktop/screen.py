"""Whether windows can be shown at all, asked before Qt is: it ends the process (with SIGABRT) where it finds no screen."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from agent.system import dirs
from ui.desktop import xcb


def has_screen() -> bool:
    """Whether Qt will find one, as far as can be known before it looks."""
    if sys.platform != "linux":
        return True
    wanted = [each.partition(":")[0] for each in os.environ.get("QT_QPA_PLATFORM", "").split(";") if each]
    if any(each != "xcb" and not each.startswith("wayland") for each in wanted):
        return True
    x_server = not wanted or "xcb" in wanted
    compositor = not wanted or any(each.startswith("wayland") for each in wanted)
    return (x_server and has_x_server()) or (compositor and has_compositor())


def has_x_server() -> bool:
    """Whether that of ``$DISPLAY`` lets us in."""
    with xcb.connected() as display:
        return display is not None


def has_compositor() -> bool:
    """By its socket (wayland-client, wl_display_connect(3))."""
    name = os.environ.get("WAYLAND_DISPLAY")
    if not name:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(os.fspath((dirs.session_folder() or Path("/")) / name))
    except OSError:
        return False
    return True

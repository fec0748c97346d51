"""How long a program takes until its icon is in the tray."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from jeepney import MatchRule, message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

from tests.support.children import Child
from tests.support.desktop.x_desktop import VirtualDesktop

WATCHER = "org.kde.StatusNotifierWatcher"
PATIENCE_S = 20.0


def seconds_to_icon(desktop: VirtualDesktop, command: Sequence[str | Path], env: Mapping[str, str]) -> float:
    """Starts a program, waits until the tray says that its icon is registered, and ends it.

    Raises:
        TimeoutError: no icon in time.
    """
    assert desktop.bus is not None
    registered = MatchRule(type="signal", interface=WATCHER, member="StatusNotifierItemRegistered")
    with open_dbus_connection(bus=desktop.bus.address) as connection:
        Proxy(message_bus, connection).AddMatch(registered)
        with connection.filter(registered) as signals:
            start = time.perf_counter()
            with Child(command, desktop.folder / "starts.log", env):
                connection.recv_until_filtered(signals, timeout=PATIENCE_S)
                return time.perf_counter() - start

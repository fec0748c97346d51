"""Full screen under Wayland, asked of a real sway."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.domain.model import Tristate
from tests.support.desktop.wayland_desktop import WaylandDesktop
from tests.support.waiting import until
from ui.desktop.presence.linux import LinuxPresence

WINDOWS = Path(__file__).parents[2] / "support" / "desktop" / "show_windows.py"


@pytest.fixture
def sway(monkeypatch: pytest.MonkeyPatch) -> Iterator[WaylandDesktop]:
    with WaylandDesktop("none") as running:
        for name in ("SWAYSOCK", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DBUS_SESSION_BUS_ADDRESS"):
            monkeypatch.setenv(name, running.env[name])
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", running.env["DBUS_SYSTEM_BUS_ADDRESS"])
        monkeypatch.setenv("DISPLAY", ":0")
        yield running


def test_sway_tells_full_screen_and_the_rest_is_unknown(sway: WaylandDesktop) -> None:
    presence = LinuxPresence()
    assert presence.current().full_screen is Tristate.NO
    with sway.start([sys.executable, WINDOWS, "notes"], "notes"):
        until(lambda: sway.windows() == ["notes"], "a window")
        assert presence.current().full_screen is Tristate.NO
    with sway.start([sys.executable, WINDOWS, "slides"], "slides"):
        until(lambda: presence.current().full_screen is Tristate.YES, "full screen")
        assert presence.current().idle is Tristate.UNKNOWN
    until(lambda: presence.current().full_screen is Tristate.NO, "the end of full screen")


def test_a_sway_that_does_not_answer_leaves_full_screen_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    monkeypatch.setenv("SWAYSOCK", str(tmp_path / "nobody"))
    assert LinuxPresence().current().full_screen is Tristate.UNKNOWN
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent"))
        silent.listen()
        monkeypatch.setenv("SWAYSOCK", str(tmp_path / "silent"))
        assert LinuxPresence().current().full_screen is Tristate.UNKNOWN

"""What the desktop says of the person, asked of a real window manager and of a real service on a real bus."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.model import Tristate
from tests.support.desktop import VirtualDesktop
from tests.support.waiting import until
from ui.desktop.presence_linux import LinuxPresence

SAVER = """
import sys
from jeepney import HeaderFields, MessageType, message_bus, new_method_return
from jeepney.io.blocking import open_dbus_connection

with open_dbus_connection() as bus:
    bus.send_and_get_reply(message_bus.RequestName("org.xfce.ScreenSaver"))
    while True:
        message = bus.receive()
        if message.header.message_type is MessageType.method_call:
            if message.header.fields.get(HeaderFields.member) == "GetActive":
                bus.send(new_method_return(message, "b", (sys.argv[1] == "locked",)))
"""

WINDOW = """
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel("presentation")
label.setWindowTitle("presentation")
label.showFullScreen()
app.exec()
"""


@pytest.fixture
def desktop(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualDesktop]:
    """A desktop that this process asks as the agent on it would."""
    with VirtualDesktop() as running:
        for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "XDG_CURRENT_DESKTOP"):
            monkeypatch.setenv(name, running.env[name])
        yield running


def test_a_full_screen_window_is_noticed_and_its_end_too(desktop: VirtualDesktop) -> None:
    presence = LinuxPresence()
    assert presence.current().full_screen is Tristate.NO
    slides = desktop.start([sys.executable, "-c", WINDOW], "slides")
    until(lambda: presence.current().full_screen is Tristate.YES, "full screen")
    slides.stop()
    until(lambda: presence.current().full_screen is Tristate.NO, "the end of full screen")


@pytest.mark.parametrize(("state", "locked"), [("locked", Tristate.YES), ("open", Tristate.NO)])
def test_a_screen_saver_is_believed(
    desktop: VirtualDesktop, tmp_path: Path, state: str, locked: Tristate
) -> None:
    presence = LinuxPresence()
    assert presence.current().locked is Tristate.UNKNOWN
    script = tmp_path / "saver.py"
    script.write_text(SAVER)
    desktop.start([sys.executable, script, state], "saver")
    until(lambda: presence.current().locked is locked, f"a screen that is {state}")


def test_asking_starts_no_service(desktop: VirtualDesktop) -> None:
    assert desktop.bus is not None
    before = desktop.bus.names()
    LinuxPresence().current()
    assert desktop.bus.names() - before <= {"org.xfce.Xfconf"}

"""The virtual desktop does what a person's desktop does; otherwise the tests on it would show nothing."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.desktop import base
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.waiting import PATIENCE_S, OverdueError, until

WINDOW = """
import sys
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QSystemTrayIcon

app = QApplication(sys.argv)
square = QPixmap(22, 22)
square.fill(QColor("#ff0000"))
icon = QSystemTrayIcon(QIcon(square))
icon.setToolTip("A red square")
icon.activated.connect(lambda reason: print("icon", reason.name, flush=True))
icon.show()
editor = QPlainTextEdit()
editor.setWindowTitle("Notes")
editor.setStyleSheet("background: #00ff00; border: 0")
editor.textChanged.connect(lambda: print(editor.toPlainText(), flush=True))
editor.show()
app.exec()
"""
KEYCHAIN = """
import keyring
keyring.set_password("tidings-test", "somebody", "a secret")
print(keyring.get_password("tidings-test", "somebody"))
"""


@pytest.fixture(scope="module")
def desktop() -> Iterator[VirtualDesktop]:
    with VirtualDesktop() as running:
        yield running


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_keychain_gives_a_secret_back(desktop: VirtualDesktop) -> None:
    asked = desktop.start(python(KEYCHAIN), "keychain")
    assert asked.wait(PATIENCE_S) == 0, asked.output()
    assert asked.output() == "a secret\n"


def test_a_person_sees_the_icon_clicks_it_and_types(desktop: VirtualDesktop) -> None:
    program = desktop.start(python(WINDOW), "window")
    window = desktop.screen.window("^Notes$")
    desktop.screen.focus(window)
    desktop.screen.type("Dear all, see you at 9.")
    until(lambda: "Dear all, see you at 9." in program.output(), "the typed text")
    _left, _top, right, bottom = window.box
    assert desktop.screen.colour(right - 3, bottom - 3) == (0, 255, 0)
    assert desktop.screen.colour(right + 3, bottom + 3) != (0, 255, 0)

    left, top, right, bottom = desktop.tray_icon()
    middle = (left + right) // 2, (top + bottom) // 2
    assert desktop.screen.colour(*middle) == (255, 0, 0)
    assert desktop.bus is not None
    assert [item["ToolTip"][2] for item in desktop.bus.tray_items()] == ["A red square"]
    desktop.screen.click(*middle)
    until(lambda: "icon Trigger" in program.output(), "the click")

    program.stop()
    desktop.screen.gone("^Notes$")


def test_a_locked_keychain_gives_nothing() -> None:
    with VirtualDesktop(DesktopOptions(keyring="locked", panel="none")) as locked:
        asked = locked.start(python(KEYCHAIN), "keychain")
        assert asked.wait(PATIENCE_S) != 0
        assert "a secret" not in asked.output()


def test_a_desktop_without_a_bus_has_no_keychain_but_a_tray() -> None:
    with VirtualDesktop(DesktopOptions(bus=False)) as bare:
        asked = bare.start(python(KEYCHAIN), "keychain")
        assert asked.wait(PATIENCE_S) != 0
        assert "NoKeyringError" in asked.output()
        bare.start(python(WINDOW), "window")
        assert bare.tray_icon()


def hanging_trayer(folder: Path, hangs: int) -> None:
    """A program in this folder that is trayer, but hangs at its first starts."""
    program = folder / "trayer"
    program.write_text(
        f'#!/bin/sh\necho start >> "{folder}/starts"\n'
        f'if [ "$(wc -l < "{folder}/starts")" -le {hangs} ]; then exec sleep 60; fi\n'
        f'exec {shutil.which("trayer")} "$@"\n'
    )
    program.chmod(0o755)


@pytest.fixture
def without_a_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualDesktop]:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with VirtualDesktop(DesktopOptions(bus=False, window_manager="openbox", panel="none")) as running:
        monkeypatch.setattr(base, "FIRST_START_S", 3.0)
        yield running


def test_a_part_that_hangs_at_its_start_gets_a_second_one(
    without_a_panel: VirtualDesktop, tmp_path: Path
) -> None:
    hanging_trayer(tmp_path, 1)
    screen = without_a_panel.screen
    without_a_panel.part(["trayer"], "panel", lambda: screen.windows(wm_class="trayer"))
    assert (tmp_path / "starts").read_text() == "start\nstart\n"


def test_a_part_that_hangs_at_its_second_start_gets_no_third(
    without_a_panel: VirtualDesktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging_trayer(tmp_path, 2)
    monkeypatch.setattr(base, "LAST_START_S", 3.0)
    with pytest.raises(OverdueError, match=r"the panel; .* it still runs"):
        without_a_panel.part(["trayer"], "panel", lambda: False)
    assert (tmp_path / "starts").read_text() == "start\nstart\n"


def test_nothing_of_a_desktop_outlives_it_also_after_a_failure() -> None:
    others = psutil.Process().children(recursive=True)
    started: list[psutil.Process] = []
    folders: list[Path] = []

    def fail_on_a_desktop() -> None:
        with VirtualDesktop() as short:
            short.start(python(WINDOW), "window")
            folders.append(short.folder)
            started.extend(set(psutil.Process().children(recursive=True)) - set(others))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_on_a_desktop()
    assert len(started) >= len(
        ["Xvfb", "dbus-daemon", "gnome-keyring-daemon", "xfwm4", "xfce4-panel", "window"]
    )
    assert [process for process in started if process.is_running()] == []
    assert not folders[0].exists()

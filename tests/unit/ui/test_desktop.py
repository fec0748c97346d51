"""What differs between desktops, through real sockets, files and processes."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import PresenceState, Tristate
from agent.domain.preferences import Corner
from agent.ipc import running_instance, starting
from agent.ipc.instance_lock import InstanceLock
from agent.ipc.local_socket import connect
from agent.system.dirs import Folders
from tests.support.agent.first_start import FirstStart
from tests.support.waiting import PATIENCE_S, until
from ui.desktop import autostart, browser
from ui.desktop.placement import active_screen, in_corner
from ui.desktop.presence.base import UnknownPresence, system_presence
from ui.desktop.reduced_motion import reduced_motion
from ui.desktop.single_instance import display, lock_or_show

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_MS = int(PATIENCE_S * 1_000)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="speaks Linux")


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The person's configuration folder, with no system-wide one."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    return tmp_path / "config"


class TestPlacement:
    def test_a_popup_stands_at_the_bottom_right_of_the_free_part_of_the_screen(self) -> None:
        place = in_corner(Corner.BOTTOM_RIGHT, QSize(400, 300), QRect(0, 0, 1366, 738), margin=16)
        assert (place.x() + 400, place.y() + 300) == (1350, 722)

    def test_a_second_screen_left_of_the_first_has_its_own_bottom_right(self) -> None:
        place = in_corner(Corner.BOTTOM_RIGHT, QSize(400, 300), QRect(-1920, 40, 1920, 1000), margin=16)
        assert (place.x() + 400, place.y() + 300) == (-16, 1024)

    def test_what_is_larger_than_the_screen_keeps_its_top_left_corner_in_sight(self) -> None:
        assert in_corner(Corner.BOTTOM_RIGHT, QSize(900, 900), QRect(10, 20, 800, 600)).toTuple() == (10, 20)

    def test_there_is_always_an_active_screen(self, qtbot: QtBot) -> None:
        assert active_screen().availableGeometry().isValid()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start that a busy machine does not make give up."""
    monkeypatch.setattr(starting, "PATIENCE_S", PATIENCE_S)


class TestSecondStart:
    def test_it_makes_the_first_show_itself(self, qtbot: QtBot, tmp_path: Path) -> None:
        first = FirstStart(Folders.under(tmp_path), display())
        command = "import sys, pathlib; from agent.system.dirs import Folders;"
        command += "from ui.desktop.single_instance import lock_or_show;"
        command += "sys.exit(lock_or_show(Folders.under(pathlib.Path(sys.argv[1])), show=True) is not None)"
        with qtbot.waitSignal(first.requests.received, timeout=PATIENCE_MS):
            second = subprocess.Popen([sys.executable, "-c", command, str(tmp_path)], cwd=ROOT)
        qtbot.waitUntil(lambda: second.poll() is not None, timeout=PATIENCE_MS)
        assert (second.returncode, first.shown) == (0, 1)
        first.close()

    def test_it_waits_for_a_first_that_does_not_listen_yet(
        self, qtbot: QtBot, tmp_path: Path, patient: None
    ) -> None:
        folders = Folders.under(tmp_path)
        lock = InstanceLock(folders, display())
        with ThreadPoolExecutor(1) as worker:
            asked = worker.submit(lock_or_show, folders, show=True)
            first = FirstStart(folders, lock=lock)
            qtbot.waitUntil(asked.done, timeout=PATIENCE_MS)
        assert (asked.result(), first.shown) == (None, 1)
        first.close()

    def test_it_opens_nothing_on_the_display_of_a_first_that_was_just_starting(
        self, qtbot: QtBot, tmp_path: Path, patient: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has not said yet on which display it is when it is looked for."""
        folders, tried, sleep = Folders.under(tmp_path), threading.Event(), time.sleep
        lock = InstanceLock(folders, ":elsewhere")
        (folders.data / running_instance.NAME).unlink()

        def told(seconds: float) -> None:
            tried.set()
            sleep(seconds)

        monkeypatch.setattr(starting.time, "sleep", told)
        with ThreadPoolExecutor(1) as worker:
            asked = worker.submit(lock_or_show, folders, show=True)
            assert tried.wait(PATIENCE_S)
            lock.beat()
            first = FirstStart(folders, lock=lock)
            qtbot.waitUntil(asked.done, timeout=PATIENCE_MS)
        refused = asked.exception()
        assert isinstance(refused, errors.AlreadyRunning)
        assert (refused.display, first.shown) == (":elsewhere", 0)
        first.close()

    @pytest.mark.parametrize("show", [True, False])
    def test_it_takes_the_place_of_a_first_that_ends(
        self, qtbot: QtBot, tmp_path: Path, patient: None, *, show: bool
    ) -> None:
        first = FirstStart(Folders.under(tmp_path), display())
        first.stop_answering()
        with ThreadPoolExecutor(1) as worker:
            asked = worker.submit(lock_or_show, Folders.under(tmp_path), show=show)
            first.lock.release()
            lock = asked.result(PATIENCE_S)
        assert lock is not None
        lock.release()

    def test_it_is_told_where_no_window_answers_and_nothing_opens_later(
        self, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody runs the event loop here, as where a program hangs."""
        monkeypatch.setattr(starting, "PATIENCE_S", 0)
        first = FirstStart(Folders.under(tmp_path), display())
        with ThreadPoolExecutor(1) as worker:
            asked = worker.submit(lock_or_show, Folders.under(tmp_path), show=True)
            with pytest.raises(errors.AlreadyRunning):
                asked.result(PATIENCE_S)
        qtbot.wait(1)
        assert first.shown == 0
        first.close()

    def test_it_is_the_first_where_nobody_runs(self, tmp_path: Path) -> None:
        lock = lock_or_show(Folders.under(tmp_path), show=True)
        assert lock is not None
        lock.release()

    def test_one_that_says_nothing_holds_nobody_up(self, qtbot: QtBot, tmp_path: Path, patient: None) -> None:
        folders = Folders.under(tmp_path)
        first = FirstStart(folders, display())
        with connect(first.lock.sockets, PATIENCE_S), ThreadPoolExecutor(1) as worker:
            asked = worker.submit(lock_or_show, folders, show=True)
            qtbot.waitUntil(asked.done, timeout=PATIENCE_MS)
        assert (asked.result(), first.shown) == (None, 1)
        first.close()


@LINUX
class TestAutostart:
    def test_it_is_off_until_switched_on_and_off_again_leaves_no_file(self, config: Path) -> None:
        assert not autostart.is_on()
        autostart.switch(True)
        assert autostart.is_on()
        autostart.switch(False)
        assert not autostart.is_on()
        assert not list((config / "autostart").iterdir())

    def test_the_entry_starts_this_program_in_the_tray(self, config: Path) -> None:
        autostart.switch(True)
        entry = (config / "autostart/tidings.desktop").read_text()
        assert f"Exec={sys.executable} -P -m ui run --minimized\n" in entry

    def test_one_installed_for_everybody_is_switched_off_for_one_person_by_hiding_it(
        self, config: Path, tmp_path: Path
    ) -> None:
        installed = tmp_path / "system/autostart/tidings.desktop"
        installed.parent.mkdir(parents=True)
        installed.write_text(autostart.desktop_entry(["tidings", "run"]))
        assert autostart.is_on()
        autostart.switch(False)
        assert not autostart.is_on()
        autostart.switch(True)
        assert autostart.is_on()
        assert not (config / "autostart/tidings.desktop").exists()

    def test_a_path_with_spaces_and_percent_signs_stays_one_word(self) -> None:
        line = autostart.desktop_entry(["/opt/my 100% apps/tidings", "run"]).splitlines()[3]
        assert line == 'Exec="/opt/my 100%% apps/tidings" run'

    def test_a_folder_that_cannot_be_written_is_a_fault_with_a_sentence(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path))
        with pytest.raises(errors.DiskFault):
            autostart.switch(True)


class TestBrowser:
    @pytest.fixture
    def opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A browser that writes down what it was started with."""
        tool = tmp_path / "xdg-open"
        tool.write_text(
            f'#!/bin/sh\nprintf "%s " "$@" "qt:$QT_QPA_PLATFORM" > {tmp_path}/part\n'
            + "mv ${0%/*}/part ${0%/*}/opened\n"
        )
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return tmp_path / "opened"

    @LINUX
    def test_an_https_address_is_given_to_the_browser_as_one_word_without_our_settings(
        self, opened: Path
    ) -> None:
        assert browser.open_url("https://intranet.example/a?b=c&d=$(id)")
        assert until(lambda: opened.exists() and opened.read_text(), "the browser") == (
            "https://intranet.example/a?b=c&d=$(id) qt: "
        )

    @pytest.mark.expected_logs("not https")
    @pytest.mark.parametrize(
        "address",
        ["http://intranet.example/", "file:///etc/passwd", "javascript:alert(1)", "--help", "", "https://"],
    )
    def test_nothing_else_is_opened(self, opened: Path, address: str) -> None:
        assert not browser.open_url(address)
        assert not opened.exists()

    def test_a_frozen_build_gives_other_programs_their_own_libraries_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        own = {
            "LD_LIBRARY_PATH": "/opt/tidings",
            "LD_LIBRARY_PATH_ORIG": "/usr/local/lib",
            "QT_PLUGIN_PATH": "x",
        }
        assert browser.environment_for_others(own | {"HOME": "/h"}) == {
            "LD_LIBRARY_PATH": "/usr/local/lib",
            "HOME": "/h",
        }


class TestPresence:
    def test_a_desktop_that_says_nothing_is_unknown(self) -> None:
        assert UnknownPresence().current() == PresenceState(
            Tristate.UNKNOWN, Tristate.UNKNOWN, Tristate.UNKNOWN
        )

    @LINUX
    def test_without_a_bus_and_a_screen_nothing_is_known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
        monkeypatch.delenv("DISPLAY", raising=False)
        assert system_presence().current() == PresenceState()


@LINUX
class TestReducedMotion:
    def test_animations_are_on_where_nothing_is_said(self, config: Path) -> None:
        assert not reduced_motion()

    @pytest.mark.parametrize(
        ("file", "content"),
        [
            ("gtk-3.0/settings.ini", "[Settings]\ngtk-enable-animations=false\n"),
            ("kdeglobals", "[KDE]\nAnimationDurationFactor=0\n"),
        ],
    )
    def test_the_desktops_settings_are_heard(self, config: Path, file: str, content: str) -> None:
        (config / file).parent.mkdir(parents=True)
        (config / file).write_text(content)
        assert reduced_motion()

    def test_a_broken_settings_file_says_nothing(self, config: Path) -> None:
        config.mkdir()
        (config / "kdeglobals").write_bytes(b"\xff\xfe[KDE\n=")
        assert not reduced_motion()

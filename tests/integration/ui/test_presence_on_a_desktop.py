"""What the desktop says of the person, asked of a real X server, window manager, screen lockers and notification services."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.campaigns import selection
from agent.domain.model import HoldReason, Tristate, Urgency
from tests.support.children import Child
from tests.support.desktop.sleeping_monitors import Power, sleeping_monitors
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.waiting import PATIENCE_S, until
from ui.desktop import coverage
from ui.desktop.presence import x11
from ui.desktop.presence.linux import LinuxPresence

WINDOWS = Path(__file__).parents[2] / "support" / "desktop" / "show_windows.py"
NOTIFYD = "/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd"
NOBODY = 65_534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
"""xscreensaver does not lock for root."""


@pytest.fixture
def desktop(asked_desktop: VirtualDesktop) -> VirtualDesktop:
    until(lambda: full_screen() is Tristate.NO, "a desktop with nothing full screen on it")
    return asked_desktop


def full_screen() -> Tristate:
    return LinuxPresence().current().full_screen


def locked() -> Tristate:
    return LinuxPresence().current().locked


def do_not_disturb() -> Tristate:
    return LinuxPresence().current().do_not_disturb


def shows(desktop: VirtualDesktop, *kinds: str) -> Child:
    """A program that shows these windows, once the last of them is there."""
    program = desktop.start([sys.executable, WINDOWS, *kinds], "windows")
    desktop.screen.window(f"^{kinds[-1]}$")
    return program


def run(desktop: VirtualDesktop, *command: str) -> None:
    subprocess.run(command, env=desktop.env, check=True, timeout=PATIENCE_S, capture_output=True)


def test_a_full_screen_window_is_noticed_and_its_end_too(desktop: VirtualDesktop) -> None:
    with shows(desktop, "slides") as slides:
        until(lambda: full_screen() is Tristate.YES, "full screen")
        assert x11.look(own_pid=slides.pid).full_screen is Tristate.NO, "our own does not count"
        run(desktop, "xdotool", "search", "--name", "^slides$", "windowminimize")
        until(lambda: full_screen() is Tristate.NO, "a hidden window not to count")
        run(desktop, "xdotool", "search", "--name", "^slides$", "windowactivate")
        until(lambda: full_screen() is Tristate.YES, "full screen again")
    until(lambda: full_screen() is Tristate.NO, "the end of full screen")


def test_slides_on_the_projector_count_while_the_notes_have_the_focus(desktop: VirtualDesktop) -> None:
    with shows(desktop, "slides-on-the-projector", "notes"):
        desktop.screen.focus(desktop.screen.window("^notes$"))
        until(lambda: full_screen() is Tristate.YES, "full screen on the other monitor")
        active = desktop.screen.active_window()
        assert active is not None
        assert active.title == "notes"


def test_a_full_screen_window_behind_another_does_not_count(desktop: VirtualDesktop) -> None:
    with shows(desktop, "slides", "notes"):
        until(lambda: full_screen() is Tristate.YES, "full screen behind a small window")
    with shows(desktop, "slides", "covering"):
        desktop.screen.focus(desktop.screen.window("^covering$"))
        until(lambda: full_screen() is Tristate.NO, "the covered window not to count")


def test_a_game_that_the_window_manager_does_not_know_counts(desktop: VirtualDesktop) -> None:
    with shows(desktop, "game"):
        until(lambda: full_screen() is Tristate.YES, "the game")


def test_a_locker_that_only_covers_the_screen_is_known(desktop: VirtualDesktop) -> None:
    assert locked() is Tristate.UNKNOWN
    with desktop.start(["i3lock", "--nofork", "--color", "203040"], "i3lock"):
        until(lambda: locked() is Tristate.YES, "i3lock")
    until(lambda: locked() is Tristate.UNKNOWN, "the end of i3lock")


@pytest.fixture
def nobody_home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="nobody-"))
    shutil.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def test_xscreensaver_tells_that_it_locks(desktop: VirtualDesktop, nobody_home: Path) -> None:
    home = {name: str(nobody_home) for name in ("HOME", "XDG_CONFIG_HOME")}
    # Without the bus, which is of another user.
    saver = [*AS_NOBODY, "env", "--unset=DBUS_SESSION_BUS_ADDRESS", "xscreensaver", "--no-splash"]
    with desktop.start(saver, "xscreensaver", home) as running:
        until(lambda: locked() is Tristate.NO, "xscreensaver")
        run(desktop, *AS_NOBODY, "xscreensaver-command", "-lock")
        until(lambda: locked() is Tristate.YES, "xscreensaver to lock")
        running.kill()
    until(lambda: locked() is Tristate.UNKNOWN, "its last words not to be believed")


def test_dunst_that_is_paused_asks_not_to_disturb(desktop: VirtualDesktop) -> None:
    assert do_not_disturb() is Tristate.UNKNOWN
    with desktop.start(["dunst"], "dunst"):
        until(lambda: do_not_disturb() is Tristate.NO, "dunst")
        run(desktop, "dunstctl", "set-paused", "true")
        assert do_not_disturb() is Tristate.YES
        run(desktop, "dunstctl", "set-paused", "false")
        assert do_not_disturb() is Tristate.NO


def test_xfce_asks_not_to_disturb(desktop: VirtualDesktop) -> None:
    setting = ["xfconf-query", "-c", "xfce4-notifyd", "-p", "/do-not-disturb", "-n", "-t", "bool", "-s"]
    with desktop.start([NOTIFYD], "notifyd"):
        run(desktop, *setting, "true")
        assert do_not_disturb() is Tristate.YES
        run(desktop, *setting, "false")
        assert do_not_disturb() is Tristate.NO


def test_xfce_in_presentation_mode_presents(desktop: VirtualDesktop) -> None:
    name = "/xfce4-power-manager/presentation-mode"
    setting = ["xfconf-query", "-c", "xfce4-power-manager", "-p", name, "-n", "-t", "bool", "-s"]
    assert LinuxPresence().current().presenting is Tristate.UNKNOWN
    run(desktop, *setting, "true")
    assert LinuxPresence().current().presenting is Tristate.YES
    run(desktop, *setting, "false")
    assert LinuxPresence().current().presenting is Tristate.NO


def test_nobody_at_the_keyboard_is_idle_until_a_key_is_pressed(desktop: VirtualDesktop) -> None:
    presence = LinuxPresence(idle_after_s=0.5)
    until(lambda: presence.current().idle is Tristate.YES, "idleness")
    assert LinuxPresence(idle_after_s=300).current().idle is Tristate.NO
    desktop.screen.key("Shift_L")
    assert LinuxPresence(idle_after_s=60).current().idle is Tristate.NO
    until(lambda: presence.current().idle is Tristate.YES, "idleness again")


def test_an_x_server_of_a_wayland_session_is_not_believed(
    desktop: VirtualDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desktop.env["DISPLAY"]
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    assert x11.look() == x11.Screen()


def test_a_desktop_without_a_bus_still_tells_what_the_screen_shows(
    desktop: VirtualDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desktop.env["DISPLAY"]
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"):
        monkeypatch.setenv(name, f"unix:path={desktop.runtime}/no-bus")
    state = LinuxPresence().current()
    assert (state.full_screen, state.idle) == (Tristate.NO, Tristate.NO)
    assert (state.locked, state.do_not_disturb, state.presenting) == (Tristate.UNKNOWN,) * 3


def test_nobody_sees_a_screen_that_the_x_server_has_blanked(desktop: VirtualDesktop) -> None:
    run(desktop, "xset", "s", "activate")
    try:
        found = LinuxPresence().current()
        assert Tristate.YES in (found.locked, found.idle)
    finally:
        run(desktop, "xset", "s", "reset")


def test_nobody_sees_monitors_that_sleep(desktop: VirtualDesktop, monkeypatch: pytest.MonkeyPatch) -> None:
    desktop.screen.key("Shift_L")
    with sleeping_monitors(desktop.env["DISPLAY"]) as monitors:
        monkeypatch.setenv("DISPLAY", monitors.display)
        for power in (*Power, Power.ON):
            monitors.power = power
            xset = subprocess.run(
                ["xset", "q"], check=True, timeout=PATIENCE_S, capture_output=True, text=True
            )
            told = ("On", "in Standby", "in Suspend", "Off")[power]
            assert f"Monitor is {told}\n" in xset.stdout, "the go-between speaks as an X server does"
            state = LinuxPresence().current()
            away = None if power is Power.ON else HoldReason.AWAY
            assert selection.not_now(Urgency.URGENT, state, paused=False) is away
            assert selection.not_now(Urgency.EMERGENCY, state, paused=False) is None


def is_open(desktop: VirtualDesktop) -> bool:
    return coverage.is_open(desktop.screen.window("^card$").id, 0)


@pytest.mark.parametrize(
    ("kind", "leaves_it_open"),
    [
        ("above-the-card", False),
        ("unmanaged-over-the-card", False),
        ("over-a-part-of-the-card", True),
        ("around-the-card", True),
    ],
)
def test_what_stands_over_a_window_is_known(
    desktop: VirtualDesktop, kind: str, *, leaves_it_open: bool
) -> None:
    with shows(desktop, "card"):
        until(lambda: is_open(desktop), "the card to lie open")
        with shows(desktop, kind):
            until(lambda: is_open(desktop) is leaves_it_open, f"{kind} to be known")
        until(lambda: is_open(desktop), "the card to lie open again")


def test_what_lies_off_the_screen_is_not_open(desktop: VirtualDesktop) -> None:
    with shows(desktop, "card"):
        until(lambda: is_open(desktop), "the card to lie open")
        run(desktop, "xdotool", "search", "--name", "^card$", "windowmove", "--", "-200", "100")
        until(lambda: not is_open(desktop), "most of it to be off the screen")


def told_last(watching: Child) -> str:
    """What the pop-up said last; Qt writes of the desktop's services into the same log, also later."""
    told = [line for line in watching.output().splitlines() if line in ("open", "covered")]
    return told[-1] if told else ""


def test_a_pop_up_tells_when_another_window_covers_it_and_when_it_lies_open(desktop: VirtualDesktop) -> None:
    watch = (sys.executable, "-m", "tests.support.ui.watch_popup")
    with desktop.start(watch, "watch", {"PYTHONPATH": str(WINDOWS.parents[3])}) as watching:
        until(lambda: told_last(watching) == "open", "the pop-up")
        with shows(desktop, "unmanaged-over-all"):
            until(lambda: told_last(watching) == "covered", "the pop-up to be covered")
        until(lambda: told_last(watching) == "open", "the pop-up to lie open")

"""An emergency on real desktops: over every screen and every program, and not closed by accident."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from tests.support.agent.processes import TRACEBACK, AgentProcess
from tests.support.desktop.employee import Employee
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until
from ui.style.theme import Scheme, Theme

NOTES = Path(__file__).parents[1] / "support" / "desktop" / "notes.py"
TITLE = "Leave the building by the east stairs"
BUTTON = "push button|button"
MONITOR_WIDTH = 683
PAPER = Theme.of(Scheme.LIGHT).paper.upper()
LOCKED = "#203040"
EMERGENCY = f"""
sender = "Site security"
urgency = "emergency"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "{TITLE}"
body = "Smoke on the second floor. Do not use the lifts."
"""


@pytest.fixture
def told_to_leave(company: SampleCompany, server: RunningServer, tmp_path: Path) -> RunningServer:
    """The server of a company that has published an emergency."""
    file = tmp_path / "emergency.toml"
    file.write_text(EMERGENCY)
    company.home.succeed("campaign", "publish", file, "--reason", "Smoke on the second floor")
    return server


@pytest.fixture(
    params=[
        pytest.param(DesktopOptions(accessibility=True, monitors=2), id="xfwm4"),
        pytest.param(
            DesktopOptions(accessibility=True, monitors=2, window_manager="openbox", panel="trayer"),
            id="openbox",
        ),
    ]
)
def two_monitors(request: pytest.FixtureRequest) -> Iterator[VirtualDesktop]:
    with VirtualDesktop(request.param) as running:
        yield running


def covers(desktop: VirtualDesktop) -> list[int]:
    """The left edge of each window over a whole monitor."""
    return sorted(each.x for each in desktop.screen.windows("^Tidings$") if each.width >= MONITOR_WIDTH)


def colours(desktop: VirtualDesktop) -> set[str]:
    """Near the edges of both monitors, where nothing but a cover's ground is."""
    places = [
        (x, y) for x in (8, MONITOR_WIDTH - 8, MONITOR_WIDTH + 8, 2 * MONITOR_WIDTH - 8) for y in (8, 750)
    ]
    return {"#{:02X}{:02X}{:02X}".format(*desktop.screen.colour(*place)) for place in places}


def test_it_covers_both_monitors_above_a_full_screen_program_until_it_is_closed_on_purpose(
    two_monitors: VirtualDesktop,
    told_to_leave: RunningServer,
    company: SampleCompany,
    code: str,
    tmp_path: Path,
) -> None:
    desktop, screen, notes = two_monitors, two_monitors.screen, tmp_path / "notes.txt"
    desktop.start([sys.executable, NOTES, notes, "Minutes", "full-screen"], "notes")
    screen.focus(screen.window("^Minutes$"))
    screen.type("before")
    employee = Employee(desktop, tmp_path / "pictures")
    with AgentProcess(desktop.env, tmp_path) as agent:
        agent.enrol(told_to_leave.url, code)
        agent.choose(FeedbackSignal.SEEN)
        agent.start("run", "--minimized")
        employee.sees(TITLE)
        until(lambda: colours(desktop) == {PAPER}, "both monitors to be covered")
        employee.takes_picture("emergency")

        until(lambda: "enabled" in employee.sees("Close", BUTTON).states, "it to take the keyboard")
        screen.key("Escape", "Return", "space", "alt+F4")
        screen.click(MONITOR_WIDTH + 40, 700)
        screen.click(40, 700)
        employee.sees_no("Yes, close it", BUTTON, seconds=0)
        assert colours(desktop) == {PAPER}

        screen.take_away("monitor-1")
        until(lambda: covers(desktop) == [0], "no cover where no monitor is")
        screen.plug_in(1, 2)
        until(lambda: covers(desktop) == [0, MONITOR_WIDTH], "the monitor that came to be covered")
        until(lambda: colours(desktop) == {PAPER}, "both to show it")

        employee.presses("Close", BUTTON)
        employee.presses("Yes, close it", BUTTON)
        until(lambda: PAPER not in colours(desktop), "the screens to be free")
        screen.type("after")
        until(lambda: notes.read_text() == "beforeafter", "the keyboard to be back where it was")
        until(lambda: [row["signal"] for row in company.stored()] == ["seen"], "*seen*")
    assert TRACEBACK not in agent.logs()


def test_it_stands_before_no_lock_also_when_a_monitor_comes_and_is_back_when_the_person_is(
    two_monitors: VirtualDesktop, told_to_leave: RunningServer, code: str, tmp_path: Path
) -> None:
    desktop, screen = two_monitors, two_monitors.screen
    screen.take_away("monitor-1")
    with AgentProcess(desktop.env, tmp_path) as agent:
        agent.enrol(told_to_leave.url, code)
        agent.choose()
        agent.start("run", "--minimized")
        until(lambda: covers(desktop) == [0], "the monitor to be covered")
        locker = desktop.start(["i3lock", "--nofork", "--color", LOCKED.removeprefix("#")], "i3lock")
        screen.window(wm_class="i3lock")
        screen.plug_in(1, 2)
        until(lambda: covers(desktop) == [], "it to leave the locked screen")
        assert colours(desktop) == {LOCKED}
        locker.stop()
        until(lambda: covers(desktop) == [0, MONITOR_WIDTH], "it to be back")
        until(lambda: colours(desktop) == {PAPER}, "both monitors to be covered")
    assert TRACEBACK not in agent.logs()

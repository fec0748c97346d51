"""The same agent on different desktops: two window managers, two kinds of tray, none at all, two monitors."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import EMPLOYEE
from tests.support.agent.processes import TRACEBACK, AgentProcess
from tests.support.desktop.employee import Employee
from tests.support.desktop.screen import Window
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.ports import free_port
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until

VPN = "VPN restarts at 18:00 tonight"
POPUP = "^Tidings$"
INBOX = "^Inbox"
PATIENCE_S = 30.0
MONITOR_WIDTH = 683


@pytest.fixture(scope="module")
def announcing(
    made_company: SampleCompany, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SampleCompany]:
    """A company that has published one urgent announcement; its server runs."""
    folder = tmp_path_factory.mktemp("announcing") / "server"
    shutil.copytree(made_company.home.folder, folder)
    company = SampleCompany(folder, free_port())
    company.publish("vpn")
    with company.serving():
        yield company


@contextmanager
def at_work(company: SampleCompany, desktop: VirtualDesktop, folder: Path) -> Iterator[AgentProcess]:
    """The agent of somebody who shares nothing, started as at login."""
    with AgentProcess(desktop.env, folder) as agent:
        agent.enrol(company.url, company.home.invite(EMPLOYEE))
        agent.choose()
        agent.start("run", "--minimized")
        yield agent
    assert TRACEBACK not in agent.logs()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(DesktopOptions(accessibility=True), id="xfwm4 and StatusNotifier"),
        pytest.param(
            DesktopOptions(accessibility=True, window_manager="openbox", panel="trayer"),
            id="openbox and XEmbed",
        ),
    ],
)
def test_the_pop_up_comes_and_the_tray_leads_to_the_inbox_by_keyboard(
    options: DesktopOptions, announcing: SampleCompany, tmp_path: Path
) -> None:
    with VirtualDesktop(options) as desktop, at_work(announcing, desktop, tmp_path):
        employee = Employee(desktop, tmp_path / "pictures")
        employee.sees(VPN, seconds=PATIENCE_S)
        assert desktop.screen.active_window() is None, "nothing may take the keyboard"
        (pop_up,) = desktop.screen.windows(POPUP)
        assert "SKIP_TASKBAR" in desktop.screen.states(pop_up), "a pop-up is no open window"
        _, top_of_panel, _, _ = desktop.tray_icon()
        assert pop_up.y + pop_up.height <= top_of_panel, "a pop-up lies over no icon of the panel"
        before = window_ids(desktop)
        employee.clicks_tray_icon("right")
        until(lambda: window_ids(desktop) - before, "the menu")
        employee.takes_picture("pop-up and menu")
        desktop.screen.key("Down", "Return")
        inbox = desktop.screen.window(INBOX)
        until(lambda: is_active(desktop, inbox), "the inbox to have the keyboard")


def test_without_a_tray_a_window_opens_and_starting_again_raises_it(
    announcing: SampleCompany, tmp_path: Path
) -> None:
    options = DesktopOptions(window_manager="openbox", panel="none")
    with VirtualDesktop(options) as desktop, at_work(announcing, desktop, tmp_path) as agent:
        inbox = desktop.screen.window(INBOX, seconds=PATIENCE_S)
        assert not is_active(desktop, inbox), "nobody asked for it: it may not take the keyboard"
        agent.run("run")
        until(lambda: is_active(desktop, inbox), "the inbox to have the keyboard")


def test_the_pop_up_comes_where_the_person_is_and_moves_when_that_monitor_is_taken_away(
    announcing: SampleCompany, tmp_path: Path
) -> None:
    options = DesktopOptions(window_manager="openbox", panel="none", monitors=2)
    with VirtualDesktop(options) as desktop:
        desktop.screen.move(1000, 300)
        with at_work(announcing, desktop, tmp_path):
            until(lambda: left_and_right(desktop)[0] >= MONITOR_WIDTH, "a pop-up on the right", PATIENCE_S)
            assert left_and_right(desktop)[1] <= 2 * MONITOR_WIDTH
            desktop.screen.move(300, 300)
            desktop.screen.take_away("monitor-1")
            until(
                lambda: left_and_right(desktop)[1] <= MONITOR_WIDTH, "the pop-up on the monitor that is left"
            )


def window_ids(desktop: VirtualDesktop) -> set[int]:
    return {window.id for window in desktop.screen.windows()}


def left_and_right(desktop: VirtualDesktop) -> tuple[int, int]:
    """The edges of the pop-up; of nothing before it is there."""
    found = desktop.screen.windows(POPUP)
    return (found[-1].x, found[-1].x + found[-1].width) if found else (-1, 10_000)


def is_active(desktop: VirtualDesktop, window: Window) -> bool:
    active = desktop.screen.active_window()
    return active is not None and active.id == window.id

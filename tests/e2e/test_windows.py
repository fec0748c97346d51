"""The main job with everything real: server, desktop, keychain, windows, mouse and keyboard."""

from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from tests.e2e.conftest import EMPLOYEE
from tests.support.agent.processes import ASK_AGAIN_S, AgentProcess
from tests.support.desktop.employee import Employee
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.proxy import FaultyProxy, busy
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until

VIDEO = "The new Lyon studio opens on Monday"
Stored = list[tuple[object, ...]]


@pytest.fixture
def employee(desktop: VirtualDesktop, tmp_path: Path) -> Employee:
    return Employee(desktop, tmp_path / "pictures")


@pytest.fixture
def connected(server: RunningServer, agent: AgentProcess, code: str) -> AgentProcess:
    """The agent, connected as the employee, who has chosen to share nothing."""
    agent.enrol(server.url, code)
    agent.choose()
    return agent


def stored(company: SampleCompany) -> Stored:
    return [(row["signal"], row["campaign_id"], row["link_id"], row["value"]) for row in company.stored()]


def nothing_waits(agent: AgentProcess) -> bool:
    return bool(agent.status()["status"]["waiting"] == 0)


def test_the_icon_is_in_the_panel_and_opens_the_inbox(
    company: SampleCompany, connected: AgentProcess, desktop: VirtualDesktop, employee: Employee
) -> None:
    company.publish("canteen")
    connected.start("run")
    desktop.tray_icon()
    assert desktop.bus is not None
    (item,) = until(desktop.bus.tray_items, "the icon on the bus")
    assert "Tidings" in item["ToolTip"][2]
    until(lambda: connected.status()["status"]["unread"] == 1, "the announcement", every=ASK_AGAIN_S)
    employee.clicks_tray_icon()
    employee.sees(".*Canteen closes early on Friday.*", "list item")


@pytest.mark.parametrize("on", [(FeedbackSignal.CLICK,), (FeedbackSignal.SEEN, FeedbackSignal.LIKE)])
def test_only_what_is_switched_on_arrives(
    on: tuple[FeedbackSignal, ...], company: SampleCompany, connected: AgentProcess, employee: Employee
) -> None:
    connected.choose(*on)
    video = company.publish("lyon-studio")
    connected.start("run")
    employee.sees(VIDEO)
    employee.presses("Like")
    employee.sees("Liked")
    employee.stays_seen()
    employee.presses("Read more")
    expected = {
        FeedbackSignal.SEEN: ("seen", video, "", None),
        FeedbackSignal.LIKE: ("like", video, "", 1),
        FeedbackSignal.CLICK: ("click", video, "l1", None),
    }
    wanted = {expected[signal] for signal in on}
    until(lambda: set(stored(company)) >= wanted, "the signals that are on")
    until(lambda: nothing_waits(connected), "the agent to have sent all", every=ASK_AGAIN_S)
    assert set(stored(company)) == wanted
    assert len(stored(company)) == len(wanted)


def test_a_second_start_raises_the_inbox_of_the_first(connected: AgentProcess, employee: Employee) -> None:
    connected.start("run")
    until(lambda: "Start, 2 of 5" in connected.logs(), "the first to hold the lock")
    connected.run("run")
    employee.sees("Inbox.*", "frame|window|filler")
    assert connected.child is not None
    assert connected.child.running


def test_a_recalled_announcement_leaves_the_screen(
    company: SampleCompany, connected: AgentProcess, desktop: VirtualDesktop, employee: Employee
) -> None:
    note = company.publish("vpn")
    connected.start("run")
    employee.sees("VPN restarts at 18:00 tonight")
    company.home.succeed("campaign", "recall", note)
    desktop.screen.gone("^Tidings$")


def test_a_revoked_computer_says_so_in_the_tray(
    company: SampleCompany, connected: AgentProcess, desktop: VirtualDesktop
) -> None:
    def tooltip() -> str:
        assert desktop.bus is not None
        return "".join(item["ToolTip"][2] + item["ToolTip"][3] for item in desktop.bus.tray_items())

    connected.start("run")
    until(lambda: "Connected" in tooltip(), "the tray to say that it is connected")
    company.home.succeed("device", "revoke", EMPLOYEE)
    until(lambda: "No longer connected" in tooltip(), "the tray to say so")


def test_a_click_survives_a_power_cut_before_it_is_sent(
    company: SampleCompany,
    proxy: FaultyProxy,
    agent: AgentProcess,
    code: str,
    desktop: VirtualDesktop,
    employee: Employee,
) -> None:
    agent.enrol(proxy.url, code)
    agent.choose(FeedbackSignal.CLICK)
    video = company.publish("lyon-studio")
    proxy.fail(busy(503, 1), "POST /api/v1/signals")
    agent.start("run")
    employee.sees(VIDEO)
    employee.presses("Read more")
    until(lambda: desktop.opened_links.exists(), "the browser")
    agent.kill()
    assert stored(company) == []
    proxy.heal()
    agent.start("run")
    until(lambda: stored(company) == [("click", video, "l1", None)], "the click")

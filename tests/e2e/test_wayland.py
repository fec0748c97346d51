"""Wayland without XWayland: no window may place itself and there is no tray, so the desktop's own notifications stand in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.model import Signal
from tests.support.accessible import Accessibility
from tests.support.campaign_server import RunningServer
from tests.support.processes import TRACEBACK, AgentProcess
from tests.support.sample import SampleCompany
from tests.support.waiting import until
from tests.support.wayland_desktop import WaylandDesktop

VPN = "VPN restarts at 18:00 tonight"
PATIENCE_S = 30.0


@pytest.fixture
def wayland() -> Iterator[WaylandDesktop]:
    with WaylandDesktop(accessibility=True) as running:
        yield running


@pytest.fixture
def wayland_without_notifications() -> Iterator[WaylandDesktop]:
    with WaylandDesktop("none") as running:
        yield running


def started(
    desktop: WaylandDesktop, server: RunningServer, code: str, folder: Path, *on: Signal
) -> AgentProcess:
    agent = AgentProcess(desktop.env, folder)
    agent.enrol(server.url, code)
    agent.choose(*on)
    agent.start("run", "--minimized")
    return agent


def acts(company: SampleCompany) -> set[object]:
    return {row["signal"] for row in company.stored()}


def test_a_notification_of_the_desktop_announces_and_a_click_on_it_opens_the_inbox(
    wayland: WaylandDesktop,
    company: SampleCompany,
    server: RunningServer,
    code: str,
    tmp_path: Path,
) -> None:
    empty = wayland.image()
    company.publish("vpn")
    with started(wayland, server, code, tmp_path, Signal.SEEN, Signal.CLICK) as agent:
        until(lambda: wayland.notifications_shown() == 1, "the notification", PATIENCE_S)
        until(lambda: wayland.image() != empty, "the notification on the screen")
        wayland.screenshot(tmp_path / "pictures" / "notification.png")
        assert wayland.windows() == []
        wayland.presses_notification()
        until(lambda: "Inbox" in wayland.focused_window(), "the inbox in front")
        assert wayland.bus is not None
        reader = Accessibility(wayland.bus)
        reader.wait_for(f".*{VPN}.*", "label", within="Inbox.*")
        until(lambda: agent.status()["status"]["unread"] == 0, "it to count as read")
        until(lambda: wayland.notifications_shown() == 0, "the notification to go")
        wayland.screenshot(tmp_path / "pictures" / "inbox.png")
    assert acts(company) == set(), "nobody knows whether a notification was seen"
    assert TRACEBACK not in agent.logs()


def test_without_a_notification_server_the_inbox_opens(
    wayland_without_notifications: WaylandDesktop,
    company: SampleCompany,
    server: RunningServer,
    code: str,
    tmp_path: Path,
) -> None:
    desktop = wayland_without_notifications
    company.publish("vpn")
    with started(desktop, server, code, tmp_path) as agent:
        until(lambda: any("Inbox" in title for title in desktop.windows()), "the inbox", PATIENCE_S)
        assert agent.status()["status"]["unread"] == 1
    assert TRACEBACK not in agent.logs()

"""Wayland without XWayland: no window may place itself and there is no tray, so the desktop's own notifications stand in."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from tests.support.agent.processes import TRACEBACK, AgentProcess
from tests.support.desktop.accessible import Accessibility
from tests.support.desktop.wayland_desktop import WaylandDesktop
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until
from ui.style.theme import Scheme, Theme

NOTES = Path(__file__).parents[1] / "support" / "desktop" / "notes.py"
EMERGENCIES = ("Leave the building by the east stairs", "Do not drink the tap water")
EMERGENCY = """
sender = "Site security"
urgency = "emergency"
starts = {starts}
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "{title}"
body = "Wait for news."
"""
BUTTON = "push button|button"
PAPER = Theme.of(Scheme.LIGHT).paper.upper()
VPN = "VPN restarts at 18:00 tonight"


@pytest.fixture
def wayland() -> Iterator[WaylandDesktop]:
    with WaylandDesktop(accessibility=True) as running:
        yield running


@pytest.fixture
def wayland_without_notifications() -> Iterator[WaylandDesktop]:
    with WaylandDesktop("none") as running:
        yield running


def started(
    desktop: WaylandDesktop, server: RunningServer, code: str, folder: Path, *on: FeedbackSignal
) -> AgentProcess:
    agent = AgentProcess(desktop.env, folder)
    agent.enrol(server.url, code)
    agent.choose(*on)
    agent.start("run", "--minimized")
    return agent


@pytest.fixture
def three_monitors() -> Iterator[WaylandDesktop]:
    """Two that are there, and room for a third."""
    with WaylandDesktop("none", accessibility=True, monitors=[(1024, 700), (800, 600)]) as running:
        yield running


def publishes_emergency(company: SampleCompany, folder: Path, title: str, starts: datetime) -> None:
    file = folder / "emergency.toml"
    file.write_text(EMERGENCY.format(title=title, starts=starts.isoformat(timespec="seconds")))
    company.home.succeed("campaign", "publish", file, "--reason", title)


def is_covered(desktop: WaylandDesktop) -> bool:
    """Whether each monitor shows one of our windows over all of it, and nothing else."""
    windows = [(each.title, each.full_screen, each.box) for each in desktop.shown()]
    return sorted(windows) == sorted(("Tidings", True, box) for box in desktop.monitors().values())


def corners(desktop: WaylandDesktop) -> set[str]:
    """The colours in the corners of all monitors."""
    picture = desktop.image()
    places = [
        (x, y)
        for left, top, right, bottom in desktop.monitors().values()
        for x in (left + 4, right - 5)
        for y in (top + 4, bottom - 5)
    ]
    return {"#{:02X}{:02X}{:02X}".format(*picture.crop((x, y, x + 1, y + 1)).tobytes()) for x, y in places}


def closes_by_keyboard(desktop: WaylandDesktop, reader: Accessibility) -> None:
    """Goes from control to control up to the one that closes, and confirms."""
    for name in ("Close", "Yes, close it"):

        def reached(name: str = name) -> bool:
            found = reader.find(name, BUTTON)
            if found and "focused" in found[0].states:
                return "enabled" in found[0].states
            desktop.key("Tab")
            return False

        until(reached, f"the keyboard to come to {name!r}", every=0.2)
        desktop.key("Return")


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
    with started(wayland, server, code, tmp_path, FeedbackSignal.SEEN, FeedbackSignal.CLICK) as agent:
        until(lambda: wayland.notifications_shown() == 1, "the notification")
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
        until(lambda: any("Inbox" in title for title in desktop.windows()), "the inbox")
        assert agent.status()["status"]["unread"] == 1
    assert TRACEBACK not in agent.logs()


def test_an_emergency_covers_every_monitor_while_they_come_and_go_and_the_keyboard_can_close_it(
    three_monitors: WaylandDesktop,
    company: SampleCompany,
    server: RunningServer,
    code: str,
    tmp_path: Path,
) -> None:
    desktop = three_monitors
    assert desktop.bus is not None
    reader = Accessibility(desktop.bus)
    desktop.start([sys.executable, NOTES, tmp_path / "notes", "Minutes"], "notes")
    until(lambda: desktop.focused_window() == "Minutes", "the window that is written in")
    for minutes, title in enumerate(reversed(EMERGENCIES), 1):  # the first began first
        publishes_emergency(company, tmp_path, title, datetime.now(UTC) - timedelta(minutes=minutes))
    with started(desktop, server, code, tmp_path) as agent:
        until(lambda: is_covered(desktop), "both monitors to be covered")
        until(lambda: corners(desktop) == {PAPER}, "nothing but our ground")
        reader.wait_for(EMERGENCIES[0], "label")
        until(lambda: "enabled" in reader.wait_for("Close", BUTTON).states, "the first step to be possible")
        desktop.key("Escape", "Return", "space")
        desktop.asks_to_close("Tidings")
        reader.wait_for("Close", BUTTON)
        assert is_covered(desktop), "closed by accident"
        desktop.screenshot(tmp_path / "pictures" / "emergency.png")

        third = desktop.plug_in()
        until(lambda: is_covered(desktop), "the third monitor to be covered")
        for gone in sorted(set(desktop.monitors()) - {third}):
            desktop.unplug(gone)
            until(lambda: is_covered(desktop), "the others to stay covered")
            reader.wait_for(EMERGENCIES[0], "label")
        desktop.screenshot(tmp_path / "pictures" / "emergency-one-left.png")

        closes_by_keyboard(desktop, reader)
        reader.wait_for(EMERGENCIES[1], "label")
        assert is_covered(desktop)
    assert TRACEBACK not in agent.logs()

"""After an absence: one page for all that was missed, and never again the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.domain import limits
from agent.domain.model import FeedbackSignal
from tests.support.agent.processes import AgentProcess
from tests.support.desktop.employee import Employee
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany

MISSED = ("The car park", "The new lamps", "The bicycle day", "The summer hours")
PAGE = f"While you were away: {len(MISSED)} announcements"
CAMPAIGN = """
sender = "Facilities"
default_language = "en"
starts = {starts}
[audience]
everyone = true
[variants.en]
title = "{title}"
body = "All about it."
"""


@pytest.fixture
def employee(desktop: VirtualDesktop, tmp_path: Path) -> Employee:
    return Employee(desktop, tmp_path / "pictures")


@pytest.fixture
def back_from_holiday(
    company: SampleCompany, server: RunningServer, agent: AgentProcess, code: str, tmp_path: Path
) -> AgentProcess:
    """An agent, not yet running, whose person shares everything and has missed some announcements."""
    agent.enrol(server.url, code)
    agent.choose(*FeedbackSignal)
    long_ago = datetime.now(UTC) - timedelta(seconds=2 * limits.DIGEST_AFTER_S)
    files = []
    for number, title in enumerate(MISSED):
        files.append(tmp_path / f"{number}.toml")
        starts = (long_ago + timedelta(minutes=number)).isoformat(timespec="seconds")
        files[-1].write_text(CAMPAIGN.format(starts=starts, title=title))
    company.home.succeed("campaign", "publish", *files)
    return agent


def test_what_was_missed_comes_as_one_page_leads_to_the_inbox_and_does_not_come_again(
    company: SampleCompany, back_from_holiday: AgentProcess, employee: Employee, desktop: VirtualDesktop
) -> None:
    agent = back_from_holiday
    agent.start("run")
    employee.sees(PAGE)
    for title in MISSED:
        employee.sees(title)
    employee.presses(MISSED[0])
    employee.sees("Inbox.*", "frame|window|filler")
    employee.sees_no(PAGE)
    agent.stop()
    desktop.tray_is_empty()

    agent.start("run")
    employee.clicks_tray_icon()
    employee.sees("Inbox.*", "frame|window|filler")
    employee.stays_seen()
    employee.sees_no(PAGE, seconds=0)
    assert agent.status()["status"]["unread"] == len(MISSED) - 1, "what was only named stays unread"
    assert company.stored() == [], "a page that names many is no *seen* of any"

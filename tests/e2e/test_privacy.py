"""What a person does with what they shared, with everything real: server, desktop, windows, mouse."""

import re
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from tests.support.agent.processes import AgentProcess
from tests.support.desktop.employee import PRESSES_COUNT_AFTER_S, Employee
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until

VIDEO = "The new Lyon studio opens on Monday"


@pytest.fixture
def employee(desktop: VirtualDesktop, tmp_path: Path) -> Employee:
    return Employee(desktop, tmp_path / "pictures")


def stored(company: SampleCompany) -> list[str]:
    return sorted(str(row["signal"]) for row in company.stored())


def test_a_person_sees_takes_back_checks_and_deletes_what_they_shared(
    company: SampleCompany,
    server: RunningServer,
    agent: AgentProcess,
    code: str,
    desktop: VirtualDesktop,
    employee: Employee,
) -> None:
    agent.enrol(server.url, code)
    agent.choose(FeedbackSignal.SEEN, FeedbackSignal.LIKE)
    company.publish("lyon-studio")
    agent.start("run")
    employee.sees(VIDEO)
    employee.presses("Like")
    employee.stays_seen()
    until(lambda: stored(company) == ["like", "seen"], "both signals at the server")
    employee.presses("Close")

    employee.clicks_tray_icon("right")
    employee.takes_picture("menu")
    # The panel draws the menu, and tells screen readers nothing: below "Open inbox" and "Pause pop-ups" is "Privacy".
    desktop.screen.key("Down", "Down", "Down", "Return")
    employee.sees("Privacy — .*", "frame|window|filler")
    employee.takes_picture("privacy")
    employee.presses("Seen", "check box")
    employee.sees(re.escape("Off. The server has deleted 1 entry."))
    assert stored(company) == ["like"]
    employee.takes_picture("seen-off")

    employee.presses("Verify with server")
    employee.sees("The server and this computer agree", "label")
    employee.sees("Both have 1 entry, with the same content..*")
    employee.takes_picture("verified")

    employee.presses("See the .*receipts?")
    employee.sees("Receipts", "frame|window|filler")
    employee.sees("Seen turned off", "label")
    employee.sees("The signature was checked: your company's server made this receipt.")
    employee.takes_picture("receipt")
    desktop.screen.key("Escape")
    employee.sees_no("Receipts", "frame|window|filler")

    employee.presses("Delete all I shared")
    employee.sees(re.escape("Delete all you shared?"), "frame|window|filler")
    employee.takes_picture("delete")
    employee.looks(PRESSES_COUNT_AFTER_S)
    desktop.screen.key("Tab", "Return")
    employee.sees("All you shared is deleted", "label")
    employee.takes_picture("deleted")
    assert stored(company) == []

"""“Show it on my computer” with everything real: the author sees it, marked, and whatever they do nobody hears of it."""

from pathlib import Path

from agent.domain.model import FeedbackSignal
from tests.e2e.conftest import EMPLOYEE
from tests.support.agent.processes import AgentProcess
from tests.support.desktop.employee import Employee
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.server.campaign_server import RunningServer
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.sample import SampleCompany

TITLE = "The studio opens on Monday"


def show(company: SampleCompany) -> str:
    """Write an announcement and have it shown, as its author does on the page of the check. Answers the draft's id."""
    with company.home.opened(), console_settings():
        from server.access.roles import Role
        from server.drafts.fields import new_fields
        from server.drafts.models import Draft
        from server.drafts.publication import seal_of
        from server.drafts.writing import Change, begin, change

        author = account_of(EMPLOYEE, Role.COMMUNICATOR)
        draft = begin(author, "en")
        fields = new_fields("en") | {"sender": "Internal news", "acknowledge": True}
        fields["variants"]["en"] |= {"title": TITLE, "body": "Come and see."}
        change(draft, author, draft.revision, Change(fields, everyone=True))
        draft = Draft.objects.get(pk=draft.pk)
        address = f"/drafts/{draft.draft_id}"
        answer = client_of(author).post(f"{address}/show", {"seal": seal_of(draft)})
        assert answer.headers.get("Location") == f"{address}/check", answer.content.decode()
        return draft.draft_id


def delete(company: SampleCompany, draft_id: str) -> None:
    with company.home.opened():
        from server.drafts import writing
        from server.drafts.models import Draft

        draft = Draft.objects.get(draft_id=draft_id)
        writing.delete(draft, draft.revision)


def test_the_author_sees_a_test_marked_as_one_and_nothing_of_it_arrives(
    company: SampleCompany,
    server: RunningServer,
    agent: AgentProcess,
    code: str,
    desktop: VirtualDesktop,
    tmp_path: Path,
) -> None:
    employee = Employee(desktop, tmp_path / "pictures")
    agent.enrol(server.url, code)
    agent.choose(*FeedbackSignal)
    agent.start("run")
    draft_id = show(company)
    employee.sees(f"Test: {TITLE}")
    employee.sees("A test: nothing is reported")
    employee.stays_seen()
    employee.takes_picture("test-on-screen")
    employee.presses("I have read this")
    employee.presses("Confirm")
    employee.sees("You confirmed on .*")
    assert agent.status()["status"]["waiting"] == 0
    employee.clicks_tray_icon()
    employee.sees(f".*{TITLE}, Test · Internal news.*", "list item")
    employee.takes_picture("test-in-inbox")
    delete(company, draft_id)
    employee.sees_no(f".*{TITLE}.*")
    assert company.stored() == []
    with company.home.opened():
        from server.acknowledgements.models import Acknowledgement
        from server.campaigns.models import Campaign

        assert not Acknowledgement.objects.exists()
        assert not Campaign.objects.exists()

"""What people do most takes few clicks. Typing is not counted, nor is the way into a field."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page

from tests.support.server import (
    bulk_data,
    django_ready,  # noqa: F401
)
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    RunningConsole,
    account_of,
    client_of,
    console_settings,
    running_console,
)
from tests.support.waiting import PATIENCE_S

SESSION = "tidings-session"


class Hand:
    """A person at the start page, and how often they have pressed something."""

    def __init__(self, browser: Browser, console: RunningConsole, session: str) -> None:
        context = browser.new_context(locale="en-GB")
        context.add_cookies([{"name": SESSION, "value": session, "url": console.url}])
        self._console = console
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.clicks = 0

    def goes_to(self, path: str) -> None:
        """Begin another task there."""
        self.page.goto(f"{self._console.url}{path}")
        self.clicks = 0

    def presses(self, name: str, role: str = "button") -> None:
        """One click on what is called so."""
        self._click(self.page.get_by_role(role, name=name).first)  # type: ignore[arg-type]

    def ticks(self, label: str) -> None:
        """One click on a box."""
        self._click(self.page.get_by_label(label))

    def types(self, label: str, text: str) -> None:
        """Into a field."""
        self.page.get_by_label(label).first.fill(text)

    def _click(self, place: Locator) -> None:
        place.click()
        self.clicks += 1


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningConsole, dict[str, str]]]:
    """A company that wants two people from eight on, and the sessions of some of its accounts."""
    home = ServerHome(tmp_path_factory.mktemp("clicks"))
    home.init()
    with running_console(home) as running:
        yield running, _fill(home)


def _fill(home: ServerHome) -> dict[str, str]:
    from server.access.roles import Role
    from server.data_subject.models import CorrectionRequest
    from server.directory.models import Company

    now = datetime.now(UTC).replace(microsecond=0)
    with home.opened(), console_settings():
        people = bulk_data.add_people(12, "Lyon")
        bulk_data.add_people(7, "Paris")
        bulk_data.publish("c-month", starts=now - timedelta(hours=1), groups=["Paris"])
        CorrectionRequest.objects.create(person=people[0], field="title", value="Head", requested_at=now)
        bulk_data.add_computers([bulk_data.company().people.create(email="lea@northwind.example")])
        accounts = {
            "author": account_of("lea@northwind.example", Role.COMMUNICATOR),
            "approver": account_of("noor@northwind.example", Role.APPROVER),
            "administrator": account_of("ines@northwind.example", Role.ADMINISTRATOR),
        }
        Company.objects.update(second_person_from=8)
        return {name: str(client_of(account).cookies[SESSION].value) for name, account in accounts.items()}


def test_what_people_do_most_takes_few_clicks(
    console: tuple[RunningConsole, dict[str, str]], browser: Browser
) -> None:
    running, sessions = console
    author, approver, administrator = (
        Hand(browser, running, sessions[name]) for name in ("author", "approver", "administrator")
    )
    taken = {}

    def write(title: str, group: str) -> None:
        author.goes_to("/")
        author.presses("Write an announcement")
        author.types("Title", title)
        author.types("Add a group", group)
        author.types("Sender", "News")
        author.presses("Check")

    write("Coffee in Paris", "Paris")
    author.presses("Publish to 7 people")
    taken["publish a text to one group"] = author.clicks
    author.clicks = 0
    author.presses("Recall", "link")
    author.presses("Recall for 7 people")
    taken["recall"] = author.clicks
    assert "recalled" in author.page.inner_text("main")

    write("Coffee in Lyon", "Lyon")
    on_own_computer = author.clicks
    author.presses("Show it on my computer")
    taken["see it on one's own computer, from the check"] = author.clicks - on_own_computer
    author.clicks -= 1
    author.presses("Submit for 12 people")
    taken["submit for approval"] = author.clicks
    approver.goes_to("/")
    approver.presses("Coffee in Lyon", "link")
    approver.ticks("12 people shall get it")
    approver.presses("Approve and publish")
    taken["approve"] = approver.clicks
    assert "Coffee in Lyon" in approver.page.inner_text("h1")

    author.goes_to("/campaigns")
    author.presses("About c-month", "link")
    author.presses("Duplicate")
    author.types("Sender", "News")
    author.presses("Check")
    taken["repeat last month's, from the list"] = author.clicks
    author.page.get_by_role("button", name="Publish to 7 people").wait_for()

    administrator.goes_to("/")
    administrator.presses("1 person wants their details corrected", "link")
    administrator.presses("Accept")
    taken["answer a correction"] = administrator.clicks

    administrator.goes_to("/people")
    administrator.presses("Bring people in…", "link")
    rows: FilePayload = {
        "name": "people.csv",
        "mimeType": "text/csv",
        "buffer": b"email,first_name\nnew@northwind.example,New\n",
    }
    administrator.page.get_by_label("File (CSV)").set_input_files(rows)
    administrator.clicks += 1
    administrator.presses("Look at the difference")
    administrator.presses("Store it: 1 new, 0 changed")
    administrator.page.get_by_text("1 added").wait_for()
    taken["bring people in, from the list of people"] = administrator.clicks

    most = {
        "publish a text to one group": 5,
        "recall": 2,
        "see it on one's own computer, from the check": 1,
        "submit for approval": 4,
        "approve": 3,
        "repeat last month's, from the list": 3,
        "answer a correction": 2,
        "bring people in, from the list of people": 4,
    }
    assert taken.keys() == most.keys()
    assert {task: clicks for task, clicks in taken.items() if clicks > most[task]} == {}

"""Each task of the console with the keyboard alone: what Tab reaches is seen, and nothing is done by a pointer."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, FilePayload, Page, TimeoutError

from resources.sample.drawing import gradient
from tests.support.server import (
    bulk_data,
    django_ready,  # noqa: F401
)
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    PASSWORD,
    RunningConsole,
    account_of,
    client_of,
    code,
    console_settings,
    running_console,
    secret_of,
)
from tests.support.waiting import PATIENCE_S

SESSION = "tidings-session"
MOST_STOPS = 150
CHOOSER_MS = 10_000
STOP = """() => {
    const one = document.activeElement
    if (!one || one === document.body) return null
    const label = one.labels && one.labels.length ? one.labels[0].innerText : ""
    const name = one.getAttribute("aria-label") || label || one.innerText || one.value || one.tagName
    const style = getComputedStyle(one), box = one.getBoundingClientRect()
    const isInside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
    const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
    return [name.trim(), isInside && isMarked]
}"""
"""What has the focus: its name, and whether anybody sees that."""


@dataclass
class Person:
    """An account whose session is open, and the secret of its second factor."""

    session: str
    secret: str


class Keyboard:
    """Somebody without a pointer. What they came by and could not see is in `unseen`."""

    def __init__(self, browser: Browser, console: RunningConsole, person: Person) -> None:
        context = browser.new_context(locale="en-GB")
        context.add_cookies([{"name": SESSION, "value": person.session, "url": console.url}])
        self._url, self._secret = console.url, person.secret
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.unseen: set[str] = set()

    def at(self, path: str) -> None:
        """Begin a task there."""
        self.page.goto(f"{self._url}{path}")

    def to(self, name: str) -> None:
        """Press Tab until what is called so has the focus."""
        came_by = []
        for _number in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(STOP)
            if stop is None:
                continue
            came_by.append(stop[0])
            if not stop[1]:
                self.unseen.add(stop[0])
            if stop[0].startswith(name):
                return
        raise AssertionError(f"no key leads to “{name}” on {self.page.url}, but to {came_by}")

    def presses(self, name: str) -> None:
        """A button or a link, after which there is another page."""
        self.to(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def ticks(self, name: str) -> None:
        """A box, or the first of several choices."""
        self.to(name)
        self.page.keyboard.press("Space")

    def goes_to(self, name: str, where: str) -> None:
        """What is called so, which leads to an address."""
        self.presses(name)
        assert re.search(where, self.page.url), self.page.url

    def types(self, name: str, text: str) -> None:
        """Into a field."""
        self.to(name)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def chooses(self, name: str, file: Path | FilePayload) -> None:
        """A file. Once, on a busy machine, the browser told nothing of its dialog: then the key is pressed again."""
        self.to(name)
        for is_last in (False, False, True):
            try:
                with self.page.expect_file_chooser(timeout=CHOOSER_MS) as chooser:
                    self.page.keyboard.press("Enter")
            except TimeoutError:
                if is_last:
                    raise
                continue
            chooser.value.set_files(file)
            return

    def takes(self, name: str) -> str:
        """A file home. Answers its name."""
        self.to(name)
        with self.page.expect_download() as download:
            self.page.keyboard.press("Enter")
        return download.value.suggested_filename

    def confirms(self, steps: int = 0) -> None:
        """Show the second factor, as the page asks for it."""
        self.page.wait_for_url(re.compile("/account/confirm"))
        self.types("Code", code(self._secret, steps))
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        assert "/account/confirm" not in self.page.url

    def reads(self, text: str) -> None:
        """The page says so."""
        self.page.get_by_text(text).first.wait_for()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningConsole, dict[str, Person]]]:
    """A company that wants two people from five on, and some of its accounts."""
    home = ServerHome(tmp_path_factory.mktemp("keyboard"))
    home.init()
    with running_console(home, named=True) as running:
        yield running, _fill(home)


def _fill(home: ServerHome) -> dict[str, Person]:
    from server.access.roles import Role
    from server.console.settings import PASSWORD_HASHERS
    from server.directory.models import Company

    now = datetime.now(UTC).replace(microsecond=0)
    with home.opened(), console_settings():
        bulk_data.add_people(12, "Lyon")
        bulk_data.add_people(7, "Paris")
        bulk_data.publish("c-month", starts=now - timedelta(hours=1), groups=["Paris"])
        Company.objects.update(second_person_from=5)
        roles = (Role.COMMUNICATOR, Role.APPROVER, Role.ADMINISTRATOR, Role.DPO)
        accounts = {str(role): account_of(f"{role}@northwind.example", role) for role in roles}
        with override_settings(PASSWORD_HASHERS=PASSWORD_HASHERS):  # the console's own, which it runs with
            accounts["approver"].set_password(PASSWORD)
        accounts["approver"].save()
        return {
            name: Person(str(client_of(account).cookies[SESSION].value), secret_of(account))
            for name, account in accounts.items()
        }


@pytest.fixture
def somebody(
    console: tuple[RunningConsole, dict[str, Person]], browser: Browser
) -> Iterator[Callable[[str], Keyboard]]:
    """Who has this role, at a keyboard."""
    running, people = console
    there: list[Keyboard] = []

    def come(role: str) -> Keyboard:
        there.append(Keyboard(browser, running, people[role]))
        return there[-1]

    yield come
    unseen = {name for one in there for name in one.unseen}
    for one in there:
        one.page.context.close()
    assert unseen == set(), "each stop of Tab is marked, and on the screen"


def test_the_keyboard_alone_writes_approves_recalls_and_reads(
    somebody: Callable[[str], Keyboard],
) -> None:
    author, approver = somebody("communicator"), somebody("approver")
    author.at("/")
    author.goes_to("Write an announcement", "/drafts/[0-9a-f]{16}")
    author.types("Title", "Coffee in Paris")
    author.types("Text", "On Monday.")
    gradient(64, 48).save(buffer := BytesIO(), "PNG")
    picture: FilePayload = {"name": "Machine.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    author.chooses("Picture", picture)
    author.presses("Add the picture")
    author.types("What the picture shows", "The new machine")
    author.types("Button", "The plan")
    author.types("Opens", "https://intranet.northwind.example/plan")
    author.page.locator("#twin", has_text="The plan").wait_for()
    stop: Any = author.page.evaluate(STOP)
    assert stop[0] == "Opens", "what is saved meanwhile takes the focus from nobody"
    author.types("Add a group", "Paris")
    author.types("Sender", "News")
    author.goes_to("Check", "/check$")
    author.presses("Submit for 7 people")
    author.reads("waits for an approver")

    approver.at("/")
    approver.goes_to("Coffee in Paris", "/check$")
    approver.ticks("7 people shall get it")
    approver.goes_to("Approve and publish", "/campaigns/c-coffee")

    author.at("/campaigns")
    author.goes_to("Coffee in Paris", "/campaigns/c-coffee")
    assert author.takes("As CSV").endswith(".csv")
    author.goes_to("Recall", "/recall$")
    author.presses("Recall for 7 people")
    author.reads("recalled")


def test_the_keyboard_alone_administers_and_answers(somebody: Callable[[str], Keyboard]) -> None:
    administrator, officer = somebody("administrator"), somebody("dpo")
    administrator.at("/people")
    administrator.types("Name or address", "p3@")
    administrator.goes_to("Show", "find=")
    administrator.goes_to("P3", "/people/[0-9a-f-]{36}")
    administrator.presses("Make a code")
    administrator.page.locator("b.code").wait_for()

    administrator.at("/people")
    administrator.goes_to("Bring people in…", "/people/import$")
    rows: FilePayload = {
        "name": "people.csv",
        "mimeType": "text/csv",
        "buffer": b"email,first_name\nnew@northwind.example,New\n",
    }
    administrator.chooses("File (CSV)", rows)
    administrator.presses("Look at the difference")
    administrator.page.get_by_role("button", name="Store it: 1 new").wait_for()
    administrator.presses("Store it: 1 new")
    administrator.reads("1 added")

    administrator.at("/calendar")
    administrator.goes_to("Set the budget", "/calendar/budget$")
    administrator.types("Pop-ups per person and week", "4")
    administrator.goes_to("Set the budget", "/calendar$")

    administrator.at("/erasures")
    administrator.types("E-mail addresses", "p1@northwind.example")
    administrator.presses("Find them")
    administrator.goes_to("Ask for the erasure of 1 person", "/erasures/[0-9]+")

    officer.at("/access")
    officer.presses("Show that it is you, then decide")
    officer.confirms()
    officer.ticks("Keep")
    officer.presses("Carry out")
    officer.reads("Kept: 1.")
    officer.at("/")
    officer.goes_to("1 erasure was asked for", "/erasures$")
    officer.goes_to("1 person", "/erasures/[0-9]+")
    officer.ticks("Everything about 1 person")
    officer.goes_to("Erase 1 person", "/erasures$")

    officer.at("/notice")
    officer.goes_to("Write a new version", "/notice/new$")
    officer.types("Text in the language “en”", "Northwind tells you what is new. It counts nothing.")
    officer.presses("Look at what it does")
    officer.page.get_by_role("button", name="Propose this version").wait_for()
    officer.goes_to("Propose this version", "/notice/proposal$")
    administrator.at("/people/invitations")
    administrator.presses("Make codes, as a file")
    administrator.confirms()
    assert administrator.takes("Make codes, as a file").endswith(".csv")
    administrator.at("/notice/proposal")
    administrator.ticks("I have read it")
    administrator.goes_to("Put version 4 in force", "/notice$")


def test_the_keyboard_alone_looks_after_ones_own_account(somebody: Callable[[str], Keyboard]) -> None:
    approver = somebody("approver")
    protocol = approver.page.context.new_cdp_session(approver.page)
    protocol.send("WebAuthn.enable")
    device = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    device |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    approver.at("/account")
    approver.presses("Add a passkey")
    approver.confirms()
    approver.types("Name", "Work laptop")
    approver.presses("Make the passkey")
    approver.reads("The passkey is added")
    approver.goes_to("Change the password", "/account/password$")
    for label, text in (("Present", PASSWORD), ("New", PASSWORD[::-1]), ("The new", PASSWORD[::-1])):
        approver.types(label, text)
    approver.page.keyboard.press("Enter")
    approver.reads("Your password is changed.")

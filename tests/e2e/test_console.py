"""A person comes in by a link, sets a password and a second factor, looks around and signs out: in a real browser."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import PASSWORD, RunningConsole, code, running_console

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    home = ServerHome(tmp_path_factory.mktemp("console"))
    home.init()
    with running_console(home) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of its own, in which no page may break the policy or write an error."""
    context: BrowserContext = browser.new_context(locale="en-GB")
    opened = context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # That a page is an error says its text; that a part of it is missing is told below.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def note_missing(response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            complaints.append(f"{response.status} {response.url}")

    opened.on("console", note)
    opened.on("response", note_missing)
    yield opened
    context.close()
    assert complaints == []


def come_in(page: Page, link: str) -> str:
    """By a link to the recovery codes. Answers the secret of the second factor."""
    page.goto(link)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    secret = page.locator(".code").inner_text()
    page.get_by_label("The code that the app shows").fill(code(secret))
    page.get_by_role("button", name="Switch on").click()
    return secret


def test_from_the_link_to_the_sign_out_and_in_again(console: RunningConsole, page: Page) -> None:
    link = console.invite("lea@northwind.example", "communicator")
    secret = come_in(page, link)
    assert page.locator(".codes li").count() == 10
    page.get_by_role("link", name="I have kept them").click()
    assert page.title().startswith("Today")
    page.get_by_role("link", name="Campaigns").click()
    assert "Nothing has been published yet" in page.inner_text("main")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{console.url}/campaigns")
    page.get_by_label("E-mail address").fill("lea@northwind.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill(code(secret, 1))
    page.get_by_role("button", name="Sign in").click()
    assert page.url == f"{console.url}/campaigns"
    page.goto(link)
    assert "This link is used up" in page.inner_text("main")

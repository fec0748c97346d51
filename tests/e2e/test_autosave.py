"""What somebody types into a draft is not lost, in a real browser: without a network, a session, the draft, or scripts."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page

from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    PASSWORD,
    account_of,
    client_of,
    code,
    console_settings,
    running_console,
    secret_of,
)
from tests.support.waiting import until

SESSION = "tidings-session"
EMAIL = "lea@northwind.example"


@dataclass
class Writing:
    """A console, and the writer who works with it. `session`: of a colleague's browser or of another one of hers."""

    url: str
    session: str
    secret: str
    codes: Iterator[int]

    def context(self, browser: Browser, *, scripts: bool = True) -> BrowserContext:
        """A browser in which she is signed in."""
        context = browser.new_context(locale="en-GB", java_script_enabled=scripts)
        context.add_cookies([{"name": SESSION, "value": self.session, "url": self.url}])
        return context

    def sign_in(self, page: Page) -> None:
        """From the page that asks for the address and the password."""
        page.get_by_label("E-mail address").fill(EMAIL)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_label("Code").fill(code(self.secret, next(self.codes)))
        page.get_by_role("button", name="Sign in").click()


@pytest.fixture(scope="module")
def writing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writing]:
    home = ServerHome(tmp_path_factory.mktemp("console"))
    home.init()
    with home.opened(), console_settings():
        from django.test import override_settings

        from server.access.roles import Role
        from server.console.settings import PASSWORD_HASHERS

        lea = account_of(EMAIL, Role.COMMUNICATOR)
        with override_settings(PASSWORD_HASHERS=PASSWORD_HASHERS):
            lea.set_password(PASSWORD)  # as the console's process takes it
        lea.save()
        session, secret = str(client_of(lea).cookies[SESSION].value), secret_of(lea)
    with running_console(home) as running:
        yield Writing(running.url, session, secret, iter((0, 1)))


@pytest.fixture
def page(writing: Writing, browser: Browser) -> Iterator[Page]:
    """An empty draft."""
    context = writing.context(browser)
    yield begun(context.new_page(), writing)
    context.close()


def begun(page: Page, writing: Writing) -> Page:
    page.goto(f"{writing.url}/drafts")
    page.get_by_role("button", name="Write an announcement").first.click()
    page.wait_for_url("**/drafts/*")
    return page


def said_not_saved(page: Page, words: str) -> None:
    page.get_by_role("alert").filter(has_text=f"Not saved: {words}").wait_for()


def stored(writing: Writing, browser: Browser, address: str) -> str:
    """What a colleague's browser gets of the draft."""
    context = writing.context(browser)
    text = context.request.get(f"{address.split('?')[0]}/campaign.toml").text()
    context.close()
    return text


def test_what_is_typed_without_a_network_is_said_to_be_unsaved_and_sent_when_there_is_one(
    writing: Writing, browser: Browser, page: Page
) -> None:
    page.get_by_label("Title").fill("One")
    page.locator("#twin", has_text="One").wait_for()
    page.context.set_offline(True)
    page.get_by_label("Title").fill("One and two")
    said_not_saved(page, "the console does not answer")
    page.get_by_label("Text").fill("Three")
    page.get_by_role("button", name="Save").first.click()
    assert page.get_by_label("Text").input_value() == "Three", "no button leads to an error of the browser"
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.close(run_before_unload=True)
    until(lambda: page.title() and asked == ["beforeunload"], "the browser to ask")
    page.context.set_offline(False)
    page.locator("#twin", has_text="Three").wait_for()
    assert page.get_by_role("alert").count() == 0
    assert "One and two" in stored(writing, browser, page.url)


def test_who_leaves_within_a_second_loses_nothing(writing: Writing, browser: Browser, page: Page) -> None:
    address = page.url
    page.get_by_label("Title").fill("Typed and left")
    page.get_by_role("link", name="Campaigns").click()
    until(lambda: "Typed and left" in stored(writing, browser, address), "the page that was left to be saved")


def test_what_was_typed_after_a_session_ended_is_saved_after_the_next_sign_in(
    writing: Writing, browser: Browser, page: Page
) -> None:
    page.context.clear_cookies(name=SESSION)
    page.get_by_label("Title").fill("Typed while signed out")
    said_not_saved(page, "you are signed out")
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in in another window").click()
    writing.sign_in(opened.value)
    opened.value.get_by_role("heading", name="You are signed in").wait_for()
    opened.value.close()
    page.locator("#twin", has_text="Typed while signed out").wait_for()
    assert page.get_by_role("alert").count() == 0
    page.get_by_label("Text").fill("And on")
    page.get_by_role("button", name="Save").first.click()
    page.wait_for_url("**language=en")
    assert page.get_by_label("Text").input_value() == "And on"


def test_what_was_typed_into_a_draft_that_somebody_deleted_becomes_one_of_its_own(
    writing: Writing, browser: Browser, page: Page
) -> None:
    gone = page.url
    other = writing.context(browser).new_page()
    other.goto(f"{gone.split('?')[0]}/delete")
    other.get_by_role("button", name="Delete the draft").click()
    other.context.close()
    page.get_by_label("Title").fill("Hours of work")
    said_not_saved(page, "the draft was deleted")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("was deleted meanwhile").wait_for()
    assert page.url != gone
    assert page.get_by_label("Title").input_value() == "Hours of work"


def test_without_scripts_nothing_typed_is_lost_where_the_session_ended(
    writing: Writing, browser: Browser
) -> None:
    context = writing.context(browser, scripts=False)
    page = begun(context.new_page(), writing)
    context.clear_cookies(name=SESSION)
    page.get_by_label("Title").fill("Without scripts")
    page.get_by_role("button", name="Save").first.click()
    assert "You are signed out" in page.inner_text("h1")
    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in another window").click()
    writing.sign_in(opened.value)
    page.get_by_role("button", name="Save").click()
    assert "Press “Save”" in page.inner_text("main"), "the token of the form is another one by now"
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**language=en")
    assert page.get_by_label("Title").input_value() == "Without scripts"
    assert "Without scripts" in stored(writing, browser, page.url)
    context.close()

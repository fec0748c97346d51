"""The company's side of the demo, in a real browser: one writes an announcement, another one approves it, a third looks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import BrowserContext, Page

from tests.support.browsers import chromium
from tests.support.server.console import PASSWORD, RunningConsole, code, running_console
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until

ACCOUNTS = {
    "communicator": "tom.lang@northwind.example",
    "approver": "maya.stein@northwind.example",
    "dpo": "ines.costa@northwind.example",
}
"""Whom the demo lets in, by role."""
TEXTS = {
    "en": ("The meeting moves to room 2", "Today at four. There is coffee."),
    "fr": ("La réunion se tient en salle 2", "Aujourd’hui à seize heures. Il y a du café."),
}
"""The announcement that is written, by language: its title and its text."""
WINDOW_PX = {"width": 1440, "height": 960}


def links(console: RunningConsole) -> dict[str, str]:
    """A one-time sign-in link for each role."""
    return {role: console.invite(email, role) for role, email in ACCOUNTS.items()}


def _mail_about(mails: Path, draft: str) -> str:
    """The name of the mail that leads to this page, once there is one."""
    return next((file.name for file in mails.glob("*") if f"{draft}\n" in file.read_text()), "")


class ConsoleTour:
    """Signs in as three people and takes a picture of each page that they open."""

    def __init__(self, folder: Path, language: Literal["en", "fr"], *, dark: bool) -> None:
        self._folder, self._language, self._dark = folder, language, dark
        self._pictures: list[str] = []

    def go(
        self,
        company: SampleCompany,
        campaign_id: str,
        mails: Path,
        say: Callable[[str], None],
        comes: Callable[[str, str], None],
    ) -> list[str]:
        """Answers the names of the pictures.

        `mails`: the folder of what the server sends. `comes`: waits for what was approved, by its id and title.
        """
        with running_console(company.home) as console:
            say(f"The console answers at {console.url}")
            invited = links(console)
            company.wants_two_people()
            with self._signed_in(invited["communicator"], "communicator") as page:
                self._picture(page, "today")
                self._open(page, f"{console.url}/campaigns", "campaigns")
                self._open(page, f"{console.url}/campaigns/{campaign_id}", "report")
                page.emulate_media(color_scheme="light" if self._dark else "dark")
                self._picture(page, "report-in-the-other-scheme")
                self._open(page, f"{console.url}/groups", "groups")
                self._open(page, f"{console.url}/account", "account")
                draft = self._write(page, console)
                say("Tom wrote an announcement and submitted it")
            said = until(lambda: _mail_about(mails, draft), "a mail to the approver")
            say(f"Maya was told by mail, which holds a link and no word about what: {said}")
            with self._signed_in(invited["approver"], "approver") as page:
                self._picture(page, "today-of-the-approver")
                published = self._approve(page, draft)
                say("Maya looked at it and approved it")
            comes(published, TEXTS[self._language][0])
            with self._signed_in(invited["dpo"], "officer") as page:
                self._picture(page, "today-of-the-officer")
                self._open(page, f"{console.url}/erasures", "erasures")
                self._open(page, f"{console.url}/audit", "audit-log")
                self._open(page, f"{console.url}/campaigns", "not-for-the-officer")
        return self._pictures

    def _write(self, page: Page, console: RunningConsole) -> str:
        """Write an announcement, look at how people will see it, and submit it. Answers the address of the check."""
        title, text = TEXTS[self._language]
        page.goto(f"{console.url}/drafts/new")
        page.locator("main form.actions button").click()
        page.locator("#title").fill(title)
        page.locator("#body").fill(text)
        page.locator("#add-group").fill("Lyon")
        page.locator("#urgency").select_option("urgent")
        page.locator("#twin", has_text=title).wait_for()  # it is kept and drawn while somebody writes
        self._picture(page, "compose")
        page.locator("button[value=check]").first.click()
        page.wait_for_url("**/check")
        self._picture(page, "check")
        page.locator("form[action$='/submit'] button").click()
        page.locator("form[action$='/take-back']").wait_for()
        return page.url

    def _approve(self, page: Page, draft: str) -> str:
        """Look at what was submitted, and approve it. Answers the campaign's id."""
        self._open(page, draft, "approval")
        page.locator("input[name=sure]").check()
        page.locator("form[action$='/approve'] button").click()
        page.wait_for_url("**/campaigns/*")
        self._picture(page, "published")
        return page.url.rsplit("/", 1)[1]

    @contextmanager
    def _signed_in(self, link: str, who: str) -> Iterator[Page]:
        """In a browser of their own, from the link to the start page."""
        with chromium() as browser:
            context: BrowserContext = browser.new_context(
                locale=self._language,
                reduced_motion="reduce",
                color_scheme="dark" if self._dark else "light",
                viewport=WINDOW_PX,  # type: ignore[arg-type]
            )
            page = context.new_page()
            self._open(page, link, f"welcome-{who}")
            for field in page.locator("input[type=password]").all():
                field.fill(PASSWORD)
            self._press(page)
            self._picture(page, f"second-factor-{who}")
            page.locator("input[name=code]").fill(code(page.locator(".code").inner_text()))
            self._press(page)
            self._press(page)
            page.wait_for_url("**/")
            yield page
            browser.close()

    def _press(self, page: Page) -> None:
        """Go on, whatever the button is called in this language."""
        page.locator("main .button.main").click()

    def _open(self, page: Page, address: str, name: str) -> None:
        page.goto(address)
        self._picture(page, name)

    def _picture(self, page: Page, name: str) -> None:
        file = self._folder / f"console-{len(self._pictures) + 1:02}-{name}.png"
        page.screenshot(path=file, full_page=True)
        self._pictures.append(file.name)

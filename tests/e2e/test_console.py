"""The console in a real browser: a person's first hour, the keyboard alone, and the work of two people."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    FilePayload,
    Page,
    Response,
    Route,
)

from tests.support.browsers import with_device
from tests.support.odd_videos import silent
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.console import (
    PASSWORD,
    code,
)
from tests.support.server.filled_console import (
    READY,
    SESSION,
    Filled,
    filled_console,
)
from tests.support.videos import make_video
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled_console(tmp_path_factory.mktemp("console")) as filled:
        yield filled


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


def test_from_the_link_to_the_sign_out_and_in_again(console: Filled, page: Page) -> None:
    link = console.running.invite("lea@northwind.example", "communicator")
    secret = come_in(page, link)
    assert page.locator(".codes li").count() == 10
    page.get_by_role("link", name="I have kept them").click()
    assert page.title().startswith("Today")
    page.get_by_role("link", name="Campaigns", exact=True).click()
    page.get_by_label("Title").fill("ABOUT C-NEWS-12")
    page.get_by_role("button", name="Show").click()
    assert page.locator("tbody tr").count() == 1
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


def test_a_passkey_is_made_used_and_removed_in_the_browser(console: Filled, page: Page) -> None:
    protocol, number = with_device(page)
    come_in(page, console.running.invite("key@northwind.example", "communicator"))
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="key@northwind.example").click()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("The passkey is added").wait_for()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.goto(f"{console.url}/account")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("link", name="Work laptop").wait_for()
    page.get_by_role("link", name="Work laptop").click()
    assert page.title().startswith("Show that it is you"), "the sign-in alone is not fresh enough"
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove the passkey").click()
    page.get_by_text("The passkey is removed").wait_for()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("The passkey was not accepted").wait_for()
    held = protocol.send("WebAuthn.getCredentials", {"authenticatorId": number})["credentials"]
    protocol.send("WebAuthn.clearCredentials", {"authenticatorId": number})
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("Your browser used no passkey").wait_for()
    assert [one["rpId"] for one in held] == ["localhost"]


def test_the_keyboard_alone_leads_from_the_link_to_the_campaigns(console: Filled, page: Page) -> None:
    page.goto(console.running.invite("keys@northwind.example", "communicator"))
    _press(page, "Tab", PASSWORD, "Tab", PASSWORD, "Enter")
    page.wait_for_url("**/second-factor/new")
    secret = page.locator(".code").inner_text()
    _press(page, "Tab", code(secret), "Enter")
    page.wait_for_url("**/recovery-codes")
    # The first stop skips the places; the one after it is the page's own.
    _press(page, "Tab", "Enter", "Tab", "Enter")
    page.wait_for_url(f"{console.url}/")
    _press(page, "Tab", "Tab", "Tab", "Enter")
    page.wait_for_url("**/campaigns")


def _press(page: Page, *keys: str) -> None:
    """Keys by their names; whatever is no name is typed."""
    for key in keys:
        if key in ("Tab", "Enter"):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)


def test_an_announcement_is_written_submitted_approved_by_another_person_and_recalled(
    console: Filled, page: Page, tmp_path: Path
) -> None:
    come_in(page, console.running.invite("marc@northwind.example", "communicator"))
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Drafts", exact=True).click()
    page.get_by_role("button", name="Write an announcement").first.click()
    page.get_by_label("Title").fill("Coffee in Par")
    page.locator("#twin", has_text="Coffee in Par").wait_for()
    page.reload()
    assert page.get_by_label("Title").input_value() == "Coffee in Par", "what was typed is kept"
    page.get_by_label("Title").fill("Coffee in Paris")
    page.locator("#twin", has_text="Coffee in Paris").wait_for()
    page.get_by_label("Text").fill("On Monday.")
    page.locator("#image-file").set_input_files(large_picture(tmp_path))
    page.get_by_role("button", name="Add the picture").click()
    page.get_by_label("What the picture shows").fill("The new machine")
    page.locator("#twin img").wait_for()
    video_by_the_script(page, tmp_path)
    page.get_by_label("Add a group").fill("Paris")
    page.get_by_label("Sender").fill("Internal news")
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/check", timeout=PATIENCE_S * 1000)  # what was typed is saved before
    drawn = page.locator(".screen img")
    assert drawn.count() == 2
    assert "The new machine" in (drawn.first.get_attribute("alt") or "")
    whole = "() => [...document.images].every(one => one.complete && one.naturalWidth > 300)"
    until(
        lambda: bool(page.evaluate(whole)), "the pictures"
    )  # what the page itself could wait for needs eval
    assert "Ready to be submitted" in page.inner_text("h1")
    page.get_by_role("button", name="Submit for 7 people").click()
    assert "waits for an approver" in page.inner_text("main")
    address = page.url
    page.get_by_role("button", name="Sign out").click()
    come_in(page, console.running.invite("sam@northwind.example", "approver"))
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="Coffee in Paris").click()
    assert page.url == address
    page.get_by_label("7 people shall get it").check()
    page.get_by_role("button", name="Approve and publish").click()
    assert "Coffee in Paris" in page.inner_text("h1")
    page.get_by_role("link", name="Recall").click()
    page.get_by_role("button", name="Recall for 7 people").click()
    assert "recalled" in page.inner_text("main")


def test_ten_thousand_people_are_brought_in_and_invited(console: Filled, page: Page) -> None:
    come_in(page, console.running.invite("ada@northwind.example", "administrator"))
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Bring people in…").click()
    rows = "".join(f"n{number}@northwind.example,N{number},Nice\n" for number in range(10_000))
    content = f"email,first_name,groups\n{rows}".encode()
    file: FilePayload = {"name": "nice.csv", "mimeType": "text/csv", "buffer": content}
    page.get_by_label("File (CSV)").set_input_files(file)
    page.get_by_role("button", name="Look at the difference").click()
    page.get_by_role("button", name="Store it: 10,000 new, 0 changed").click(timeout=PATIENCE_S * 1000)
    page.get_by_text("10,000 added, 0 changed, 0 unchanged.").wait_for(timeout=PATIENCE_S * 1000)
    page.get_by_role("link", name="Groups", exact=True).first.click()
    page.get_by_role("link", name="Nice").click()
    page.get_by_label("Name or address").fill("n9999")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="N9999").click()
    page.get_by_role("button", name="Make a code").click()
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){2}", page.locator("b.code").inner_text())


def test_a_large_zip_file_becomes_a_draft_by_the_script(
    console: Filled, browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context()
    context.add_cookies([{"name": SESSION, "value": console.sessions["full"], "url": console.url}])
    archive = tmp_path / "studio.zip"
    archive.write_bytes(context.request.get(f"{console.url}/drafts/{READY}/campaign.toml").body())
    page = context.new_page()
    page.goto(f"{console.url}/drafts/new")
    page.locator("#file").evaluate("field => { field.dataset.from = '1000'; }")
    page.locator("#file").set_input_files(archive)
    page.get_by_role("heading", name="The studio in Lyon opens").wait_for(timeout=PATIENCE_S * 1000)
    shown = page.url
    context.close()
    assert "/drafts/" in shown
    assert READY not in shown


SOUGHT = (
    "v => new Promise(done => { v.onseeked = () => done(v.currentTime); v.load(); v.currentTime = 0.5; })"
)
"""Where a video is after somebody sought it."""


def video_by_the_script(page: Page, folder: Path) -> None:
    """Choose a video, cut the line after the first piece, go on writing, and see it come whole."""
    cut = []

    def once(route: Route) -> None:
        if route.request.method == "PATCH" and not cut:
            cut.append(route.request.headers["upload-offset"])
            route.abort()
        else:
            route.continue_()

    page.route("**/videos/*", once)
    page.locator("#video-file").set_input_files(make_video(folder / "Coffee.mp4", 1))
    page.get_by_label("Text").fill("On Monday, with a video.")
    page.get_by_text("It is kept with the draft.").wait_for(timeout=PATIENCE_S * 1000)
    assert cut == ["0"]
    assert page.get_by_label("Text").input_value() == "On Monday, with a video."
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("0:01").wait_for()
    assert page.locator("video").evaluate(SOUGHT) == 0.5
    page.locator("#video-file").set_input_files(silent(folder, "Phone.mov"))
    page.get_by_label("Text").fill("On Monday, with a video of a phone.")
    put = page.get_by_role("button", name="Put it into the announcement")
    put.wait_for(timeout=PATIENCE_S * 1000)
    with page.expect_navigation():
        put.click()
    page.get_by_text("0:02").wait_for()
    before = page.locator("video").get_attribute("poster")
    page.get_by_text("Choose another poster").click()
    frames = "() => [...document.querySelectorAll('.frames img')].filter(one => one.naturalWidth > 0).length"
    until(lambda: page.evaluate(frames) == 6, "the pictures out of the video")
    page.get_by_role("radio", name="Picture 1,").check()
    with page.expect_navigation():
        page.get_by_role("button", name="Use it as the poster").click()
    assert page.locator("video").get_attribute("poster") != before
    assert page.get_by_label("Text").input_value() == "On Monday, with a video of a phone."
    with page.expect_navigation():
        page.get_by_role("button", name="Remove the video").click()
    assert page.locator("video").count() == 0
    page.unroute("**/videos/*")


def large_picture(folder: Path) -> Path:
    """One of several megabytes, which is received onto the disk."""
    path = folder / "Machine.png"
    Image.effect_noise((2_000, 1_500), 90).convert("RGB").save(path)
    assert path.stat().st_size > 3_000_000
    return path

"""The console in a real browser: a person's first hour, the keyboard alone, and what axe-core finds on each page."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    CDPSession,
    ConsoleMessage,
    FilePayload,
    Page,
    Response,
    Route,
    sync_playwright,
)

from resources.sample.drawing import gradient
from tests.support.odd_videos import silent
from tests.support.server import (
    bulk_data,
    django_ready,  # noqa: F401
)
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    PASSWORD,
    RunningConsole,
    account_of,
    client_of,
    code,
    console_settings,
    running_console,
)
from tests.support.videos import make_video
from tests.support.waiting import PATIENCE_S, until

if TYPE_CHECKING:
    from server.accounts.models import Account
    from server.campaigns.models import Campaign
    from server.directory.models import Person
    from server.drafts.models import Draft

CHROMIUM = shutil.which("chromium")
PICTURES = os.environ.get("TIDINGS_CONSOLE_PICTURES")
"""A folder for pictures of every page, for people to look at."""
SESSION = "tidings-session"
INTRANET = "https://intranet.northwind.example"
READY, UNREADY, WAITING = "a" * 16, "b" * 16, "c" * 16
"""Drafts."""
TEMPLATE = "A studio opens"
SEEN = "c-news-8"
"""A campaign that has figures."""


@dataclass(frozen=True)
class Filled:
    """A console with a company that has campaigns and one that has nothing. Sessions: by who is signed in."""

    running: RunningConsole
    link: str
    sessions: dict[str, str]

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.running.url


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    home = ServerHome(tmp_path_factory.mktemp("console"))
    home.init()
    with running_console(home, named=True) as running:
        yield Filled(running, running.invite("welcome@northwind.example", "dpo"), _fill(home))


def _fill(home: ServerHome) -> dict[str, str]:
    from server.access.roles import Role
    from server.campaigns.models import Campaign
    from server.data_subject.models import CorrectionRequest
    from server.directory.models import Company, Notice
    from server.publishing.recall import recall

    now = datetime.now(UTC).replace(microsecond=0)
    with home.opened(), console_settings():
        people = bulk_data.add_people(12, "Lyon")
        bulk_data.add_people(7, "Paris")
        for number in range(60):
            starts = now + timedelta(days=2 - number, hours=number)
            groups = [["Lyon"], ["Lyon", "Paris"], []][number % 3]
            bulk_data.publish(f"c-news-{number}", starts=starts, groups=groups, lasts=timedelta(days=4))
        recall(bulk_data.company(), "c-news-5", "command-line")
        Campaign.objects.filter(campaign_id=SEEN).update(alone_by="command-line", alone_because="On leave")
        _some_react(people, Campaign.objects.get(campaign_id=SEEN))
        _write_drafts(account_of("noor@northwind.example", Role.APPROVER))
        ines = bulk_data.company().people.create(email="ines@northwind.example")
        bulk_data.add_computers([ines])
        CorrectionRequest.objects.create(person=people[0], field="title", value="Head", requested_at=now)
        empty = Company.objects.create(id="empty", name="Empty", legal_name="Empty", region="eu")
        Notice.objects.create(company=empty, version=1, date=now.date(), text={"en": "x"})
        accounts = {
            "full": account_of("ines@northwind.example", Role.ADMINISTRATOR),
            "empty": account_of("tom@empty.example", Role.ADMINISTRATOR, company="empty"),
            "council": account_of("council@northwind.example", Role.WORKS_COUNCIL),
        }
        _have_converted(accounts["full"])
        return {name: str(client_of(account).cookies[SESSION].value) for name, account in accounts.items()}


def _write_drafts(author: "Account") -> None:
    """One that could be published, and one with mistakes; the first has an earlier version."""
    from server.drafts.approval import submit
    from server.drafts.fields import new_fields
    from server.drafts.files import add
    from server.drafts.models import Draft
    from server.drafts.publication import seal_of
    from server.drafts.templates import keep
    from server.drafts.writing import Change, begin, change
    from server.media.images import encode

    for draft_id, title in ((READY, "The studio in Lyon opens"), (UNREADY, ""), (WAITING, "A new rule")):
        draft = begin(author, "en")
        Draft.objects.filter(pk=draft.pk).update(draft_id=draft_id)
        draft.draft_id = draft_id
        picture = add(draft, "Lyon", encode(gradient(640, 360), "JPEG")).name if title else ""
        video = _video(draft) if draft_id == READY else {}
        for text in ("Come and see it.", "Come and see it on Monday.\nThere is coffee."):
            fields = new_fields("en") | {"sender": "Internal news"}
            link = {"id": "l1", "label": "The plan", "url": f"{INTRANET}/plan"}
            fields["variants"]["en"] = {"title": title, "body": text, "links": [link]}
            fields["variants"]["fr"] = {"title": "", "body": "", "links": []} | (
                {"title": "Le studio de Lyon ouvre", "body": "Venez voir."} if title else {}
            )
            if picture:
                for variant in fields["variants"].values():
                    variant["image"] = {"file": picture, "alt": "The new studio"}
            if video:
                fields["variants"]["fr"]["video"] = video
            groups = list(author.company.groups.filter(name="Lyon")) if title else []
            draft = change(draft, author, draft.revision, Change(fields, "", False, groups))
    author.company.second_person_from = 5
    author.company.save()
    submit(draft, author, seal_of(draft))
    keep(Draft.objects.get(draft_id=READY), author, TEMPLATE)


def _have_converted(account: "Account") -> None:
    """A video of a phone that is converted, and one that cannot be."""
    from django.utils import timezone

    from server.drafts.models import Draft, DraftUpload

    draft, words = Draft.objects.get(draft_id=READY), {"begun_at": timezone.now(), "length": 0}
    names = draft.fields["variants"]["fr"]["video"]
    done = {"name": "IMG 0817.mov", "video": names["file"], "poster": names["poster"]}
    why = "“old.avi” is damaged, or of a kind that ffmpeg does not read; copy or export it again."
    failed = {"name": "old.avi", "told": why}
    for stage, told in ((DraftUpload.Stage.CONVERTED, done), (DraftUpload.Stage.FAILED, failed)):
        DraftUpload.objects.create(draft=draft, account=account, stage=stage, **words, **told)


def _video(draft: "Draft") -> dict[str, object]:
    """A video with captions, as a draft's fields say it."""
    from server.drafts.files import add_captions, add_video

    with tempfile.TemporaryDirectory() as folder:
        video, poster = add_video(draft, "Studio.mp4", make_video(Path(folder) / "studio.mp4", 2))
        text = Path(folder) / "studio.vtt"
        text.write_text("WEBVTT\n\n00:00.100 --> 00:01.000\nBonjour.\n")
        captions = add_captions(draft, "Studio.vtt", text, video)
    said = {"language": "fr", "label": "Français", "file": captions.name}
    return {"file": video.name, "poster": poster.name, "alt": "", "captions": [said]}


def _some_react(people: "list[Person]", campaign: "Campaign") -> None:
    """All share, and most have seen it."""
    from server.reports.snapshots import make_if_due, newest

    receipts = life.share_all(people, ("seen", "click", "like"))
    for person in people[:9]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    assert make_if_due(campaign)
    assert newest(campaign).figures[0].people == 9, "there is something to look at"


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


def with_device(page: Page) -> tuple[CDPSession, str]:
    """Let the browser have a device that keeps passkeys and always recognises its person. Answers the device's number."""
    protocol = page.context.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = protocol.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    return protocol, added["authenticatorId"]


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


# --- Accessibility ------------------------------------------------------------------------------------

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LANGUAGES = ("en-GB", "fr-FR")
OF_COLOURS = ("color-contrast", "link-in-text-block")
"""The rules of axe-core for which the scheme matters. They take most of its time."""
LOOK_AT_COLOURS = """
async ([known, rules]) => {
    const number = text => [...text].reduce((sum, one) => Math.imul(sum ^ one.charCodeAt(), 16777619) >>> 0, 2166136261);
    const numbers = new Map([[null, matchMedia('(prefers-color-scheme: dark)').matches]]);
    const numberOf = element => {
        if (!numbers.has(element)) {
            const style = getComputedStyle(element);
            numbers.set(element, number([
                numberOf(element.parentElement), style.color, style.backgroundColor, style.backgroundImage, style.opacity,
                style.fontSize, style.fontWeight, style.textDecorationLine, style.textShadow, style.position, style.filter,
                style.clipPath, element.matches(':disabled, [aria-disabled=true]'), element.tagName,
            ].join()));
        }
        return numbers.get(element);
    };
    const shown = [...document.querySelectorAll('body, body *')].filter(element => element.checkVisibility() && (
        element.matches('input, select, textarea')
        || [...element.childNodes].some(one => one.nodeType === Node.TEXT_NODE && one.data.trim())
    ));
    const fresh = new Map(shown.map(element => [numberOf(element), element]).filter(([style]) => !known.includes(style)));
    if (!fresh.size) return [[], []];
    const found = await axe.run({include: [...fresh.values()]}, {runOnly: rules, resultTypes: ['violations']});
    return [[...fresh.keys()], found.violations];
}
"""
"""What axe-core says of the texts whose colours, and those of all that is around them, are none of the known ones."""


def _wrong_code(page: Page) -> None:
    page.get_by_role("textbox").fill("1")
    page.get_by_role("button").last.focus()
    page.locator("main button.main").click()


def _unknown_names(page: Page) -> None:
    page.locator("#add-group").fill("None such")
    page.locator("#add-person").fill("nobody@northwind.example")
    with page.expect_navigation():  # the form waits for what the page sends by itself
        page.locator('button[value="save"]').first.click()


def _keep_under_a_name_that_is_taken(page: Page) -> None:
    page.locator("#name").fill(TEMPLATE)
    page.locator("main .button.main").click()


def _ask_to_delete_the_template(page: Page) -> None:
    page.get_by_role("link", name=TEMPLATE).click()
    page.locator("main a.button.bad").click()


def _bad_file(page: Page) -> None:
    page.locator("#text").fill('title = "x"\n[audience]\n')
    page.locator('button[name="from-file"]').click()


def _make_a_code(page: Page) -> None:
    page.locator("tbody a").first.click()
    page.locator("main form button").last.click()


def _choose_people(rows: str) -> Callable[[Page], None]:
    """Bring in a file with these people, up to the page that says what it would change."""

    def choose(page: Page) -> None:
        content = f"email,first_name,groups\n{rows}\n".encode()
        file: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": content}
        page.locator("#file").set_input_files(file)
        page.locator("main form button.main").click()
        page.locator("main h1", has_not_text="people.csv").wait_for()

    return choose


def _ask_for_an_erasure(page: Page) -> None:
    page.get_by_role("textbox").fill("p0@northwind.example\nnobody@northwind.example")
    page.locator("button[value=find]").click()
    page.locator("button[value=ask]").click()


def _verify_the_log(page: Page) -> None:
    page.locator("form[action$=verification] button").click()
    page.locator(".pill").wait_for()


def _change_the_notice(page: Page) -> None:
    if page.url.endswith("/proposal"):  # left by another look
        page.locator("form[action$=take-back] button").click()
        page.locator("main a.main").click()
    page.locator("textarea").first.fill("Northwind tells you what is new. It counts nothing.")
    page.locator("button[value=look]").click()


def _propose_a_notice(page: Page) -> None:
    _change_the_notice(page)
    page.locator("button[value=propose]").click()


OF_ANYBODY = {"sign-in": "/sign-in", "link-gone": "/welcome/none"}
OF_THE_SIGNED_IN = {
    "report": f"/campaigns/{SEEN}",
    "report-without-figures": "/campaigns/c-news-4",
    "report-recalled": "/campaigns/c-news-5",
    "alone": "/campaigns/alone",
    "audit": "/audit",
    "audit-verification": "/audit/verification",
    "audit-narrowed": "/audit?action=gap",
    "audit-verified": "/audit",
    "access": "/access",
    "people": "/people",
    "people-none": "/people?find=nobody",
    "groups": "/groups",
    "calendar": "/calendar",
    "corrections": "/corrections",
    "record": "/record",
    "processors": "/record/processors",
    "notice": "/notice",
    "notice-new": "/notice/new",
    "notice-proposal": "/notice/new",
    "drafts": "/drafts",
    "draft-new": "/drafts/new",
    "today": "/",
    "campaigns": "/campaigns",
    "campaigns-none": "/campaigns?title=nothing+like+it",
    "account": "/account",
    "signed-in": "/account/signed-in",
    "confirm": "/account/second-factor/change",
    "not-found": "/nothing",
}
OF_WRITERS = {
    "compose": f"/drafts/{READY}?language=fr",
    "compose-mistakes": f"/drafts/{UNREADY}",
    "check": f"/drafts/{READY}/check",
    "check-mistakes": f"/drafts/{UNREADY}/check",
    "approval": f"/drafts/{WAITING}/check",
    "submitted-compose": f"/drafts/{WAITING}",
    "versions": f"/drafts/{READY}/versions",
    "draft-delete": f"/drafts/{READY}/delete",
    "template-keep": f"/drafts/{READY}/template",
    "template": "/drafts/new",
    "template-delete": "/drafts/new",
    "recall": f"/campaigns/{SEEN}/recall",
    "calendar-budget": "/calendar/budget",
    "person-code": "/people",
    "draft-file-refused": "/drafts/new",
    "import": "/people/import",
    "import-difference": "/people/import",
    "import-mistakes": "/people/import",
    "invitations": "/people/invitations",
    "erasures": "/erasures",
    "erasure-request": "/erasures",
}
OF_THE_COUNCIL = {"refused": "/campaigns", "oversight": "/oversight"}
THEN: dict[str, Callable[[Page], None]] = {
    "confirm": _wrong_code,
    "compose": lambda page: page.locator("details:has(#poster-file) summary").click(),
    "compose-mistakes": _unknown_names,
    "draft-file-refused": _bad_file,
    "template-keep": _keep_under_a_name_that_is_taken,
    "template": lambda page: page.get_by_role("link", name=TEMPLATE).click(),
    "template-delete": _ask_to_delete_the_template,
    "person-code": _make_a_code,
    "import-difference": _choose_people("p0@northwind.example,Zoé,Nice\nnew@northwind.example,Nia,Lyon"),
    "import-mistakes": _choose_people("p0,Zoé,Nice"),
    "erasures": lambda page: page.locator("button[value=find]").click(),
    "erasure-request": _ask_for_an_erasure,
    "audit-verified": _verify_the_log,
    "notice-new": _change_the_notice,
    "notice-proposal": _propose_a_notice,
}
"""What is done on a page before it is looked at."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_any_page(console: Filled, browser: Browser, language: str) -> None:
    # axe-core finds faults of the templates, which both languages share; how wide a page is depends on the words.
    is_whole = bool(PICTURES) or language == LANGUAGES[-1]
    look = _violations if is_whole else _too_wide
    found = {}
    known: set[int] = set()
    signed_in = [
        *product(["full", "empty"] if is_whole else ["full"], OF_THE_SIGNED_IN.items()),
        *product(["full"], OF_WRITERS.items()),
        *product(["council"], OF_THE_COUNCIL.items()),
    ]
    places = [*((None, item) for item in OF_ANYBODY.items()), *signed_in]
    for who in (None, "full", "empty", "council"):
        # axe-core writes a style of its own into the page, which the policy forbids.
        context = browser.new_context(locale=language, reduced_motion="reduce", bypass_csp=True)
        if who:
            context.add_cookies([{"name": SESSION, "value": console.sessions[who], "url": console.url}])
        opened = context.new_page()
        for name, path in [item for owner, item in places if owner == who]:
            opened.goto(f"{console.url}{path}")
            THEN.get(name, lambda _page: None)(opened)
            found[who, name] = look(opened, f"{name}-{who}-{language[:2]}", known)
        if who is None:
            opened.goto(console.link)
            found[who, "welcome"] = look(opened, f"welcome-{language[:2]}", known)
        context.close()
    assert {place: said for place, said in found.items() if said} == {}


NO_PAGES = {
    *(
        "account-everywhere",
        "account-mail",
        "drafts-conversions",
        "corrections-decide",
        "drafts-approve",
        "drafts-publish",
        "drafts-return",
        "drafts-save",
    ),
    *(
        "drafts-show",
        "drafts-submit",
        "drafts-take-back",
        "drafts-template-use",
        "campaigns-duplicate",
        "people-disconnect",
        "people-invite",
    ),
    *("people-import-answer", "people-invitations-new", "erasures-carry-out", "erasures-take-back"),
    *("access-decide", "notice-put-in-force", "notice-take-back"),
    "record-processors-end",
}
"""What forms are sent to: they answer with one of the pages below, or lead to it."""
FILES = {
    *("campaigns-report-csv", "record-csv", "oversight-csv", "access-csv", "audit-csv", "campaigns-csv"),
    *(
        "campaigns-report-xlsx",
        "record-xlsx",
        "oversight-xlsx",
        "access-xlsx",
        "audit-xlsx",
        "campaigns-xlsx",
    ),
    *("drafts-file", "drafts-file-of", "drafts-picture", "drafts-frame"),
}
LOOKED_AT_WITH_ANOTHER = {
    "people-import-file": "import-difference",
    "people-person": "person-code",
    "audit-verification": "audit-verified",
    "erasures-request": "erasure-request",
    "notice-proposal": "notice-proposal",
    "record-processors-add": "processors",
    "drafts-videos": "compose",
    "drafts-archives": "draft-new",
    "drafts-template": "template",
    "drafts-template-delete": "template-delete",
    "drafts-video": "compose",
    "welcome": "link-gone",
    "calendar-attention": "today",
    "mfa_index": "account",
}
IN_THE_OTHER_TEST = {
    *("account-password", "account-passkey", "mfa_add_webauthn", "mfa_activate_totp", "mfa_authenticate"),
    *("mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_login_webauthn", "account_logout"),
    *("mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_deactivate_totp"),
}


def test_every_page_is_looked_at(console: Filled) -> None:
    from django.urls import resolve

    from tests.support.server.console_pages import pages

    looked_at = {
        resolve(path.partition("?")[0], "server.console.urls").url_name
        for path in (OF_ANYBODY | OF_THE_SIGNED_IN | OF_WRITERS | OF_THE_COUNCIL).values()
        if path != "/nothing"
    }
    others = NO_PAGES | FILES | LOOKED_AT_WITH_ANOTHER.keys() | IN_THE_OTHER_TEST
    assert pages().keys() - others - looked_at == set()
    assert others - pages().keys() == set()


def test_axe_finds_nothing_where_a_second_factor_is_set_up(console: Filled, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    found = []
    known: set[int] = set()
    page.goto(console.running.invite("factor@northwind.example", "dpo"))
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("The same password again").fill("other")
    page.get_by_role("button", name="Set the password").click()
    found += _violations(page, "welcome-faults-en", known)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    found += _violations(page, "set-up-en", known)
    secret = page.locator(".code").inner_text()
    page.get_by_label("The code that the app shows").fill(code(secret))
    page.get_by_role("button", name="Switch on").click()
    found += _violations(page, "codes-en", known)
    page.reload()
    found += _violations(page, "codes-again-en", known)
    page.get_by_role("link", name="Make new ones").click()
    found += _violations(page, "codes-new-en", known)
    page.goto(f"{console.url}/account/password")
    for label in ("Present password", "New password", "The new password again"):
        page.get_by_label(label, exact=True).fill(label[-5:])
    page.get_by_role("button", name="Change the password").click()
    found += _violations(page, "password-faults-en", known)
    with_device(page)
    page.goto(f"{console.url}/account/passkeys/new")
    found += _violations(page, "passkey-new-en", known)
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text("The passkey is added").wait_for()
    found += _violations(page, "account-passkeys-en", known)
    page.get_by_role("link", name="Passkey 1").click()
    found += _violations(page, "passkey-en", known)
    page.get_by_role("button", name="Remove the passkey").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("The passkey was not accepted").wait_for()
    found += _violations(page, "sign-in-refused-en", known)
    page.get_by_label("E-mail address").fill("factor@northwind.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    found += _violations(page, "second-step-en", known)
    context.close()
    assert found == []


def test_axe_notices_what_nobody_could_read(browser: Browser) -> None:
    page = browser.new_page()
    known: set[int] = set()
    page.set_content(
        "<html lang='en'><title>x</title><style>main { color: #000; background: #fff }</style>"
        "<main><p>black</p><p style='width:400px'>wide</p><img src='x'>"
    )
    found = " ".join(_violations(page, "noticed", known))
    assert [rule for rule in ("image-alt", "wider than") if rule not in found] == []
    assert "color-contrast" not in found
    page.evaluate("document.querySelector('p').style.color = '#999'")
    assert "color-contrast" in " ".join(_violations(page, "noticed", known))
    page.set_content(
        "<style>p { color: #000; background: #fff } @media (prefers-color-scheme: dark) { p { color: #ddd } }</style><p>pale"
    )
    assert "color-contrast" in " ".join(_violations(page, "noticed", set()))
    page.close()


def _violations(page: Page, name: str, known: set[int]) -> list[str]:
    """What axe-core says of the page, and whether it is too wide.

    Colours are looked at in both schemes, and only where those of a text are none of the known ones, which grow.
    """
    page.evaluate(Axe().axe_script)
    rules = {rule: {"enabled": False} for rule in OF_COLOURS}
    said = page.evaluate("rules => axe.run({rules, resultTypes: ['violations']})", rules)["violations"]
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        new, of_colours = page.evaluate(LOOK_AT_COLOURS, [list(known), list(OF_COLOURS)])
        known.update(new)
        said += of_colours
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{scheme}.png", full_page=True)
        if PICTURES or scheme == SCHEMES[-1]:
            found += _too_wide(page, f"{name}-{scheme}", known)
    return sorted({*found, *(f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in said)})


def _too_wide(page: Page, name: str, _known: set[int]) -> list[str]:
    """Whether anything of the page is wider than a narrow window."""
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-320.png", full_page=True)
    is_wide = page.evaluate("document.documentElement.scrollWidth") > 320
    page.set_viewport_size(size or {"width": 1280, "height": 720})
    return ["wider than 320 pixels"] if is_wide else []

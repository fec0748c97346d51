"""What axe-core finds on each page of the console, in both schemes, two languages and two widths."""

import os
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    FilePayload,
    Page,
)

from tests.support.browsers import with_device
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.console import (
    PASSWORD,
    code,
)
from tests.support.server.filled_console import (
    READY,
    SEEN,
    SESSION,
    TEMPLATE,
    UNREADY,
    WAITING,
    Filled,
    filled_console,
)

PICTURES = os.environ.get("TIDINGS_CONSOLE_PICTURES")
"""A folder for pictures of every page, for people to look at."""
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


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled_console(tmp_path_factory.mktemp("console")) as filled:
        yield filled


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


def _unfold(page: Page) -> None:
    """Open what captions say, and who is named."""
    for summary in page.locator(".said summary, .names summary").all():
        summary.click()


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
    "access-binding": "/access",
    "erasures": "/erasures",
    "erasure-request": "/erasures",
}
OF_THE_COUNCIL = {"refused": "/campaigns", "oversight": "/oversight"}
THEN: dict[str, Callable[[Page], None]] = {
    "confirm": _wrong_code,
    **dict.fromkeys(("alone", "report", "check"), _unfold),
    "compose": lambda page: page.locator("details:has(#poster-file) summary").click(),
    "compose-mistakes": _unknown_names,
    "draft-file-refused": _bad_file,
    "template-keep": _keep_under_a_name_that_is_taken,
    "template": lambda page: page.get_by_role("link", name=TEMPLATE).click(),
    "template-delete": _ask_to_delete_the_template,
    "person-code": _make_a_code,
    "import-difference": _choose_people("p0@northwind.example,Zoé,Nice\nnew@northwind.example,Nia,Lyon"),
    "import-mistakes": _choose_people("p0,Zoé,Nice"),
    "access-binding": lambda page: page.locator("a[href^='/access/accounts/']").first.click(),
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
    *("access-bind", "access-decide", "notice-put-in-force", "notice-take-back"),
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
    *("drafts-file", "drafts-file-of", "campaigns-media", "drafts-picture", "drafts-frame"),
}
LOOKED_AT_WITH_ANOTHER = {
    "access-binding": "access-binding",
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

"""Who may open which page of the console, and what every answer says to a browser."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, path

from server.access.roles import RIGHTS, Right, Role
from server.accounts.models import Account
from server.audit.models import Entry
from server.campaigns.overview import SIZES
from server.core import clock
from server.core.errors import EnvironmentFault, Refused
from server.data_subject.models import CorrectionRequest
from server.directory.models import Company, Group
from server.drafts.models import Draft
from server.erasure.erasure import erase
from server.publishing.recall import recall
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.console_pages import OPEN_TO_ALL, address, of_rights, pages


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings():
        yield northwind
        cache.clear()
        Account.objects.all().delete()


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "key", ["\0aaaaaaaaaaa", "a" * 31 + "\0", "a" * 33, "A" * 32, "é" * 32, "a" * 32 + "\n", "a' OR '1'='1"]
)
def test_a_cookie_that_holds_no_key_of_a_session_is_none(console: ServerHome, key: str) -> None:
    client = client_of()
    client.cookies["tidings-session"] = key
    assert client.get("/").headers["Location"].startswith("/sign-in")
    assert client.post("/sign-in", {"login": "", "password": ""}).status_code == 200


@pytest.mark.both_databases
def test_of_those_who_note_a_used_code_at_once_one_is_the_first(console: ServerHome) -> None:
    def note(_number: int) -> bool:
        try:
            return bool(cache.add("user=1&code=123456", "y", timeout=60))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as several:
        assert sorted(several.map(note, range(8))) == [False] * 7 + [True]
    with clock.using(lambda: datetime.now(UTC) + timedelta(seconds=61)):
        assert cache.get("user=1&code=123456") is None
        assert cache.add("user=1&code=123456", "y", timeout=60)


def test_every_page_says_which_right_it_needs(console: ServerHome) -> None:
    assert all(hasattr(pages()[name].callback, "right") for name in of_rights())
    assert len(get_resolver().url_patterns) == len(pages())


@pytest.mark.both_databases
def test_what_nobody_can_type_into_an_address_is_no_page(console: ServerHome) -> None:
    client = client_of(account_of("a@northwind.example", *Role))
    routes = [str(pattern.pattern) for pattern in pages().values() if "<" in str(pattern.pattern)]
    odd = [re.sub("<[^>]*>", "%00", route) for route in routes if not route.startswith("welcome")]
    assert {client.get(f"/{address}").status_code for address in odd} == {404}


def test_roles_combine(console: ServerHome) -> None:
    both = account_of("both@northwind.example", Role.DPO, Role.COMMUNICATOR)
    assert both.rights == RIGHTS[Role.DPO] | RIGHTS[Role.COMMUNICATOR]


def test_nobody_opens_a_page_without_signing_in(console: ServerHome) -> None:
    client = client_of()
    for name in sorted(pages().keys() - OPEN_TO_ALL):
        answer = client.get(address(name)) if name != "account-everywhere" else client.post(address(name))
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in"), name


def test_a_refusal_is_on_record_and_says_what_to_do(console: ServerHome) -> None:
    account = account_of("dpo@northwind.example", Role.DPO)
    answer = client_of(account).get("/campaigns")
    entry = Entry.objects.order_by("-number")[0]
    assert (entry.actor, entry.action) == (f"account {account.pk} (dpo)", "denied")
    assert "Ask an administrator" in answer.content.decode()


def test_the_navigation_shows_only_what_the_person_may_open(console: ServerHome) -> None:
    for role in Role:
        client = client_of(account_of(f"{role}@northwind.example", role))
        shown = client.get("/").content.decode()
        assert ('href="/campaigns"' in shown) == (Right.READ_CAMPAIGNS in RIGHTS[role])


@pytest.mark.parametrize("where", ["/", "/sign-in", "/campaigns", "/nothing", "/welcome/x"])
def test_every_answer_tells_browsers_to_be_strict(console: ServerHome, where: str) -> None:
    answer = client_of().get(where)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Referrer-Policy"] == "same-origin"


CROSS = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    ("where", "headers", "status"),
    [
        ("/", CROSS, 200),
        ("/campaigns", CROSS, 403),
        ("/", CROSS | {"Sec-Fetch-Dest": "iframe"}, 403),
        ("/", CROSS | {"Sec-Fetch-Mode": "no-cors"}, 403),
        ("/campaigns", CROSS | {"Sec-Fetch-Site": "same-site"}, 403),
        ("/campaigns", CROSS | {"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_another_website_can_open_the_start_and_nothing_else(
    console: ServerHome, where: str, headers: dict[str, str], status: int
) -> None:
    client = client_of(account_of("a@northwind.example", Role.ADMINISTRATOR))
    assert client.get(where, headers=headers).status_code == status


def test_another_website_cannot_send_a_form(console: ServerHome) -> None:
    account = account_of("a@northwind.example", Role.ADMINISTRATOR)
    client = client_of(account)
    assert client.post("/account", {"language": "fr"}, headers=CROSS).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    refused = strict.post("/account", {"language": "fr"})
    assert refused.status_code == 403
    assert "out of date" in refused.content.decode()
    account.refresh_from_db()
    assert account.language == ""


def test_another_host_name_is_refused(console: ServerHome) -> None:
    answer = client_of().get("/sign-in", headers={"Host": "console.evil.example"})
    assert answer.status_code == 400


def test_a_form_that_is_too_large_is_refused_in_words(console: ServerHome) -> None:
    client = client_of(account_of("a@northwind.example", Role.ADMINISTRATOR))
    answer = client.post("/account", {"language": "f" * 300_000})
    assert answer.status_code == 413
    assert "more than the console takes" in answer.content.decode()


def test_pages_speak_the_language_of_the_account_else_of_the_browser(console: ServerHome) -> None:
    account = account_of("a@northwind.example", Role.ADMINISTRATOR)
    client = client_of(account, **{"Accept-Language": "fr-CA,fr"})
    assert "Aujourd’hui" in _text(client.get("/"))
    client.post("/account", {"language": "en"})
    assert "Today" in _text(client.get("/"))


def _text(answer: HttpResponse | Any) -> str:
    return str(answer.content.decode())


@pytest.mark.both_databases
def test_a_page_asks_the_database_as_often_for_many_campaigns_as_for_few(console: ServerHome) -> None:
    people = bulk_data.add_people(6, "Lyon")
    bulk_data.add_people(3, "Paris")
    client = client_of(account_of("a@northwind.example", Role.ADMINISTRATOR))
    counts = {}
    for first, last in ((0, 5), (5, 60)):
        for number in range(first, last):
            audience = [
                {"groups": ["Lyon"]},
                {"groups": ["Lyon", "Paris"]},
                {"people": people[: number % 5 + 1]},
                {},
            ]
            bulk_data.publish(f"c-{number}", starts=clock.now(), **audience[number % 4])  # type: ignore[arg-type]
        for where in (
            "/",
            "/campaigns",
            "/campaigns?state=live&title=about",
            "/campaigns?page=2",
            "/account",
        ):
            SIZES.clear()
            with CaptureQueriesContext(connection) as queries:
                assert client.get(where).status_code == 200
            counts.setdefault(where, []).append(len(queries))
    assert {path: many for path, (_few, many) in counts.items() if many > 12} == {}
    assert {path for path, (few, many) in counts.items() if many > few + 1} == set()


@pytest.mark.both_databases
def test_the_list_tells_for_how_many_people_each_campaign_is_now(console: ServerHome) -> None:
    lyon, paris = bulk_data.add_people(6, "Lyon"), bulk_data.add_people(5, "Paris")
    Group.objects.get(name="Paris").people.add(lyon[0])
    bulk_data.publish("c-two", groups=["Lyon", "Paris"])
    bulk_data.publish("c-named", groups=["Paris"], people=[lyon[0], lyon[1]])
    bulk_data.publish("c-all")
    client = client_of(account_of("a@northwind.example", Role.COMMUNICATOR))
    assert _sizes(client) == {"c-two": "11", "c-named": "6 in groups, and 2 by name", "c-all": "11"}
    erase(bulk_data.company(), [paris[0].pk])
    assert _sizes(client) == {"c-two": "10", "c-named": "5 in groups, and 2 by name", "c-all": "10"}


def _sizes(client: Client) -> dict[str, str]:
    return dict(
        re.findall(r'code">(c-[^<]+)<.+?· ([^<]+)</span>', _text(client.get("/campaigns")), re.DOTALL)
    )


@pytest.mark.both_databases
def test_campaigns_are_found_by_state_and_by_title_in_any_language(console: ServerHome) -> None:
    now, day = clock.now(), timedelta(days=1)
    bulk_data.publish("c-later", starts=now + day)
    bulk_data.publish("c-now", starts=now - day)
    bulk_data.publish("c-over", starts=now - 9 * day)
    bulk_data.publish("c-back", starts=now - day)
    recall(bulk_data.company(), "c-back", "command-line")
    other = bulk_data.publish("c-ete", starts=now - day)
    other.content["variants"]["fr"] = other.content["variants"]["en"] | {"title": "L’ÉTÉ à Lyon"}
    other.save()
    client = client_of(account_of("a@northwind.example", Role.COMMUNICATOR))
    found = {
        words: set(re.findall(r'code">(c-[^<]+)<', _text(client.get(f"/campaigns?{words}"))))
        for words in (
            "state=scheduled",
            "state=live",
            "state=over",
            "state=recalled",
            "title=l’été",
            "title=ABOUT+c-n",
        )
    }
    assert found == {
        "state=scheduled": {"c-later"},
        "state=live": {"c-now", "c-ete"},
        "state=over": {"c-over"},
        "state=recalled": {"c-back"},
        "title=l’été": {"c-ete"},
        "title=ABOUT+c-n": {"c-now"},
    }


@pytest.mark.both_databases
def test_what_is_published_after_a_search_is_found_by_the_next(console: ServerHome) -> None:
    client = client_of(account_of("a@northwind.example", Role.COMMUNICATOR))
    bulk_data.publish("c-first")
    assert "c-first" in _text(client.get("/campaigns?title=about"))
    bulk_data.publish("c-second")
    assert "c-second" in _text(client.get("/campaigns?title=about"))
    recall(bulk_data.company(), "c-first", "command-line")
    shown = _text(client.get("/campaigns?title=about"))
    assert ("c-first" in shown, "c-second" in shown) == (False, True)


def test_nothing_of_another_company_is_on_any_page(console: ServerHome) -> None:
    bulk_data.add_people(2, "Secret group")
    bulk_data.publish("c-secret", starts=clock.now())
    other = Company.objects.create(id="unseen", name="Other", legal_name="Other", region="eu")
    client = client_of(account_of("a@other.example", Role.ADMINISTRATOR, company="unseen"))
    shown = "".join(
        _text(client.get(where)) for where in ("/", "/campaigns", "/campaigns?title=about", "/account")
    )
    other.delete()
    assert "ecret" not in shown
    assert "Northwind" not in shown
    assert "Nothing has been published yet" in shown


def test_today_tells_what_waits_to_those_who_can_do_something_about_it(console: ServerHome) -> None:
    person = bulk_data.add_people(1)[0]
    CorrectionRequest.objects.create(person=person, field="title", value="Head", requested_at=clock.now())
    Company.objects.update(document_expires=clock.now() + timedelta(days=2))
    bulk_data.publish("c-soon", starts=clock.now() + timedelta(days=3))
    seen = {}
    for role in Role:
        shown = _text(client_of(account_of(f"{role}@northwind.example", role)).get("/"))
        seen[role] = ("details corrected" in shown, "Document of northwind" in shown, "c-soon" in shown)
    assert seen == {
        role: (
            Right.READ_CORRECTIONS in RIGHTS[role],
            Right.READ_HEALTH in RIGHTS[role],
            Right.READ_CAMPAIGNS in RIGHTS[role],
        )
        for role in Role
    }


@pytest.mark.both_databases
def test_today_names_what_began_today_and_yesterday_by_the_companys_clock(console: ServerHome) -> None:
    Company.objects.update(time_zone="Pacific/Auckland")  # 13 hours ahead in summer
    now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)  # an hour past midnight there
    with clock.using(lambda: now):
        for name, hours in (("c-today", 0.5), ("c-yesterday", 2), ("c-before", 26), ("c-coming", -1)):
            bulk_data.publish(name, starts=now - timedelta(hours=hours), lasts=timedelta(days=30))
        client = client_of(account_of("a@northwind.example", Role.COMMUNICATOR))
        page = client.get("/").content.decode()
    Company.objects.update(time_zone="UTC")
    begun = re.findall(r"<h2>(Began \w+)</h2>(.*?)</section>", page, re.DOTALL)
    found = [(title, re.findall(r'href="/campaigns/([\w-]+)"', lines)) for title, lines in begun]
    assert found == [("Began today", ["c-today"]), ("Began yesterday", ["c-yesterday"])]
    assert "28 Nov, 00:30 NZDT" in page


def _refuse(_request: HttpRequest) -> HttpResponse:
    raise Refused("It is too late", "Begin another one.")


def _lack(_request: HttpRequest) -> HttpResponse:
    raise EnvironmentFault("The disk is full", "Make room.")


def _fail(_request: HttpRequest) -> HttpResponse:
    raise ValueError("a secret of the code")


@pytest.fixture
def failing(console: ServerHome) -> Iterator[Client]:
    """Somebody who is signed in, and the console with three pages more."""
    from server.console import urls

    client = client_of(account_of("a@northwind.example", Role.ADMINISTRATOR))
    client.raise_request_exception = False
    views = {"refused": _refuse, "lacking": _lack, "failing": _fail}
    more = [path(name, view, name=name) for name, view in views.items()]
    module = ModuleType("console_that_fails")
    vars(module).update(vars(urls) | {"urlpatterns": [*urls.urlpatterns, *more]})
    with override_settings(ROOT_URLCONF=module):
        yield client


@pytest.mark.parametrize(
    ("where", "status", "words"),
    [
        ("/refused", 409, ("It is too late", "Begin another one.", 'href="/campaigns"')),
        ("/lacking", 503, ("The disk is full", "Make room.", 'href="/campaigns"')),
        ("/nothing", 404, ("There is no such page", "Start page", 'href="/campaigns"')),
        ("/failing", 500, ("Something went wrong", "Try again", "Start page")),
    ],
)
@pytest.mark.expected_logs("Internal Server Error: /failing")
def test_errors_are_pages_that_say_what_to_do(
    failing: Client, where: str, status: int, words: tuple[str, ...]
) -> None:
    answer = failing.get(where)
    assert answer.status_code == status
    assert [word for word in words if word not in _text(answer)] == []
    assert "a secret of the code" not in _text(answer)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.expected_logs("503, database")
@pytest.mark.expected_logs("Service Unavailable", "database")
@pytest.mark.only_on("sqlite")
def test_a_database_that_is_away_is_told_as_that(console: ServerHome) -> None:
    browser = client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))
    browser.raise_request_exception = False
    database = console.folder / "tidings.sqlite3"
    away = database.rename(database.with_suffix(".away"))
    connection.close()
    database.mkdir()
    try:
        answers = [browser.get(where) for where in ("/", "/sign-in")]
    finally:
        connection.close()
        database.rmdir()
        away.rename(database)
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[0].status_code == 503
    assert "cannot use its database just now" in _text(answers[0])
    assert browser.get("/").status_code == 200


@pytest.mark.only_on("sqlite")
def test_a_full_disk_is_told_as_one_and_nothing_is_half_stored(console: ServerHome) -> None:
    browser = client_of(account_of("lea@northwind.example", Role.COMMUNICATOR))
    browser.get("/drafts")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # no page is free
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        for _number in range(40):
            answer = browser.post("/drafts/new", {"language": "en", "title": "x" * 4000})
            if answer.status_code == 503:
                break
        cursor.execute("PRAGMA max_page_count = 1073741823")
    assert "Its disk may be full" in _text(answer)
    count = Draft.objects.count()
    assert browser.post("/drafts/new", {"language": "en"}).status_code == 302
    assert Draft.objects.count() == count + 1
    Draft.objects.all().delete()

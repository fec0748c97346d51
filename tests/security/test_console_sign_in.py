"""Who comes into the console, and who does not: links, passwords, codes, sessions and addresses to go on to."""

import hashlib
import logging
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from server.access.roles import Role
from server.accounts import second_factor, sessions
from server.accounts.attempts import delete_expired_attempts
from server.accounts.console_address import host_of
from server.accounts.invitations import invite, remove, reset, use_link
from server.accounts.models import Account, Attempt, Session, SignInLink
from server.archives.closing import close_company
from server.audit.models import Chain, Entry
from server.console import assets
from server.core import clock
from server.core.errors import Refused
from server.directory.models import Company
from server.erasure_ledger.models import LedgerState
from server.logs import RedactingFormatter
from server.recovery.replay import catch_up
from tests.support.children import Child
from tests.support.ports import free_port
from tests.support.server import (
    bulk_data,
    django_ready,  # noqa: F401
)
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
from tests.support.server.run_command import run_command
from tests.support.waiting import PATIENCE_S, until

MORNING = datetime(2026, 11, 27, 8, tzinfo=UTC)
EMAIL = "lea@northwind.example"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    home = ServerHome(tmp_path_factory.mktemp("console") / "server")
    home.init()
    return home


@pytest.fixture
def console(made: ServerHome) -> Iterator[ServerHome]:
    with made.opened(), console_settings():
        yield made
        Account.objects.all().delete()
        Session.objects.all().delete()
        Company.objects.exclude(pk="northwind").delete()


@pytest.fixture
def link(console: ServerHome) -> str:
    """Where the link of a new account leads."""
    return f"/welcome/{invite(bulk_data.company(), EMAIL, [Role.COMMUNICATOR], 'test')[1]}"


BOTH = {"password": PASSWORD, "again": PASSWORD}


def is_in(client: Client) -> bool:
    """Whether the start page opens, as it does for those who are signed in with a second factor."""
    return client.get("/").status_code == 200


def begun(email: str = EMAIL) -> Client:
    """A browser in which the password was typed, and no code yet."""
    client = client_of()
    answer = client.post("/sign-in", {"login": email, "password": PASSWORD})
    assert answer.headers["Location"] == "/sign-in/second-step"
    return client


# --- Links -----------------------------------------------------------------------------------------


def test_opening_a_link_uses_nothing(link: str) -> None:
    for _time in range(3):
        assert client_of().get(link).status_code == 200
    assert client_of().head(link).status_code == 200
    assert SignInLink.objects.exists()


def test_a_link_works_once_for_one_of_two_who_opened_it(link: str) -> None:
    first, second = client_of(), client_of()
    assert (first.get(link).status_code, second.get(link).status_code) == (200, 200)
    assert first.post(link, BOTH).status_code == 302
    late = second.post(link, {"password": "a password of a thief", "again": "a password of a thief"})
    assert (late.status_code, "_auth_user_id" in second.session) == (410, False)
    assert Account.objects.get().check_password(PASSWORD)
    assert client_of().get(link).status_code == 410


def test_a_link_that_was_used_meanwhile_sets_no_password(link: str) -> None:
    token = link.rpartition("/")[2]
    assert use_link(token, PASSWORD) is not None
    assert use_link(token, "another password") is None


def test_a_link_ends_after_a_day(link: str) -> None:
    with clock.using(lambda: datetime.now(UTC) + timedelta(hours=24, seconds=1)):
        assert client_of().get(link).status_code == 410
        assert client_of().post(link, BOTH).status_code == 410


@pytest.mark.parametrize(
    ("password", "again"),
    [
        ("too short", "too short"),
        ("password1234", "password1234"),
        ("lea@northwind.example", "lea@northwind.example"),
        (PASSWORD, PASSWORD + "?"),
        ("", ""),
    ],
)
def test_a_bad_password_does_not_use_the_link(link: str, password: str, again: str) -> None:
    answer = client_of().post(link, {"password": password, "again": again})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert SignInLink.objects.exists()


def test_the_database_holds_no_link_and_no_secret_of_a_factor(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.DPO)
    token = reset(account, "test")
    account_of("other@northwind.example", Role.DPO)
    secret = secret_of(Account.objects.get(email="other@northwind.example"))
    stored = str(list(SignInLink.objects.values())) + str(list(Authenticator.objects.values()))
    assert token not in stored
    assert secret not in stored


def test_a_link_stands_in_no_log(made: ServerHome, tmp_path: Path) -> None:
    line = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "Internal Server Error: /welcome/a-_Z09", None, None
    )
    assert "a-_Z09" not in RedactingFormatter().format(line)
    with running_console(made) as console:
        link = console.invite(EMAIL, "dpo")
        session = requests.Session()
        assert session.post(link, BOTH, timeout=PATIENCE_S).status_code == 403
        assert session.get(link, headers={"Host": "evil.example"}, timeout=PATIENCE_S).status_code == 400
        assert session.get(link, timeout=PATIENCE_S).status_code == 200
    assert link.rpartition("/")[2] not in (made.folder / "console.log").read_text()
    made.succeed("console", "remove", EMAIL)


# --- The second factor -----------------------------------------------------------------------------


def test_without_a_second_factor_every_page_leads_to_where_it_is_set_up(link: str) -> None:
    client = client_of()
    client.post(link, BOTH)
    for path in ("/", "/campaigns", "/account", "/account/recovery-codes", "/account/recovery-codes/new"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/account/second-factor/new"), path
    assert client.get("/account/second-factor/new").status_code == 200


def test_a_password_alone_lets_nobody_in(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of()
    answer = client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    assert answer.headers["Location"] == "/sign-in/second-step"
    assert not is_in(client)


def test_password_and_code_let_the_person_in_and_the_code_is_then_used_up(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    shown = code(secret_of(account))
    for expected in (True, False):
        client = client_of()
        client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
        client.post("/sign-in/second-step", {"code": shown})
        assert is_in(client) == expected
    account.refresh_from_db()
    assert account.signed_in_month is not None
    assert account.signed_in_month.day == 1


def test_codes_cannot_be_tried_one_after_the_other(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of()
    client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    right = code(secret_of(account))
    for wrong in range(5):
        client.post("/sign-in/second-step", {"code": f"{(int(right) + 1 + wrong) % 1_000_000:06}"})
    answer = client.post("/sign-in/second-step", {"code": right})
    assert "Too many attempts" in answer.content.decode()
    assert not is_in(client)


def test_passwords_cannot_be_tried_one_after_the_other(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of()
    for wrong in range(5):
        client.post("/sign-in", {"login": EMAIL, "password": f"wrong password {wrong}"})
    answer = client_of().post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    assert "Too many attempts" in answer.content.decode()


def test_whether_an_address_has_an_account_is_not_told(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    known = client_of().post("/sign-in", {"login": EMAIL, "password": "wrong password"})
    unknown = client_of().post("/sign-in", {"login": "no@northwind.example", "password": "wrong password"})
    texts = [answer.content.decode() for answer in (known, unknown)]
    assert texts[0].replace(EMAIL, "") != ""
    assert "do not belong together" in texts[0]
    assert "do not belong together" in texts[1]


def test_another_factor_needs_a_fresh_code_and_recovery_codes_are_shown_once(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of(account)
    for path in ("/account/second-factor/change", "/account/recovery-codes/new"):
        answer = client.get(path)
        assert answer.headers["Location"].startswith("/account/confirm?"), path
        assert client.post(path).headers["Location"].startswith("/account/confirm?"), path
    assert Authenticator.objects.filter(user=account, type="totp").exists()
    client.post("/account/confirm", {"code": code(secret_of(account))})
    assert client.post("/account/recovery-codes/new").status_code == 302
    first, second = (client.get("/account/recovery-codes").content.decode() for _time in range(2))
    assert first.count("<li>") - second.count("<li>") == 10
    assert "10 codes are left" in second


def new_secret(page: str) -> str:
    """What a page that sets an app up gives it."""
    found = re.search(r'<span class="code">([A-Z2-7]{32})</span>', page)
    assert found, page
    return found[1]


CHANGE = "/account/second-factor/change"


def to_change(account: Account) -> tuple[Client, str]:
    """A browser that has just typed a code of the present app, and the secret of the next one."""
    client = client_of(account)
    client.get(CHANGE)
    client.post("/account/confirm", {"code": code(secret_of(account))})
    return client, new_secret(client.get(CHANGE).content.decode())


@pytest.mark.expected_logs("older than what happened since")
def test_an_app_that_was_replaced_lets_nobody_in_after_a_backup_was_restored(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    backup = list(Authenticator.objects.all())
    client, new = to_change(account)
    assert client.post(CHANGE, {"code": code(new)}).status_code == 302
    Authenticator.objects.all().delete()
    for row in backup:
        row.save(force_insert=True)
    LedgerState.objects.all().delete()
    catch_up()
    assert not Account.objects.get(pk=account.pk).has_usable_password()
    assert not Authenticator.objects.filter(user=account).exists()


@pytest.mark.expected_logs("older than what happened since")
def test_a_session_that_was_ended_everywhere_is_not_back_after_a_backup_was_restored(
    console: ServerHome,
) -> None:
    thief = client_of(account_of(EMAIL, Role.ADMINISTRATOR))
    rows, chains = list(Session.objects.all()), list(Chain.objects.all())
    newest = Entry.objects.order_by("-number")[0].number
    client_of(Account.objects.get()).post("/account/sign-out-everywhere")
    assert Entry.objects.order_by("-number")[0].action == "sign-out-everywhere"
    assert not is_in(thief)
    with connection.cursor() as cursor:  # the model forbids it
        cursor.execute(f"DELETE FROM {Entry._meta.db_table} WHERE number > %s", [newest])
    for row in (*rows, *chains):
        row.save()
    catch_up()
    assert not Session.objects.exists()
    assert not is_in(thief)


@pytest.mark.expected_logs("older than what happened since")
@pytest.mark.parametrize("act", ["use", "replace"])
def test_recovery_codes_that_were_used_or_replaced_let_nobody_in_after_a_backup_was_restored(
    console: ServerHome, act: str
) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    RecoveryCodes.activate(account)
    stolen = Authenticator.objects.get(user=account, type="recovery_codes").wrap().get_unused_codes()[0]
    rows, chains = list(Authenticator.objects.all()), list(Chain.objects.all())
    newest = Entry.objects.order_by("-number")[0].number
    if act == "use":
        client = begun()
        assert client.post("/sign-in/second-step", {"code": stolen}).status_code == 302
        assert is_in(client)
    else:
        client, _new = to_change(account)
        assert client.post("/account/recovery-codes/new").status_code == 302
    assert Entry.objects.order_by("-number")[0].number > newest, "it is on record"
    with connection.cursor() as cursor:  # the model forbids it
        cursor.execute(f"DELETE FROM {Entry._meta.db_table} WHERE number > %s", [newest])
    Authenticator.objects.all().delete()
    for row in (*rows, *chains):
        row.save()
    catch_up()
    thief = begun()
    thief.post("/sign-in/second-step", {"code": stolen})
    assert not is_in(thief)
    owner = begun()
    owner.post("/sign-in/second-step", {"code": code(secret_of(account), steps=1)})
    assert is_in(owner), "the app holds"


def test_what_happens_to_an_account_is_on_record_without_a_name(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client, new = to_change(account)
    client.post(CHANGE, {"code": code(new)})
    client.post("/account/sign-out-everywhere")
    acts = list(Entry.objects.order_by("number").values_list("action", flat=True))
    for act in ("use-link", "set-up-second-factor", "sign-out-everywhere"):
        assert act in acts
    assert not Entry.objects.filter(detail__contains=EMAIL).exists()
    assert not Entry.objects.filter(actor__contains=EMAIL).exists()


def test_the_present_app_holds_until_a_code_of_the_new_one_is_typed(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    former = secret_of(account)
    client, _new = to_change(account)
    assert client.post(CHANGE, {"code": "wrong"}).status_code == 200
    assert client.post(CHANGE, {"code": code(former, steps=1)}).status_code == 200
    assert secret_of(account) == former
    thief = begun()
    assert not is_in(thief)
    assert thief.get("/account/second-factor/new").headers["Location"].startswith("/sign-in")


def test_a_new_app_takes_the_place_of_the_former_in_one_step(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    RecoveryCodes.activate(account)
    former = Authenticator.objects.get(user=account, type="recovery_codes").wrap().get_unused_codes()
    client, new = to_change(account)
    other, waiting = client_of(account), begun()
    assert client.post(CHANGE, {"code": code(new)}).headers["Location"] == "/account/recovery-codes"
    assert secret_of(account) == new
    codes = Authenticator.objects.get(user=account, type="recovery_codes").wrap().get_unused_codes()
    assert len(codes) == 10
    assert not set(codes) & set(former)
    waiting.post("/sign-in/second-step", {"code": code(new, steps=1)})
    assert [is_in(browser) for browser in (client, other, waiting)] == [True, False, False]


def test_the_first_app_ends_sessions_that_were_begun_without_it(link: str) -> None:
    client = client_of()
    client.post(link, BOTH)
    thief = client_of()
    thief.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    secret = new_secret(client.get("/account/second-factor/new").content.decode())
    client.post("/account/second-factor/new", {"code": code(secret)})
    assert [is_in(browser) for browser in (client, thief)] == [True, False]


@pytest.mark.parametrize("page", ["/account/second-factor/new", CHANGE])
def test_the_code_that_switched_an_app_on_lets_nobody_in(console: ServerHome, page: str) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client, new = to_change(account)
    if page != CHANGE:
        second_factor.switch_off(account)
        new = new_secret(client.get(page).content.decode())
    shown = code(new, steps=1)  # which is taken for a minute still
    assert client.post(page, {"code": shown}).status_code == 302
    again = begun()
    again.post("/sign-in/second-step", {"code": shown})
    assert not is_in(again)
    again.post("/sign-in/second-step", {"code": code(new)})
    assert is_in(again)


def test_what_allauth_has_besides_is_not_there(console: ServerHome) -> None:
    client = client_of(account_of(EMAIL, Role.ADMINISTRATOR))
    others = (
        "signup/",
        "password/reset/",
        "email/",
        "password/change/",
        "login/code/",
        "confirm-email/",
        "2fa/",
    )
    for path in ("/sign-up", *(f"{root}{path}" for root in ("/", "/accounts/") for path in others)):
        assert client.get(path).status_code == 404, path


# --- The password -----------------------------------------------------------------------------------

ANOTHER = "zwei Fässer voller Sterne"
PASSWORD_PAGE = "/account/password"


def confirmed(account: Account) -> Client:
    """A browser of somebody who has just shown their second factor."""
    client = client_of(account)
    client.post("/account/confirm", {"code": code(secret_of(account))})
    return client


@pytest.mark.expected_logs("older than what happened since")
def test_a_person_changes_their_password_and_the_former_is_worth_nothing(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.COMMUNICATOR)
    stranger = client_of(account)
    words = {"present": PASSWORD, "password": ANOTHER, "again": ANOTHER}
    asked = stranger.post(PASSWORD_PAGE, words)
    assert asked.headers["Location"] == "/account/confirm?next=%2Faccount%2Fpassword"
    assert ANOTHER not in str(stranger.session.items()), "what was sent without a code is not kept"
    client, waiting = confirmed(account), begun()
    assert client.post(PASSWORD_PAGE, words).headers["Location"] == "/account?done=password"
    assert "password is changed" in client.get("/account?done=password").content.decode()
    waiting.post("/sign-in/second-step", {"code": code(secret_of(account), steps=1)})
    assert [is_in(browser) for browser in (client, stranger, waiting)] == [True, False, False]
    newest = Entry.objects.order_by("-number")[0]
    assert (newest.action, newest.detail) == ("change-password", "{}")
    assert Account.objects.get().check_password(ANOTHER)
    account.save()  # the former one comes back with a backup
    LedgerState.objects.all().delete()
    catch_up()
    assert not Account.objects.get().has_usable_password()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"present": ANOTHER}, "This is not your present password."),
        ({"password": "too short", "again": "too short"}, "too short"),
        ({"again": PASSWORD}, "another password than the one above"),
        ({"password": EMAIL, "again": EMAIL}, "too similar"),
    ],
)
def test_a_password_that_is_not_taken_leaves_all_as_it_was(
    console: ServerHome, words: dict[str, str], told: str
) -> None:
    account = account_of(EMAIL, Role.COMMUNICATOR)
    other, client = client_of(account), confirmed(account)
    answer = client.post(PASSWORD_PAGE, {"present": PASSWORD, "password": ANOTHER, "again": ANOTHER} | words)
    page = answer.content.decode()
    assert (answer.status_code, 'role="alert"' in page, told in page) == (200, True, True)
    assert Account.objects.get().check_password(PASSWORD)
    assert is_in(other)


# --- Attempts --------------------------------------------------------------------------------------


def flood() -> None:
    """Empty forms from more networks than a cache of Django's holds entries."""
    for number in range(320):
        client_of().post("/sign-in", {}, REMOTE_ADDR=f"2001:db8:{number:x}::1")


def type_wrong_passwords(email: str, network: str = "192.0.2.77") -> None:
    """As often as makes the console take no more of them for a while."""
    for wrong in range(5):
        words = {"login": email, "password": f"wrong password {wrong}"}
        client_of().post("/sign-in", words, REMOTE_ADDR=network)


def test_a_flood_of_attempts_from_other_networks_makes_no_limit_forgotten(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    type_wrong_passwords(EMAIL)
    flood()
    answer = client_of().post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    assert "Too many attempts" in answer.content.decode()


def test_a_flood_of_attempts_from_other_networks_makes_no_used_code_good_again(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    shown = code(secret_of(account), steps=1)  # which is taken for a minute still
    first, second = client_of(), client_of()
    for client in (first, second):
        client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    first.post("/sign-in/second-step", {"code": shown})
    flood()
    second.post("/sign-in/second-step", {"code": shown})
    assert [is_in(first), is_in(second)] == [True, False]


def test_the_port_in_the_name_of_the_host_gives_no_further_attempts(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    type_wrong_passwords(EMAIL)
    for host in ("testserver:1", "testserver:2", "TESTSERVER", "testserver."):
        answer = client_of(host=host).post("/sign-in", {"login": EMAIL, "password": PASSWORD})
        assert "Too many attempts" in answer.content.decode(), host


def test_a_restart_makes_no_limit_forgotten(made: ServerHome) -> None:
    for before in (True, False):
        with running_console(made) as console:
            session = requests.Session()
            page = session.get(f"{console.url}/sign-in", timeout=PATIENCE_S).text
            found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
            assert found
            words = {"login": "ada@northwind.example", "password": "wrong", "csrfmiddlewaretoken": found[1]}
            send = partial(session.post, f"{console.url}/sign-in", words, timeout=PATIENCE_S)
            if before:
                assert "Too many attempts" not in [send() for _time in range(5)][-1].text
            assert "Too many attempts" in send().text


def test_of_attempts_the_database_holds_neither_networks_nor_names(console: ServerHome) -> None:
    client_of().post("/sign-in", {}, REMOTE_ADDR="192.0.2.78")
    assert not Attempt.objects.exists()
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of()
    client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    client.post("/sign-in/second-step", {"code": code(secret_of(account))})
    type_wrong_passwords("other@northwind.example")
    stored = str(list(Attempt.objects.values()))
    plain = hashlib.sha256(b"other@northwind.example").hexdigest()
    assert Attempt.objects.exists()
    said = (EMAIL, "other@", plain, "127.0.0.1", "192.0.2.", "code=")
    assert not [word for word in said if word in stored]


def test_attempts_count_for_minutes_and_are_then_deleted(console: ServerHome) -> None:
    type_wrong_passwords("ada@northwind.example")
    type_wrong_passwords("bob@northwind.example", network="192.0.2.79")
    assert delete_expired_attempts(dry_run=False) == 0
    with clock.using(lambda: datetime.now(UTC) + timedelta(minutes=5, seconds=1)):
        answer = client_of().post("/sign-in", {"login": "ada@northwind.example", "password": PASSWORD})
        assert "do not belong together" in answer.content.decode()
        assert Attempt.objects.count() == 1
    with clock.using(lambda: datetime.now(UTC) + timedelta(hours=1)):
        assert delete_expired_attempts(dry_run=True) == 1
        assert delete_expired_attempts(dry_run=False) == 1


def test_looking_at_the_form_to_sign_in_writes_nothing(console: ServerHome) -> None:
    type_wrong_passwords(EMAIL)
    with CaptureQueriesContext(connection) as asked:
        assert client_of().get("/sign-in").status_code == 200
    assert [query["sql"] for query in asked if not query["sql"].startswith("SELECT")] == []


# --- Sessions --------------------------------------------------------------------------------------


def test_a_session_that_somebody_planted_is_not_the_one_after_the_sign_in(link: str) -> None:
    client = client_of()
    client.get(link)
    planted = "x" * 32
    client.cookies["tidings-session"] = planted
    client.post(link, BOTH)
    assert client.cookies["tidings-session"].value != planted
    stranger = client_of()
    stranger.cookies["tidings-session"] = planted
    assert stranger.get("/account/second-factor/new").headers["Location"].startswith("/sign-in")


def test_the_session_before_the_second_step_is_not_the_one_after_it(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of()
    client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    before = client.cookies["tidings-session"].value
    client.post("/sign-in/second-step", {"code": code(secret_of(account))})
    assert client.cookies["tidings-session"].value != before


@pytest.mark.parametrize(
    ("steps", "lasts"),
    [
        ([29], True),
        ([31], False),
        ([20] * 30, True),
        ([20] * 36, False),
    ],
)
def test_a_session_ends_when_nobody_is_there_and_after_twelve_hours(
    console: ServerHome, steps: list[int], lasts: bool
) -> None:
    account, moments = account_of(EMAIL, Role.ADMINISTRATOR), [MORNING]
    with clock.using(lambda: moments[-1]):
        client = client_of(account)
        for minutes in steps:
            moments.append(moments[-1] + timedelta(minutes=minutes))
            answer = client.get("/")
        assert (answer.status_code == 200) == lasts


@pytest.mark.parametrize("end", [reset, remove], ids=["reset", "removed"])
def test_an_account_that_ends_takes_its_sessions_along(
    console: ServerHome, end: Callable[[Account, str], object]
) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    one, two = client_of(account), client_of(account)
    assert is_in(one)
    end(account, "test")
    assert not is_in(one)
    assert not is_in(two)


def purge(account: Account, _actor: str) -> None:
    """Erase the account's person."""
    run_command("purge", "--yes", account.email, "--company", "northwind")


def try_everything(account: Account) -> None:
    """All that the console counts at an account or notes of it: passwords, codes, and confirmations."""
    client = begun(account.email)
    for wrong in ("000000", "000001"):
        client.post("/sign-in/second-step", {"code": wrong})
    client.post("/sign-in/second-step", {"code": code(secret_of(account))})
    client.post("/account/confirm", {"code": "000002"})
    type_wrong_passwords(account.email, network="192.0.2.80")


def close(account: Account, _actor: str) -> None:
    """Close the account's company."""
    close_company(account.company)


@pytest.mark.parametrize("end", [remove, purge, close])
def test_an_account_that_ends_takes_all_along_that_was_tried_at_it(
    console: ServerHome, end: Callable[[Account, str], object]
) -> None:
    other = Company.objects.create(id="other", name="Other", legal_name="Other", region="eu")
    account_of(EMAIL, Role.ADMINISTRATOR, company="northwind" if end is close else other.pk)
    person = bulk_data.add_people(1)[0]
    account = account_of(person.email, Role.ADMINISTRATOR, company=other.pk if end is close else "northwind")
    try_everything(account)
    type_wrong_passwords(EMAIL, network="192.0.2.79")
    assert Attempt.objects.count() == 5
    end(account, "test")
    answer = client_of().post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    assert "Too many attempts" in answer.content.decode()
    assert Attempt.objects.count() == 1


def test_a_purge_takes_along_what_a_person_without_an_account_tried(console: ServerHome) -> None:
    person = bulk_data.add_people(1)[0]
    type_wrong_passwords(person.email)
    assert Attempt.objects.exists()
    run_command("purge", "--yes", person.email, "--company", "northwind")
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("end", [reset, remove, purge])
def test_an_account_that_ends_takes_sign_ins_along_that_wait_for_a_code(
    console: ServerHome, end: Callable[[Account, str], object]
) -> None:
    person = bulk_data.add_people(1)[0]
    account = account_of(person.email, Role.ADMINISTRATOR)
    client = begun(person.email)
    end(account, "test")
    assert not Session.objects.exists()
    assert client.get("/sign-in/second-step").headers["Location"] == "/sign-in"
    assert client.get("/sign-in").status_code == 200


@pytest.mark.parametrize("end", ["gone", "password"])
def test_a_sign_in_that_was_stored_after_its_account_ended_leads_back_to_the_form(
    console: ServerHome, end: str
) -> None:
    """As by a request that was under way meanwhile."""
    account, other = (account_of(f"{name}@northwind.example", Role.DPO) for name in ("lea", "other"))
    client = begun()
    Session.objects.update(account=other)
    if end == "gone":
        account.delete()
    else:
        account.set_password("another password of hers")
        account.save()
    answer = client.post("/sign-in/second-step", {"code": code(secret_of(other))})
    assert answer.headers["Location"] == "/sign-in"
    assert client.get("/sign-in").status_code == 200
    assert not is_in(client)


def test_a_new_app_does_not_let_a_sign_in_with_the_former_password_in(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client = begun()
    assert use_link(reset(account, "test"), "another password of hers")
    TOTP.activate(account, generate_totp_secret())
    client.post("/sign-in/second-step", {"code": code(secret_of(account))})
    assert not is_in(client)


def test_sign_out_everywhere_ends_every_session(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    one, two = client_of(account), client_of(account)
    other = client_of(account_of("other@northwind.example", Role.DPO))
    one.post("/account/sign-out-everywhere")
    assert [is_in(client) for client in (one, two, other)] == [False, False, True]


def test_a_link_or_a_picture_cannot_sign_anybody_out(console: ServerHome) -> None:
    client = client_of(account_of(EMAIL, Role.ADMINISTRATOR))
    client.get("/sign-out")
    assert client.get("/account/sign-out-everywhere").status_code == 405
    assert is_in(client)


def test_another_website_cannot_sign_somebody_in_as_another_person(console: ServerHome) -> None:
    account_of(EMAIL, Role.ADMINISTRATOR)
    client = Client(enforce_csrf_checks=True)
    client.get("/sign-in")
    assert client.post("/sign-in", {"login": EMAIL, "password": PASSWORD}).status_code == 403


def test_sessions_that_are_over_are_deleted_by_housekeeping(console: ServerHome) -> None:
    client_of(account_of(EMAIL, Role.ADMINISTRATOR))
    assert sessions.delete_expired_sessions(dry_run=False) == 0
    with clock.using(lambda: datetime.now(UTC) + timedelta(hours=13)):
        assert sessions.delete_expired_sessions(dry_run=True) == 1
        assert sessions.delete_expired_sessions(dry_run=False) == 1


# --- Where a sign-in goes on to ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "https:evil.example",
        "javascript:alert(1)",
        "http://testserver@evil.example/",
        "\thttps://evil.example/",
    ],
)
def test_a_sign_in_never_leads_to_another_host(console: ServerHome, onward: str) -> None:
    account = account_of(EMAIL, Role.ADMINISTRATOR)
    client = client_of()
    client.post("/sign-in", {"login": EMAIL, "password": PASSWORD, "next": onward})
    answer = client.post("/sign-in/second-step", {"code": code(secret_of(account))})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_sign_out_never_leads_to_another_host(console: ServerHome) -> None:
    client = client_of(account_of(EMAIL, Role.ADMINISTRATOR))
    answer = client.post("/sign-out", {"next": "https://evil.example/"})
    assert answer.headers["Location"] == "/sign-in"


# --- Companies and people ---------------------------------------------------------------------------


def test_an_account_ends_with_its_person_and_only_in_its_own_company(console: ServerHome) -> None:
    person = bulk_data.add_people(1)[0]
    other = Company.objects.create(id="other", name="Other", legal_name="Other", region="eu")
    account_of(person.email, Role.COMMUNICATOR)
    account_of("p0@other.example", Role.COMMUNICATOR, company=other.pk)
    run_command("purge", "--yes", person.email, "--company", "northwind")
    assert [account.email for account in Account.objects.all()] == ["p0@other.example"]


def test_the_audit_log_names_accounts_by_number_and_role(console: ServerHome) -> None:
    account = account_of(EMAIL, Role.COMMUNICATOR, Role.DPO)
    number = account.pk
    reset(account, "command-line")
    remove(account, account.actor)
    found = Entry.objects.filter(action__endswith="-account").order_by("-number")
    entries = list(found.values_list("actor", "action", "detail")[:3])
    assert entries == [
        (f"account {number} (communicator, dpo)", "remove-account", f'{{"account":{number}}}'),
        ("command-line", "reset-account", f'{{"account":{number}}}'),
        (
            "test",
            "invite-account",
            f'{{"account":{number},"roles":["communicator","dpo"]}}',
        ),
    ]


def test_commands_invite_list_reset_and_remove(
    console: ServerHome, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command("console", "invite", "Lea@Northwind.example", "--role", "dpo", "communicator")
    run_command("console", "accounts")
    run_command("console", "reset", EMAIL, "--address", "https://console.example")
    run_command("console", "remove", EMAIL)
    with override_settings(CONSOLE="https://named.example/"):
        run_command("console", "invite", EMAIL, "--role", "dpo")
    run_command("console", "remove", EMAIL)
    printed = capsys.readouterr().out
    assert "http://127.0.0.1:8410/welcome/" in printed
    assert "https://named.example/welcome/" in printed
    assert f"{EMAIL}\tcommunicator, dpo\t-\tno second factor" in printed
    assert "https://console.example/welcome/" in printed
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://console.example",
        "console.example",
        "https://",
        "https://a:b@console.example",
        "https://console.example/path",
        "ftp://127.0.0.1",
        "https://*",
        "https://*.example",
        "https://.example",
        "https://console..example",
        "https://-console.example",
        "https://con_sole.example",
        "https://con sole.example",
        "https://a\r\nb.example",
        "https://a\tb.example",
        "https://console.example\n",
        "\x01https://console.example",
        "https://console.example\u202e",
        "https://consol\u00ade.example",
        "https://con%73ole.example",
        "https://console.example\\x",
        "https://@console.example",
        "https://:@console.example",
        "https://console.example?",
        "https://console.example#",
        "https://console.example:0",
        "https://console.example:99999",
        "https://console.example:https",
        "https://1.2.3",
        "https://0x7f.1",
        "https://256.1.1.1",
        "https://0.0.0.0",
        "https://[::]",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 130 + "example",
        "http://[::2]",
        "http://127.0.0.1.example",
    ],
)
def test_no_address_is_taken_under_which_passwords_would_travel_unprotected(
    console: ServerHome, address: str
) -> None:
    with pytest.raises(Refused, match="no address of a console"):
        run_command("console", "invite", EMAIL, "--role", "dpo", "--address", address)
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("address", "sent", "host"),
    [
        ("https://Console.Example./", "https://console.example", "console.example"),
        ("HTTPS://console.example:8443", "https://console.example:8443", "console.example:8443"),
        ("https://console.example:", "https://console.example", "console.example"),
        ("https://wöchner.example", "https://xn--wchner-wxa.example", "xn--wchner-wxa.example"),
        ("https://192.0.2.7", "https://192.0.2.7", "192.0.2.7"),
        ("http://[::1]:8410", "http://[::1]:8410", "[::1]:8410"),
        ("http://localhost:8410", "http://localhost:8410", "localhost:8410"),
        ("https://console", "https://console", "console"),
    ],
)
def test_the_console_answers_to_the_one_host_that_its_address_names(
    console: ServerHome, capsys: pytest.CaptureFixture[str], address: str, sent: str, host: str
) -> None:
    run_command("console", "invite", EMAIL, "--role", "dpo", "--address", address)
    assert f"{sent}/welcome/" in capsys.readouterr().out
    with override_settings(ALLOWED_HOSTS=[host_of(sent)]):
        client = client_of()
        assert client.get("/sign-in", headers={"Host": host}).status_code == 200
        for other in ("evil.example", f"x.{host}", "xn--wchner-wxb.example"):
            assert client.get("/sign-in", headers={"Host": other}).status_code == 400


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("serve", "--address", "https://*"), "https://* is no address of a console"),
        (("serve", "--port", "99999"), "There is no port 99999"),
        (("serve", "--host", ".example", "--address", "https://a.example"), "The host is unknown"),
        (("serve", "--host", "192.0.2.1", "--address", "https://a.example"), "Choose another address"),
        (("invite", "a\x1b[31m\n@x", "--role", "dpo"), "a·[31m·@x is no e-mail address"),
        (("remove", "a\x1b[31m\n@x"), "a·[31m·@x has no account"),
        (("reset", "a\u202e@x"), "a·@x has no account"),
        (("invite", EMAIL, "--role", "dpo", "--address", "https://\x1b[31m"), "https://·[31m is no address"),
        (("accounts", "--company", "\x1b[31m\n"), "·[31m·"),
    ],
)
def test_what_cannot_be_done_is_told_in_words_without_what_a_terminal_obeys(
    made: ServerHome, words: tuple[str, ...], told: str
) -> None:
    done = made.command("console", *words)
    assert done.returncode == 1, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not set("\x1b\u202e") & set(done.stderr)
    assert len(done.stderr.splitlines()) == 2


def test_behind_a_proxy_cookies_are_for_this_host_and_tls_alone(made: ServerHome) -> None:
    home = ServerHome(made.folder, environment={"TIDINGS_CONSOLE": "https://console.example"})
    port = free_port()
    words = [sys.executable, "-m", "server", "console", "serve", "--port", str(port)]
    with Child(words, made.folder / "proxied.log", env=home.variables()):
        headers = {"Host": "console.example"}
        url = f"http://127.0.0.1:{port}/sign-in"
        answer = until(lambda: _answer(url, headers), "the console to answer")
        assert requests.get(url, timeout=PATIENCE_S).status_code == 400
        style = f"http://127.0.0.1:{port}{assets.addresses()['console.css']}"
        file = requests.get(style, timeout=PATIENCE_S)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-tidings-csrf=")
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    for each in (answer, file):
        assert each.headers["Strict-Transport-Security"].startswith("max-age=")


def _answer(url: str, headers: dict[str, str]) -> requests.Response | None:
    try:
        answer = requests.get(url, headers=headers, timeout=5)
    except (requests.ConnectionError, requests.Timeout):
        return None
    return answer if answer.ok else None

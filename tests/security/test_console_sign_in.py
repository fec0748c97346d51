"""Who comes into the console, and who does not: links, passwords, codes and other apps for them."""

import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection
from django.test import Client

from server.access.roles import Role
from server.accounts import second_factor
from server.accounts.invitations import reset, use_link
from server.accounts.models import Account, Session, SignInLink
from server.audit.models import Chain, Entry
from server.core import clock
from server.erasure_ledger.models import LedgerState
from server.logs import RedactingFormatter
from server.recovery.replay import catch_up
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import (
    PASSWORD,
    account_of,
    client_of,
    code,
    running_console,
    secret_of,
)
from tests.support.server.signing_in import BOTH, EMAIL, begun, is_in
from tests.support.waiting import PATIENCE_S


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


def test_a_link_stands_in_no_log(made_console: ServerHome, tmp_path: Path) -> None:
    line = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "Internal Server Error: /welcome/a-_Z09", None, None
    )
    assert "a-_Z09" not in RedactingFormatter().format(line)
    with running_console(made_console) as console:
        link = console.invite(EMAIL, "dpo")
        session = requests.Session()
        assert session.post(link, BOTH, timeout=PATIENCE_S).status_code == 403
        assert session.get(link, headers={"Host": "evil.example"}, timeout=PATIENCE_S).status_code == 400
        assert session.get(link, timeout=PATIENCE_S).status_code == 200
    assert link.rpartition("/")[2] not in (made_console.folder / "console.log").read_text()
    made_console.succeed("console", "remove", EMAIL)


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

"""A session of the console is nobody else's, leads nowhere else, and ends: by time, by hand, with its account."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from server.access.roles import Role
from server.accounts import sessions
from server.accounts.invitations import remove, reset, use_link
from server.accounts.models import Account, Attempt, Session
from server.archives.closing import close_company
from server.audit.models import Entry
from server.core import clock
from server.directory.models import Company
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
    secret_of,
)
from tests.support.server.run_command import run_command
from tests.support.server.signing_in import BOTH, EMAIL, begun, is_in, type_wrong_passwords

MORNING = datetime(2026, 11, 27, 8, tzinfo=UTC)


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

"""Passkeys let their own person in, on this console's own address, once for each challenge; and nobody else."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings

from server.access.roles import Role
from server.accounts import passkeys, second_factor
from server.accounts.models import Account, Session
from server.audit.models import Entry
from server.directory.models import Company
from server.erasure_ledger.models import LedgerState
from server.recovery.replay import catch_up
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import PASSWORD, account_of, client_of, code, console_settings, secret_of
from tests.support.server.passkey import PRESENT, Passkey

SITE = "console.example"
ORIGIN = f"https://{SITE}"
EMAIL = "lea@northwind.example"
NEW, SIGN_IN, SECOND, CONFIRM = (
    "/account/passkeys/new",
    "/sign-in/passkey",
    "/sign-in/second-step",
    "/account/confirm",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    home = ServerHome(tmp_path_factory.mktemp("passkeys") / "server")
    home.init()
    return home


@pytest.fixture
def lea(made: ServerHome) -> Iterator[Account]:
    with made.opened(), console_settings(), override_settings(ADDRESS=ORIGIN):
        yield account_of(EMAIL, Role.COMMUNICATOR)
        Account.objects.all().delete()
        Session.objects.all().delete()
        Company.objects.exclude(pk="northwind").delete()


def confirmed(account: Account, steps: int = 0) -> Client:
    """A browser of somebody who has just typed a code."""
    client = client_of(account)
    client.post(CONFIRM, {"code": code(secret_of(account), steps)})
    return client


def options_on(client: Client, path: str) -> dict[str, Any]:
    """What a page tells the browser."""
    found = re.search(r'id="passkey-options"[^>]*>(.*?)</script>', client.get(path).content.decode())
    assert found, path
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


def given(account: Account, passkey: Passkey, client: Client | None = None) -> Client:
    """A browser in which the account was given the passkey."""
    client = client or confirmed(account)
    options = options_on(client, NEW)["creation_options"]
    answer = client.post(NEW, {"name": "Work laptop", "credential": passkey.made(options)})
    assert answer.headers.get("Location") == "/account?done=passkey-added", answer.content.decode()
    return client


def challenged(client: Client) -> dict[str, Any]:
    """What the sign-in asks of a passkey."""
    answer = client.get(SIGN_IN, headers={"Accept": "application/json"})
    options: dict[str, Any] = answer.json()["request_options"]
    return options


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def actions() -> list[str]:
    return list(Entry.objects.order_by("number").values_list("action", flat=True))


def test_a_passkey_is_added_named_used_in_three_places_and_removed(lea: Account) -> None:
    assert client_of(lea).get(NEW).headers["Location"].startswith("/account/confirm?")
    passkey = Passkey(ORIGIN, SITE, counter=7)
    client = given(lea, passkey)
    stored = second_factor.passkeys_of(lea).get()
    assert set(stored.data["credential"]["response"]) == {"clientDataJSON", "attestationObject"}
    page = f"/account/passkeys/{stored.pk}"
    assert client.post(page, {"name": " The  blue key "}).status_code == 302
    assert "The blue key" in client.get("/account").content.decode()

    alone = client_of()
    answer = alone.post(SIGN_IN, {"credential": passkey.used(challenged(alone)), "next": "/account"})
    assert (answer.headers["Location"], is_in(alone)) == ("/account", True)
    second = client_of()
    second.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    second.post(SECOND, {"credential": passkey.used(options_on(second, SECOND)["request_options"])})
    assert is_in(second)
    options = options_on(second, f"{CONFIRM}?next={page}")["request_options"]
    answer = second.post(f"{CONFIRM}/passkey", {"credential": passkey.used(options), "next": page})
    assert answer.headers["Location"] == page

    assert second.post(page, {"remove": "1"}).headers["Location"] == "/account?done=passkey-removed"
    assert [is_in(browser) for browser in (second, alone)] == [True, False]
    late = client_of()
    answer = late.post(SIGN_IN, {"credential": passkey.used(challenged(late))})
    assert (answer.headers["Location"], is_in(late)) == ("/sign-in", False)
    assert actions()[-2:] == ["add-passkey", "remove-passkey"]
    assert not Entry.objects.filter(detail__contains="blue").exists()


def test_a_passkey_signs_nobody_in_twice_with_one_answer(lea: Account) -> None:
    passkey = Passkey(ORIGIN, SITE)
    given(lea, passkey)
    client, thief = client_of(), client_of()
    answer = passkey.used(challenged(client))
    challenged(thief)
    thief.post(SIGN_IN, {"credential": answer})
    assert not is_in(thief)
    client.post(SIGN_IN, {"credential": answer})
    assert is_in(client)
    client.post("/sign-out")
    client.post(SIGN_IN, {"credential": answer})
    assert [is_in(browser) for browser in (client, thief)] == [False, False]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://evil.console.example",
        "https://console.example:8443",
        "http://console.example",
        "https://console.example.evil.example",
    ],
)
def test_a_passkey_that_was_used_on_another_page_is_refused(lea: Account, origin: str) -> None:
    passkey = Passkey(ORIGIN, SITE)
    client = given(lea, passkey)
    passkey.origin = origin
    alone = client_of()
    alone.post(SIGN_IN, {"credential": passkey.used(challenged(alone))})
    assert not is_in(alone)
    other = Passkey(origin, SITE)
    answer = client.post(NEW, {"credential": other.made(options_on(client, NEW)["creation_options"])})
    assert "was not accepted" in answer.content.decode()
    assert second_factor.passkeys_of(lea).count() == 1


def test_a_passkey_of_another_site_or_without_its_persons_consent_is_refused(lea: Account) -> None:
    passkey = Passkey(ORIGIN, SITE)
    given(lea, passkey)
    client = client_of()
    client.post(SIGN_IN, {"credential": passkey.used(challenged(client), flags=PRESENT)})
    assert not is_in(client), "nobody showed a fingerprint, nor typed a PIN"
    client.post(SIGN_IN, {"credential": passkey.used(challenged(client), flags=0)})
    assert not is_in(client)
    passkey.site = "evil.example"
    client.post(SIGN_IN, {"credential": passkey.used(challenged(client))})
    assert not is_in(client)


def test_a_passkey_lets_nobody_in_as_another_person_nor_into_another_company(lea: Account) -> None:
    other = Company.objects.create(id="other", name="Other", legal_name="Other", region="eu")
    tom = account_of("tom@other.example", Role.ADMINISTRATOR, company=other.pk)
    mine, his = Passkey(ORIGIN, SITE), Passkey(ORIGIN, SITE)
    client = given(lea, mine)
    given(tom, his)
    stolen = second_factor.passkeys_of(tom).get()
    assert client.get(f"/account/passkeys/{stolen.pk}").status_code == 404
    assert client.post(f"/account/passkeys/{stolen.pk}", {"remove": "1"}).status_code == 404
    assert client.get(f"/account/passkeys/{10**30}").status_code == 404
    mine.of = his.of
    alone = client_of()
    alone.post(SIGN_IN, {"credential": mine.used(challenged(alone))})
    assert not is_in(alone)
    second = client_of()
    second.post("/sign-in", {"login": tom.email, "password": PASSWORD})
    answer = second.post(SECOND, {"credential": mine.used(options_on(second, SECOND)["request_options"])})
    assert "was not accepted" in answer.content.decode()
    assert not is_in(second)


def test_a_copied_passkey_ends_for_both(lea: Account) -> None:
    passkey = Passkey(ORIGIN, SITE, counter=3)
    given(lea, passkey)
    owner, thief = client_of(), client_of()
    owner.post(SIGN_IN, {"credential": passkey.used(challenged(owner))})
    assert is_in(owner)
    passkey.counter = 3  # a copy from before
    answer = thief.post(SIGN_IN, {"credential": passkey.used(challenged(thief))})
    assert (answer.headers["Location"], is_in(thief)) == ("/sign-in", False)
    assert "There are two of this passkey" in thief.get("/sign-in").content.decode()
    assert not second_factor.passkeys_of(lea).exists()
    assert actions()[-1] == "end-copied-passkey"
    assert second_factor.is_on(lea)


def test_an_answer_that_is_sent_twice_at_once_is_no_copy(lea: Account) -> None:
    """Both find the challenge in the session, which changes when the first is answered."""
    given(lea, Passkey(ORIGIN, SITE, counter=3))
    (passkey,) = second_factor.passkeys_of(lea)
    for counter in (4, 0):
        passkey.data["counter"] = min(counter, 3)
        passkey.save()
        assert passkeys.was_used(passkey, counter, b"one")
        with pytest.raises(LookupError):
            passkeys.was_used(passkey, counter, b"one")
        assert second_factor.passkeys_of(lea).exists()
        assert passkeys.was_used(passkey, 2 * counter, b"another")


@pytest.mark.expected_logs("older than what happened since")
def test_a_removed_passkey_lets_nobody_in_after_a_backup_was_restored(lea: Account) -> None:
    passkey, kept = Passkey(ORIGIN, SITE), Passkey(ORIGIN, SITE)
    client = given(lea, passkey)
    removed = second_factor.passkeys_of(lea).get()
    given(lea, kept, client)
    client.post(f"/account/passkeys/{removed.pk}", {"remove": "1"})
    removed.save(force_insert=True)
    LedgerState.objects.all().delete()
    catch_up()
    thief, owner = client_of(), client_of()
    thief.post(SIGN_IN, {"credential": passkey.used(challenged(thief))})
    owner.post(SIGN_IN, {"credential": kept.used(challenged(owner))})
    assert [is_in(browser) for browser in (thief, owner)] == [False, True]
    assert Account.objects.get(pk=lea.pk).check_password(PASSWORD), "nothing else ended"


def test_another_app_leaves_passkeys_and_there_are_ten_at_most(lea: Account) -> None:
    client = confirmed(lea)
    for _number in range(10):
        given(lea, Passkey(ORIGIN, SITE), client)
    assert client.get(NEW).status_code == 409
    page = client.get("/account/second-factor/change").content.decode()
    found = re.search(r'<span class="code">([A-Z2-7]{32})</span>', page)
    assert found
    assert client.post("/account/second-factor/change", {"code": code(found[1])}).status_code == 302
    assert second_factor.passkeys_of(lea).count() == 10
    assert Authenticator.objects.filter(user=lea, type="totp").count() == 1


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "x",
        "null",
        "[]",
        "5",
        "{}",
        '{"response": []}',
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", '
        '"authenticatorData": "AA", "signature": "AA", "userHandle": "ÿ", "attestationObject": "gIA"}}',
        "[" * 8000,
        "9" * 5000,
        '{"id": ' + "9" * 5000 + "}",
        '"' + "x" * 20_000 + '"',
    ],
)
def test_what_is_no_passkey_is_refused_in_words(lea: Account, sent: str) -> None:
    client = confirmed(lea)
    given(lea, Passkey(ORIGIN, SITE), client)
    options_on(client, NEW)
    assert client.post(NEW, {"name": "x", "credential": sent}).status_code == 200
    alone = client_of()
    challenged(alone)
    assert alone.post(SIGN_IN, {"credential": sent}).headers["Location"] == "/sign-in"
    told = [alone.get("/sign-in").content.decode() for _time in range(2)]
    assert ["was not accepted" in page for page in told] == [True, False], "once"
    assert second_factor.passkeys_of(lea).count() == 1


def test_a_console_at_a_bare_address_offers_no_passkeys(lea: Account) -> None:
    client = confirmed(lea)
    assert NEW in client.get("/account").content.decode()
    assert "data-passkey" in client_of().get("/sign-in").content.decode()
    with override_settings(ADDRESS="http://127.0.0.1:8410"):
        assert NEW not in client.get("/account").content.decode()
        assert "data-passkey" not in client_of().get("/sign-in").content.decode()

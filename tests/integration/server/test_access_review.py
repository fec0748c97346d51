"""Every 90 days somebody looks at who may do what, and keeps it or takes it away."""

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from server.access.models import AccessToken
from server.access.roles import Role
from server.access.tokens import create
from server.accounts import review
from server.accounts.invitations import bind, invite
from server.accounts.models import Account
from server.accounts.review import Overtaken, access_in, seal_of
from server.audit.models import Entry
from server.core import clock
from server.directory.models import Company, Group
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, code, console_settings, secret_of
from tests.support.server.run_command import run_command

SEAL = re.compile(r'name="seal" value="(\w+)"')


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings():
        yield northwind
        cache.clear()
        Account.objects.all().delete()
        AccessToken.objects.all().delete()
        Company.objects.filter(pk="elsewhere").delete()


@pytest.fixture
def ada(console: ServerHome) -> Account:
    return account_of("ada@northwind.example", Role.ADMINISTRATOR)


@pytest.fixture
def dee(console: ServerHome) -> Account:
    return account_of("dee@northwind.example", Role.DPO)


def fresh(account: Account) -> Client:
    browser = client_of(account)
    browser.post("/account/confirm", {"code": code(secret_of(account))})
    return browser


def decide(browser: Client, **decisions: str) -> tuple[int, str]:
    seal = SEAL.search(browser.get("/access").content.decode())
    assert seal
    named = {name.replace("_", "-"): decision for name, decision in decisions.items()}
    answer = browser.post("/access/decide", {"seal": seal[1]} | named)
    return answer.status_code, answer.content.decode()


def test_each_account_and_token_is_kept_or_taken_away_on_record(ada: Account, dee: Account) -> None:
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    token, _text = create(bulk_data.company(), Role.COMMUNICATOR, "intranet", timedelta(days=30), "test")
    browser = fresh(dee)
    page = browser.get("/access").content.decode()
    for shown in (
        "lea<wbr>@",
        "intranet",
        f"account {ada.pk}",
        "There is one administrator alone",
        "your own",
    ):
        assert shown in page, shown
    status, text = decide(
        browser, **{f"account_{ada.pk}": "keep", f"account_{lea.pk}": "take", f"token_{token.pk}": "take"}
    )
    assert (status, "Kept: 1. Taken away: 2." in text) == (200, True)
    assert set(Account.objects.all()) == {ada, dee}
    assert not AccessToken.objects.exists()
    said = {entry.action: entry for entry in Entry.objects.order_by("number")}
    assert said["decide-access"].actor == dee.actor
    taken = [f"account-{lea.pk}", f"token-{token.pk}"]
    assert json.loads(said["decide-access"].detail) == {"kept": [f"account-{ada.pk}"], "taken": taken}
    assert json.loads(said["remove-account"].detail) == {"account": lea.pk}
    assert "This is your own account" in decide(browser, **{f"account_{dee.pk}": "take"})[1]
    assert "Nobody would be left to administer" in decide(browser, **{f"account_{ada.pk}": "take"})[1]
    elsewhere = Company.objects.create(id="elsewhere", name="E", legal_name="E", region="eu")
    other = account_of("zoe@elsewhere.example", Role.ADMINISTRATOR, company=elsewhere.pk)
    assert decide(browser, **{f"account_{other.pk}": "take"})[0] == 200
    assert Account.objects.filter(pk=other.pk).exists()


def test_what_was_not_looked_at_is_not_decided_and_no_old_factor_decides(ada: Account, dee: Account) -> None:
    browser = fresh(ada)
    seal = SEAL.search(browser.get("/access").content.decode())
    account_of("new@northwind.example", Role.COMMUNICATOR)
    assert seal
    answer = browser.post("/access/decide", {"seal": seal[1], f"account-{dee.pk}": "take"})
    assert (answer.status_code, "Look once more" in answer.content.decode()) == (409, True)
    stale = client_of(ada)
    assert "Show that it is you, then decide" in stale.get("/access").content.decode()
    for address in ("/access/decide", "/access/access.csv"):
        assert stale.get(address).headers["Location"].startswith("/account/confirm")
    assert stale.post("/access/decide", {f"account-{dee.pk}": "take"}).status_code == 302
    assert Account.objects.filter(pk=dee.pk).exists()


def test_whom_each_may_address_is_looked_at_too(ada: Account, dee: Account) -> None:
    bulk_data.add_people(1, "Lyon")
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    browser = fresh(dee)
    bind(lea, list(Group.objects.filter(name="Lyon")), "test")
    page = browser.get("/access").content.decode()
    assert "for these groups alone: Lyon" in page
    file = browser.get("/access/access.csv").content.decode()
    listed = {row["name"]: row["groups"] for row in csv.DictReader(io.StringIO(file))}
    assert listed == {lea.email: "Lyon", ada.email: "everybody", dee.email: "everybody"}
    seal = SEAL.search(page)
    bind(lea, None, "test")
    assert seal
    answer = browser.post("/access/decide", {"seal": seal[1], f"account-{lea.pk}": "keep"})
    assert (answer.status_code, "Look once more" in answer.content.decode()) == (409, True)


@pytest.mark.both_databases
def test_two_administrators_who_take_each_other_away_leave_one(ada: Account) -> None:
    bob = account_of("bob@northwind.example", Role.ADMINISTRATOR)
    seal, together = seal_of(access_in(ada.company)), threading.Barrier(2)

    def take(who: Account, other: Account) -> bool:
        try:
            together.wait(30)
            review.decide(who, {f"account-{other.pk}": "take"}, seal)
        except Overtaken:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(take, (ada, bob), (bob, ada)))
    assert sorted(done) == [False, True]
    assert Account.objects.count() == 1


def test_who_never_came_in_does_not_count_as_an_administrator(ada: Account, dee: Account) -> None:
    invite(bulk_data.company(), "new@northwind.example", [Role.ADMINISTRATOR], "test")
    assert "Nobody would be left to administer" in decide(fresh(dee), **{f"account_{ada.pk}": "take"})[1]


@pytest.mark.both_databases
def test_it_is_due_90_days_after_each_was_kept(
    ada: Account, dee: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Look at who may do what" not in client_of(ada).get("/").content.decode()
    with clock.using(lambda: datetime.now(UTC) + timedelta(days=80)):
        browser = fresh(ada)
        assert "Look at who may do what: 1 account" in browser.get("/").content.decode()
        decide(browser, **{f"account_{dee.pk}": "keep"})
        assert "Look at who may do what" not in browser.get("/").content.decode()
        file = browser.get("/access/access.csv").content.decode()
        listed = {row["name"]: row for row in csv.DictReader(io.StringIO(file))}
        assert listed[dee.email]["roles"] == "dpo"
        assert listed[dee.email]["reviewed"] > listed[ada.email]["since"]
        assert listed[ada.email]["reviewed"] == ""
    capsys.readouterr()
    assert run_command("console", "access") == 0
    assert capsys.readouterr().out.splitlines()[1:] == file.splitlines()[1:]


# --- To which groups --------------------------------------------------------------------------------


def bind_on_page(browser: Client, account: Account, **said: object) -> tuple[int, str]:
    """Press the form's button as the page shows it now."""
    where = f"/access/accounts/{account.pk}"
    before = re.search(r'name="before" value="([^"]*)"', browser.get(where).content.decode())
    assert before
    answer = browser.post(f"{where}/bind", {"before": before[1]} | said)
    return answer.status_code, answer.content.decode()


def test_an_administrator_binds_an_account_frees_it_after_a_second_look_and_undoes_it(
    ada: Account, dee: Account
) -> None:
    lea = account_of("lea@northwind.example", Role.COMMUNICATOR)
    lyon, paris = (
        Group.objects.get_or_create(company_id="northwind", name=one)[0] for one in ("Lyon", "Paris")
    )
    browser = fresh(ada)
    assert f"/access/accounts/{lea.pk}" in browser.get("/access").content.decode()
    assert f"/access/accounts/{lea.pk}" not in client_of(dee).get("/access").content.decode()
    assert client_of(dee).get(f"/access/accounts/{lea.pk}").status_code == 403
    assert browser.get(f"/access/accounts/{ada.pk}").status_code == 404, (
        "an administrator is bound to nothing"
    )
    assert bind_on_page(browser, lea, whom="groups")[0] == 422
    assert bind_on_page(browser, lea, whom="everybody", group=lyon.pk)[0] == 422, "which of the two?"
    assert bind_on_page(browser, lea, whom="groups", group=[lyon.pk, paris.pk])[0] == 200
    lea = Account.objects.get(pk=lea.pk)
    assert lea.group_names == ["Lyon", "Paris"]
    entry = Entry.objects.filter(action="bind-account").order_by("-number")[0]
    assert entry.actor == ada.actor
    status, page = bind_on_page(browser, lea, whom="everybody", group=lyon.pk)
    assert (status, "Free them from their groups?" in page) == (200, True)
    assert Account.objects.get(pk=lea.pk).is_bound, "that takes a second look"
    _status, page = bind_on_page(browser, lea, whom="everybody", sure="on")
    assert not Account.objects.get(pk=lea.pk).is_bound
    undo = page[page.index("status") : page.index("Undo")]
    fields = [re.findall(rf'name="{name}" value="([^"]*)"', undo) for name in ("before", "whom", "group")]
    answer = browser.post(
        f"/access/accounts/{lea.pk}/bind", {"before": fields[0], "whom": fields[1], "group": fields[2]}
    )
    assert answer.status_code == 200
    assert Account.objects.get(pk=lea.pk).group_names == ["Lyon", "Paris"]
    stale = browser.post(
        f"/access/accounts/{lea.pk}/bind", {"before": "everybody", "whom": "groups", "group": lyon.pk}
    )
    assert stale.status_code == 409

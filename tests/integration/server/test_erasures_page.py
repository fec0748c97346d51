"""People are erased by two: one asks for it in the console, another one looks at whom, and has it carried out."""

import html
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings

from server.access.roles import Role
from server.accounts.invitations import remove
from server.accounts.models import Account
from server.audit.models import Entry
from server.core import under_way
from server.core.errors import Refused
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from server.erasure.models import ErasureRequest
from server.erasure.requests import ORDER, carry_out, decide, finish_decided, seal_of
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, token_for
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, code, console_settings, secret_of
from tests.support.waiting import until


@pytest.fixture
def people(northwind: ServerHome) -> Iterator[list[Person]]:
    with console_settings():
        yield bulk_data.add_people(4, "Lyon")
        cache.clear()
        ErasureRequest.objects.all().delete()
        Account.objects.all().delete()
        Company.objects.filter(pk="elsewhere").delete()


@pytest.fixture
def ada(people: list[Person]) -> Client:
    return client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))


@pytest.fixture
def dee(people: list[Person]) -> Client:
    account = account_of("dee@northwind.example", Role.DPO)
    browser = client_of(account)
    browser.post("/account/confirm", {"code": code(secret_of(account))})
    return browser


def hidden_in(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(seal|addresses)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def asked(browser: Client, *addresses: str) -> str:
    """Ask for the erasure of who has these addresses. Answers the address of the request."""
    found = browser.post("/erasures", {"addresses": "\n".join(addresses), "go": "find"}).content.decode()
    return str(browser.post("/erasures", hidden_in(found) | {"go": "ask"}).headers["Location"])


def agree(browser: Client, address: str) -> int:
    page = browser.get(address).content.decode()
    return browser.post(f"{address}/carry-out", hidden_in(page) | {"sure": "on"}).status_code


def last(action: str) -> Entry:
    return Entry.objects.filter(action=action).order_by("-number")[0]


@pytest.mark.both_databases
def test_one_asks_and_another_one_has_it_carried_out(ada: Client, dee: Client, people: list[Person]) -> None:
    gone = [people[0].email, people[2].email]
    address = asked(ada, *gone)
    assert Person.objects.count() == 4
    assert "waits for a second person" in ada.get("/erasures").content.decode()
    assert "1 erasure was asked for" in dee.get("/").content.decode()
    assert f'href="{address}"' in dee.get("/erasures").content.decode()
    page = dee.get(address).content.decode()
    for shown in (*gone, "Erase 2 people?", "ada@northwind.example asked for it"):
        assert shown in page
    assert agree(dee, address) == 302
    assert set(Person.objects.values_list("email", flat=True)) == {people[1].email, people[3].email}
    assert not ErasureRequest.objects.exists()
    assert dee.get(address).status_code == 404
    asker, entry = last("ask-erasure").actor, last("erase-people")
    assert json.loads(entry.detail) == {"people": 2, "asked_by": asker}
    assert entry.actor == Account.objects.get(email="dee@northwind.example").actor


def test_who_asked_does_not_decide(ada: Client, dee: Client, people: list[Person]) -> None:
    address = asked(dee, people[0].email)
    assert "Erase 1 person</button>" not in dee.get(address).content.decode()
    assert agree(dee, address) == 409
    assert Person.objects.count() == 4


def test_without_a_tick_the_seal_or_a_fresh_second_factor_nobody_is_erased(
    ada: Client, dee: Client, people: list[Person]
) -> None:
    address = asked(ada, people[0].email, people[1].email)
    form = hidden_in(dee.get(address).content.decode())
    assert dee.post(f"{address}/carry-out", form).status_code == 422
    assert dee.post(f"{address}/carry-out", {"sure": "on", "seal": "0" * 64}).status_code == 409
    stale = client_of(Account.objects.get(email="dee@northwind.example"))
    answer = stale.post(f"{address}/carry-out", form | {"sure": "on"})
    assert answer.headers["Location"].startswith("/account/confirm?")
    erase(bulk_data.company(), [people[0].pk])
    answer = dee.post(f"{address}/carry-out", form | {"sure": "on"})
    assert answer.status_code == 409, "they are not those that were looked at"
    assert "not there any more" in answer.content.decode()
    assert Person.objects.count() == 3


def test_it_can_be_taken_back_and_that_is_on_record(ada: Client, dee: Client, people: list[Person]) -> None:
    address = asked(ada, people[0].email)
    assert dee.post(f"{address}/take-back").status_code == 302
    assert not ErasureRequest.objects.exists()
    assert last("refuse-erasure").detail == '{"people":1}'
    assert agree(dee, "/erasures/0") == 404


def test_a_request_stays_when_the_account_that_asked_goes(
    ada: Client, dee: Client, people: list[Person]
) -> None:
    address, asker = asked(ada, people[0].email), last("ask-erasure").actor
    remove(Account.objects.get(email="ada@northwind.example"), "command")
    anew = client_of(account_of("ada2@northwind.example", Role.ADMINISTRATOR))
    page = anew.get(address).content.decode()
    assert "waits for a second person" in page
    assert "carry-out" not in page, "it may be the same person"
    assert "1 erasure was asked for" in dee.get("/").content.decode()
    assert "An account that is gone asked for it" in dee.get(address).content.decode()
    assert agree(dee, address) == 302
    assert json.loads(last("erase-people").detail)["asked_by"] == asker


def test_who_is_not_known_is_named_and_left_out(ada: Client, people: list[Person]) -> None:
    typed = f"{people[0].email}\nnobody@northwind.example\n"
    page = ada.post("/erasures", {"addresses": typed, "go": "find"}).content.decode()
    assert "1 person is found" in page
    assert "nobody@northwind.example" in page
    for nonsense in ("", "  \n ", "x\0y", "no,table\n1,2"):
        answer = ada.post("/erasures", {"addresses": nonsense, "go": "find"})
        assert answer.status_code == 422, nonsense
    assert not ErasureRequest.objects.exists()


def test_alone_one_is_told_what_to_do(ada: Client, people: list[Person]) -> None:
    assert "invite an administrator" in ada.get("/erasures").content.decode()


def test_requests_of_another_company_are_not_there(ada: Client, people: list[Person]) -> None:
    address = asked(ada, people[0].email)
    Company.objects.create(id="elsewhere", name="Elsewhere", legal_name="Elsewhere", region="eu")
    account = account_of("eve@elsewhere.example", Role.ADMINISTRATOR, company="elsewhere")
    stranger = client_of(account)
    stranger.post("/account/confirm", {"code": code(secret_of(account))})
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}/carry-out", {"sure": "on"}).status_code == 404
    assert stranger.post(f"{address}/take-back").status_code == 404
    found = stranger.post("/erasures", {"addresses": people[0].email, "go": "find"}).content.decode()
    assert "0 people are found" in found
    assert Person.objects.count() == 4


@pytest.mark.both_databases
def test_of_two_who_agree_at_once_one_has_it_carried_out(
    ada: Client, dee: Client, people: list[Person]
) -> None:
    address = asked(ada, people[0].email)
    form = hidden_in(dee.get(address).content.decode()) | {"sure": "on"}
    before = Entry.objects.filter(action="erase-people").count()

    def press(_number: int) -> int:
        try:
            return dee.post(f"{address}/carry-out", form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert set(threads.map(press, range(2))) <= {302, 404, 409}
    until(lambda: Person.objects.count() == 3, "the person to be erased")
    assert Entry.objects.filter(action="erase-people").count() == before + 1


@pytest.mark.both_databases
def test_what_was_begun_is_carried_out_whatever_the_clock_says(
    ada: Client, dee: Client, people: list[Person]
) -> None:
    address = asked(ada, people[0].email)
    request = ErasureRequest.objects.get()
    decide(request, Account.objects.get(email="dee@northwind.example"), seal_of([people[0].pk]))
    # And there the process ends.
    ErasureRequest.objects.update(decided_at=datetime.now(UTC) - timedelta(hours=1))
    assert ada.post(f"{address}/take-back").status_code == 409
    assert "They are being erased" in dee.get(address).content.decode()
    assert "was asked for" not in dee.get("/").content.decode()
    with under_way.order(ORDER, str(request.pk)):  # somebody does it just now
        assert "It takes longer than it should" not in dee.get(address).content.decode()
        assert agree(dee, address) == 302
        assert finish_decided() == 0
        assert Person.objects.count() == 4, "nobody does it beside them"
    assert "It takes longer than it should" in dee.get(address).content.decode()
    assert finish_decided() == 1
    assert dee.get(address).status_code == 404


@pytest.mark.expected_logs("An erasure was not finished")
def test_where_the_disk_keeps_no_order_what_was_decided_is_still_carried_out(
    ada: Client, dee: Client, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = asked(ada, people[0].email)
    monkeypatch.setattr(under_way, "FOLDER", "company.toml/under-way")
    assert agree(dee, address) == 302
    assert ada.post(f"{address}/take-back").status_code == 409
    monkeypatch.undo()
    before = Entry.objects.filter(action="erase-people").count()
    assert dee.post(f"{address}/carry-out").status_code == 302
    assert not Person.objects.filter(pk=people[0].pk).exists()
    assert Entry.objects.filter(action="erase-people").count() == before, "it was decided once"


def test_who_approves_can_look_at_each_of_many(ada: Client, dee: Client) -> None:
    many = [person.email for person in bulk_data.add_people(120, "Nice")]
    address = asked(ada, *many)
    pages = [dee.get(address).content.decode(), dee.get(f"{address}?page=2").content.decode()]
    assert [email for email in many if not any(email in page for page in pages)] == []
    assert "Page 1 of 2" in pages[0]


def test_what_a_token_wants_erased_waits_for_a_person(people: list[Person]) -> None:
    first = account_of("ada@northwind.example", Role.ADMINISTRATOR)

    def ask_for(*emails: str) -> Any:
        with override_settings(ROOT_URLCONF="server.urls"):
            return Client().post(
                f"{ADMIN}/erasures",
                {"emails": emails},
                content_type="application/json",
                headers={"Authorization": f"Bearer {token}"},
            )

    token = token_for("dpo")
    assert ask_for(people[0].email).status_code == 200, "one account alone: nobody else could decide"
    assert not Person.objects.filter(pk=people[0].pk).exists()
    account_of("dee@northwind.example", Role.DPO)
    told = ask_for(people[1].email)
    assert told.status_code == 202
    assert ask_for(people[1].email).json() == told.json(), "asked twice, it is one request"
    assert Person.objects.filter(pk=people[1].pk).exists()
    asked = ErasureRequest.objects.get()
    assert told.json() == {"people": 1, "address": f"http://127.0.0.1:8410/erasures/{asked.pk}"}
    page = client_of(first).get(f"/erasures/{asked.pk}").content.decode()
    assert "A program, with token" in page
    late = account_of("late@northwind.example", Role.ADMINISTRATOR)
    with pytest.raises(Refused):
        decide(asked, late, seal_of([people[1].pk]))
    decide(asked, first, seal_of([people[1].pk]))
    carry_out(asked)
    assert not Person.objects.filter(pk=people[1].pk).exists()

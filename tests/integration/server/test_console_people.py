"""What people are owed, in the console: corrections are decided, and the record of processing is read."""

import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.audit.models import Entry
from server.core import clock
from server.data_subject.models import CorrectionRequest
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings


@pytest.fixture
def person(northwind: ServerHome) -> Iterator[Person]:
    with console_settings():
        yield bulk_data.add_people(1)[0]
        cache.clear()
        Account.objects.all().delete()


@pytest.fixture
def browser(person: Person) -> Client:
    return client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))


def asked(
    person: Person, field: str = "title", value: object = "Head of studio", days: int = 0
) -> CorrectionRequest:
    moment = clock.now() - timedelta(days=days)
    return CorrectionRequest.objects.create(person=person, field=field, value=value, requested_at=moment)


def form_on(page: str) -> dict[str, str]:
    """What the first decision's form sends."""
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'name="(number|seen)" value="([^"]*)"', page)
    }


def test_a_correction_is_accepted_with_what_was_seen(browser: Client, person: Person) -> None:
    asked(person, "site_addresses", ["1, quai “A”", "Paris <2>"])
    page = browser.get("/corrections").content.decode()
    assert "Paris &lt;2&gt;" in page
    answer = browser.post("/corrections/decide", form_on(page) | {"go": "accept"})
    assert answer.headers["Location"] == "/corrections"
    person.refresh_from_db()
    assert person.site_addresses == ["1, quai “A”", "Paris <2>"]
    entry = Entry.objects.filter(action="accept-correction").order_by("-number")[0]
    assert entry.actor.startswith("account ")
    assert "Nobody waits for an answer" in browser.get("/corrections").content.decode()


def test_a_correction_is_declined_and_nothing_changes(browser: Client, person: Person) -> None:
    asked(person)
    browser.post(
        "/corrections/decide", form_on(browser.get("/corrections").content.decode()) | {"go": "decline"}
    )
    person.refresh_from_db()
    assert person.title == ""
    assert not CorrectionRequest.objects.exists()


@pytest.mark.both_databases
@pytest.mark.parametrize("go", ["accept", "decline"])
def test_what_the_person_changed_meanwhile_is_not_decided_unseen(
    browser: Client, person: Person, go: str
) -> None:
    wish = asked(person)
    form = form_on(browser.get("/corrections").content.decode())
    CorrectionRequest.objects.filter(pk=wish.pk).update(value="Queen")
    answer = browser.post("/corrections/decide", form | {"go": go})
    assert answer.status_code == 409
    assert "asks for something else by now" in answer.content.decode()
    person.refresh_from_db()
    assert person.title == ""
    assert CorrectionRequest.objects.exists()


@pytest.mark.both_databases
@pytest.mark.parametrize("number", ["", "x", "0", "-1", "9" * 30, "٣"])
def test_a_correction_that_is_not_there_is_said_to_be_gone(
    browser: Client, person: Person, number: str
) -> None:
    answer = browser.post("/corrections/decide", {"number": number, "go": "accept"})
    assert answer.status_code == 409
    assert "There is no correction" in answer.content.decode()


def test_another_companys_correction_is_unknown(browser: Client, person: Person) -> None:
    other = Company.objects.create(id="contoso", name="Contoso", legal_name="Contoso", region="eu")
    try:
        wish = asked(Person.objects.create(company=other, email="cleo@contoso.example"))
        assert "cleo@contoso.example" not in browser.get("/corrections").content.decode()
        form = {"number": str(wish.pk), "seen": json.dumps(wish.value), "go": "accept"}
        assert browser.post("/corrections/decide", form).status_code == 409
        assert CorrectionRequest.objects.filter(pk=wish.pk).exists()
    finally:
        other.delete()


def test_one_that_waits_for_more_than_a_month_is_late_and_today_leads_there(
    browser: Client, person: Person
) -> None:
    asked(person, days=31)
    assert "late" in browser.get("/corrections").content.decode()
    page = browser.get("/").content.decode()
    assert '<a href="/corrections">1 person wants' in page
    assert re.search(r'href="/corrections"[^>]*><span>Corrections</span><span class="count">1<', page)


@pytest.mark.parametrize("role", [Role.COMMUNICATOR, Role.APPROVER, Role.DPO, Role.WORKS_COUNCIL])
def test_only_administrators_see_and_decide_corrections(person: Person, role: Role) -> None:
    wish = asked(person)
    client = client_of(account_of("x@northwind.example", role))
    assert client.get("/corrections").status_code == 403
    assert client.post("/corrections/decide", {"number": str(wish.pk), "go": "decline"}).status_code == 403
    assert CorrectionRequest.objects.exists()


@pytest.mark.parametrize("role", [Role.DPO, Role.WORKS_COUNCIL])
def test_the_officer_and_the_works_council_read_the_record_of_processing(person: Person, role: Role) -> None:
    client = client_of(account_of("x@northwind.example", role))
    page = html.unescape(client.get("/record").content.decode())
    assert "decide which announcements are for the person" in page
    assert "prove what the person chose (GDPR article 7(1))" in page
    sheet = client.get("/record/record.csv")
    assert sheet.headers["Content-Type"].startswith("text/csv")
    assert "decide which announcements are for the person" in sheet.content.decode()
    assert Entry.objects.order_by("-number")[0].action == "read-record"


def test_the_account_of_a_person_goes_with_an_address_that_was_corrected(
    browser: Client, person: Person
) -> None:
    account = account_of(person.email, Role.DPO)
    asked(person, "email", "p.new@northwind.example")
    browser.post(
        "/corrections/decide", form_on(browser.get("/corrections").content.decode()) | {"go": "accept"}
    )
    account.refresh_from_db()
    assert account.email == "p.new@northwind.example"
    erase(person.company, [person.pk])
    assert not Account.objects.filter(pk=account.pk).exists(), "it ends with its person"

"""People and groups are looked up: in the console and by command. What anybody shares is on no page."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.audit.models import Entry, EntrySubject
from server.core import clock
from server.core.errors import Refused
from server.devices.enrolment import enrol
from server.devices.models import Device, Invitation
from server.directory.models import Company, Person
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.server.run_command import run_command


@pytest.fixture
def people(northwind: ServerHome) -> Iterator[list[Person]]:
    with console_settings():
        yield bulk_data.add_people(60, "Lyon")
        cache.clear()
        Account.objects.all().delete()
        Company.objects.exclude(pk="northwind").delete()


@pytest.fixture
def browser(people: list[Person]) -> Client:
    return client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))


def names_in(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/people/[0-9a-f-]{36}">([^<]*)</a>', page)


def addresses_in(page: str) -> list[str]:
    return re.findall(r'</a> <span class="soft">([^<]*)</span></th>', page)


def named(person: Person, first: str, last: str) -> None:
    Person.objects.filter(pk=person.pk).update(first_name=first, last_name=last)


@pytest.mark.both_databases
def test_everybody_is_found_page_after_page(browser: Client, people: list[Person]) -> None:
    first = browser.get("/people").content.decode()
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    second = browser.get("/people" + following[1].replace("&amp;", "&")).content.decode()
    assert addresses_in(first) + addresses_in(second) == sorted(person.email for person in people)
    assert 'rel="next"' not in second


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "text", ["zoé", "ZOÉ", "Zoé le", "le goff zoé", "goff@no", "  le   zoé "], ids=lambda text: text.strip()
)
def test_a_person_is_found_by_words_of_name_and_address_in_any_case(
    browser: Client, people: list[Person], text: str
) -> None:
    Person.objects.filter(pk=people[7].pk).update(email="z.goff@northwind.example")
    named(people[7], "Zoé", "Le Goff")
    page = browser.get("/people", {"find": text}).content.decode()
    assert names_in(page) == ["Zoé Le Goff"]
    assert "z.goff@northwind.example" in page


@pytest.mark.both_databases
def test_who_is_not_found_is_said_and_odd_addresses_are_no_fault(browser: Client) -> None:
    for words in (
        {"find": "n\0body"},
        {"find": "%_%"},
        {"group": "9" * 30, "find": "x" * 900},
        {"after": "\0~"},
    ):
        answer = browser.get("/people", words)
        assert answer.status_code == 200, words
        assert not names_in(answer.content.decode())
    assert "Nobody is found like that" in browser.get("/people", {"find": "nobody"}).content.decode()


def test_a_group_leads_to_its_people(browser: Client, people: list[Person]) -> None:
    bulk_data.add_people(2, "Paris")
    page = browser.get("/groups").content.decode()
    found = re.search(r'<a href="(/people\?group=\d+)">Paris</a></th><td[^>]*>2<', page)
    assert found, page
    listed = browser.get(found[1]).content.decode()
    assert len(names_in(listed)) == 2
    assert "Only those in the group “Paris”" in listed
    assert "Lyon" not in browser.get("/groups", {"find": "par"}).content.decode()


def test_a_communicator_sees_groups_and_nobody_in_them(people: list[Person]) -> None:
    browser = client_of(account_of("lea@northwind.example", Role.COMMUNICATOR))
    page = browser.get("/groups").content.decode()
    assert "Lyon" in page
    assert "/people" not in page
    assert browser.get("/people").status_code == 403
    assert browser.get(f"/people/{people[0].pk}").status_code == 403
    assert browser.post(f"/people/{people[0].pk}/invite", {"days": "5"}).status_code == 403
    assert not Invitation.objects.exists()


def test_a_code_is_shown_once_and_connects_the_computer(browser: Client, people: list[Person]) -> None:
    address = f"/people/{people[3].pk}"
    page = browser.post(f"{address}/invite", {"days": "5"}).content.decode()
    found = re.search(r'<b class="code">([^<]+)</b>', page)
    assert found
    assert found[1] not in browser.get(address).content.decode()
    assert "invited" in browser.get("/people").content.decode()
    left = Invitation.objects.get().expires_at - clock.now()
    assert timedelta(days=4.9) < left <= timedelta(days=5)
    assert enrol(found[1], "macos", "1.0").person == people[3]
    page = browser.get(address).content.decode()
    assert "macOS" in page
    assert "agent 1.0" in page
    assert '<span class="pill">connected</span>' in browser.get("/people").content.decode()


@pytest.mark.parametrize("days", ["0", "91", "-1", "", "5.5", "٣", "9" * 5000, "1e1"])
def test_a_code_works_for_days_that_can_be(browser: Client, people: list[Person], days: str) -> None:
    answer = browser.post(f"/people/{people[3].pk}/invite", {"days": days})
    assert answer.status_code == 422
    assert "1 to 90" in answer.content.decode()
    assert not Invitation.objects.exists()


def test_one_computer_is_disconnected_and_the_other_stays(browser: Client, people: list[Person]) -> None:
    person, other = people[:2]
    devices = [
        Device.objects.create(person=of, platform="linux", agent_version="1.0", token_hash=f"{number:064}")
        for number, of in enumerate((person, person, other))
    ]
    address = f"/people/{person.pk}"
    for number in (devices[2].pk, "", "x", 10**30):
        browser.post(f"{address}/disconnect", {"computer": str(number)})
    assert Device.objects.filter(revoked_at=None).count() == 3, "those of others are not this person's"
    assert (
        browser.post(f"{address}/disconnect", {"computer": str(devices[0].pk)}).headers["Location"] == address
    )
    assert set(Device.objects.filter(revoked_at=None)) == set(devices[1:])
    assert Entry.objects.filter(action="revoke-devices").count() == 1


def test_no_page_tells_what_a_person_shares(browser: Client, people: list[Person]) -> None:
    address = f"/people/{people[0].pk}"

    def shown() -> list[str]:
        pages = [browser.get(one).content.decode() for one in ("/people", "/groups", address)]
        return [re.sub(r'value="[0-9A-Za-z]{64}"', "", page) for page in pages]

    before = shown()
    campaign = bulk_data.publish("c-one", groups=[])
    receipts = life.share_all(people[:1], ("seen", "click", "like"))
    life.act(people[0], campaign, receipts[people[0].pk]["seen"])
    assert shown() == before


def test_who_looked_at_a_person_is_on_record_and_known_to_the_person(
    browser: Client, people: list[Person]
) -> None:
    browser.get(f"/people/{people[0].pk}")
    entry = Entry.objects.order_by("-number")[0]
    assert (entry.action, entry.actor) == ("read-people", Account.objects.get().actor)
    assert EntrySubject.objects.filter(entry=entry, person=people[0]).exists()


def test_people_of_another_company_are_not_there(browser: Client) -> None:
    other = Company.objects.create(id="beyond", name="Other", legal_name="Other", region="eu")
    stranger = Person.objects.create(company=other, email="eve@other.example")
    group = other.groups.create(name="Secret")
    assert browser.get(f"/people/{stranger.pk}").status_code == 404
    assert browser.post(f"/people/{stranger.pk}/invite", {"days": "5"}).status_code == 404
    assert "Secret" not in browser.get("/people", {"group": str(group.pk)}).content.decode()
    assert "eve@" not in browser.get("/people", {"find": "eve"}).content.decode()


def test_the_commands_say_the_same(people: list[Person], capsys: pytest.CaptureFixture[str]) -> None:
    named(people[0], "Zoé", "Le Goff")
    run_command("people", "list", "zoé")
    assert capsys.readouterr().out == f"{people[0].email}\tZoé Le Goff\tLyon\tnot connected\n"
    run_command("people", "list", "--group", "Lyon", "--json")
    assert len(json.loads(capsys.readouterr().out)) == 60
    run_command("people", "show", people[0].email, "--json")
    row = json.loads(capsys.readouterr().out)[0]
    assert (row["first_name"], row["groups"], row["computers"]) == ("Zoé", ["Lyon"], [])
    run_command("groups", "list")
    assert capsys.readouterr().out == "60\tLyon\n"
    with pytest.raises(Refused, match="tidings-server groups list"):
        run_command("people", "list", "--group", "Nobody")
    assert {entry.action for entry in Entry.objects.order_by("-number")[:3]} == {"read-people"}

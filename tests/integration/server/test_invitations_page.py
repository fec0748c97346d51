"""Everybody who has no computer is invited at once in the console: codes as a file, or to be printed."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from server.access.roles import Role
from server.accounts.models import Account
from server.audit.models import Entry
from server.devices.enrolment import PEOPLE_AT_ONCE, enrol
from server.devices.models import Device, Invitation
from server.devices.tokens import code_hash
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, code, console_settings, secret_of


@pytest.fixture
def browser(northwind: ServerHome) -> Iterator[Client]:
    with console_settings():
        lyon, _paris = bulk_data.add_people(3, "Lyon"), bulk_data.add_people(2, "Paris")
        Device.objects.create(person=lyon[0], platform="linux", agent_version="1.0", token_hash="0" * 64)
        browser = client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))
        browser.post("/account/confirm", {"code": code(secret_of(Account.objects.get()))})
        yield browser
        cache.clear()
        Account.objects.all().delete()


def test_a_file_has_a_code_for_each_who_has_no_computer(browser: Client) -> None:
    assert "4" in browser.get("/people/invitations").content.decode()
    answer = browser.post("/people/invitations/new", {"days": "7", "go": "file"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="northwind-invitations.csv"'
    header, *rows = rows_in(answer)
    assert header == ["E-mail address", "Code", "Server", "Works until"]
    assert [row[0] for row in rows] == [f"p{n}@northwind.example" for n in (1, 2, 3, 4)]
    assert enrol(rows[0][1], "linux", "1.0").person.email == "p1@northwind.example"
    entry = Entry.objects.order_by("-number")[0]
    assert (entry.action, entry.detail) == ("invite-all", '{"days":7,"people":4}')
    assert rows[1][1] not in browser.get("/people/invitations").content.decode()


def test_the_file_is_sent_in_pieces_and_once_more_in_place_of_a_part_of_it(browser: Client) -> None:
    bulk_data.add_people(PEOPLE_AT_ONCE)
    cut_off = browser.post("/people/invitations/new", {"days": "7", "go": "file"})
    assert [next(iter(cut_off)) for _piece in range(3)]
    assert Invitation.objects.count() == PEOPLE_AT_ONCE, "of 504"
    assert browser.post("/people/invitations/new", {"days": "7", "go": "file"}).status_code == 409
    cut_off.close()
    for _once_more in range(2):
        _header, *rows = rows_in(browser.post("/people/invitations/new", {"days": "7", "go": "file"}))
        assert len({row[0] for row in rows}) == PEOPLE_AT_ONCE + 4
        assert {code_hash(row[1]) for row in rows} == set(
            Invitation.objects.values_list("code_hash", flat=True)
        )


def rows_in(answer: Iterable[bytes]) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig")))


def test_a_group_is_invited_on_slips_of_paper(browser: Client) -> None:
    page = browser.post(
        "/people/invitations/new", {"days": "7", "go": "print", "group": "Paris"}
    ).content.decode()
    codes = re.findall(r'<b class="code">([^<]+)</b>', page)
    assert len(set(codes)) == 2
    assert Invitation.objects.count() == 2
    assert {enrol(code, "linux", "1.0").person.email for code in codes} == {
        "p3@northwind.example",
        "p4@northwind.example",
    }


def test_what_cannot_be_says_so_and_makes_no_code(browser: Client) -> None:
    for words, said in (
        ({"days": "0"}, "1 to 90"),
        ({"days": "٣"}, "1 to 90"),
        ({"days": "7", "group": "None such"}, "There is no group of that name"),
        ({"days": "7", "group": "a\0b"}, "There is no group of that name"),
    ):
        answer = browser.post("/people/invitations/new", words)
        assert answer.status_code == 422
        assert said in answer.content.decode()
    assert not Invitation.objects.exists()
    bulk_data.company().groups.create(name="Nobody")
    answer = browser.post("/people/invitations/new", {"days": "7", "group": "Nobody"})
    assert answer.status_code == 409


def test_codes_of_many_are_made_after_a_fresh_second_factor_alone(browser: Client) -> None:
    other = client_of(Account.objects.get())
    answer = other.post("/people/invitations/new", {"days": "7", "go": "file"})
    assert answer.headers["Location"].startswith("/account/confirm?next=")
    assert not Invitation.objects.exists()

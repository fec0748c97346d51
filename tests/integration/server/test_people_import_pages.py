"""People are brought in from a file in the console: what it would change is looked at first, and that is what is stored."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from server.access.roles import Role
from server.accounts.models import Account
from server.attention.planned import read_ahead
from server.audit.models import Entry
from server.console import people_import
from server.console.people_import import JOBS
from server.directory.models import Company, Group, Person
from server.erasure.erasure import erase
from server.erasure.models import ErasureRequest
from server.people_files import upsert
from server.people_files.upsert import Difference
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of, client_of, console_settings
from tests.support.waiting import until

HEADER = "email,first_name,last_name,groups\n"


@pytest.fixture
def console(northwind: ServerHome) -> Iterator[ServerHome]:
    with console_settings():
        yield northwind
        cache.clear()
        until(lambda: not (job := JOBS.current("northwind")) or not job.is_in_work, "the file to be done")
        if job := JOBS.current("northwind"):
            JOBS.forget(job)
        Account.objects.all().delete()
        Company.objects.exclude(pk="northwind").delete()


@pytest.fixture
def browser(console: ServerHome) -> Client:
    return client_of(account_of("ada@northwind.example", Role.ADMINISTRATOR))


def choose(browser: Client, content: str | bytes, name: str = "people.csv") -> str:
    """Answers the address of the file's page, once it was read."""
    data = content.encode() if isinstance(content, str) else content
    answer = browser.post("/people/import", {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302, answer.content.decode()
    return settled(browser, answer.headers["Location"])


def settled(browser: Client, address: str) -> str:
    until(lambda: "hx-trigger" not in browser.get(address).content.decode(), "the file to be worked on")
    return address


def say(browser: Client, address: str, **words: str) -> None:
    """Press a button of the page as it is now."""
    shown = re.search(r'name="look" value="(\d+)"', browser.get(address).content.decode())
    words = ({"look": shown[1]} if shown else {}) | words
    assert browser.post(f"{address}/answer", words).status_code == 302
    settled(browser, address)


def text_of(browser: Client, address: str) -> str:
    page = browser.get(address).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page[page.index("<main") :]))


@pytest.mark.both_databases
def test_what_would_change_is_shown_and_then_stored(browser: Client) -> None:
    bulk_data.add_people(3, "Lyon")
    file = (
        HEADER
        + "p0@northwind.example,Zoé,,Paris\np1@northwind.example,P1,,Lyon\nnew@northwind.example,Nia,Noor,Lyon\n"
    )
    address = choose(browser, file)
    text = text_of(browser, address)
    for expected in ("New 1", "Changed 1", "The same 1", "Not in the file 1", "First name: P0 → Zoé"):
        assert expected in text
    assert "Groups: Lyon → Paris" in text
    assert "new@northwind.example Nia Noor Lyon" in text
    assert "New groups Paris" in text
    assert Person.objects.count() == 3, "nothing is stored by looking"
    say(browser, address, go="apply")
    assert "1 added, 1 changed, 1 unchanged. 1 person is not in the file and stays." in text_of(
        browser, address
    )
    assert Person.objects.get(email="p0@northwind.example").first_name == "Zoé"
    assert set(Group.objects.get(name="Paris").people.values_list("email", flat=True)) == {
        "p0@northwind.example"
    }
    with CaptureQueriesContext(connection) as made:
        read_ahead(bulk_data.company())
    assert len(made.captured_queries) == 1, "who is in which groups was read when the people had come"
    entry = Entry.objects.filter(action="import-people").order_by("-number")[0]
    assert (entry.actor, entry.detail) == (Account.objects.get().actor, '{"added":1,"changed":1}')
    numbers = Entry.objects.count()
    say(browser, address, go="apply")
    assert Entry.objects.count() == numbers, "what is pressed twice is done once"


def test_a_file_with_mistakes_stores_nothing_and_each_is_named(browser: Client) -> None:
    address = choose(browser, HEADER + "ok@northwind.example,A,B,\nnobody,<b>C</b>,D,\n")
    text = text_of(browser, address)
    assert "Nothing was stored" in text
    assert "3 email" in text
    say(browser, address, go="apply")
    assert not Person.objects.exists()


def test_what_changes_many_asks_for_their_number(browser: Client) -> None:
    bulk_data.add_people(30, "Lyon")
    file = HEADER + "".join(f"p{n}@northwind.example,Other,,Lyon\n" for n in range(30))
    address = choose(browser, file)
    assert "Type their number" in text_of(browser, address)
    for typed in ("", "29", "300"):
        answer = browser.post(f"{address}/answer", {"go": "apply", "changed": typed})
        assert answer.status_code == 422
        assert "Type how many people change" in answer.content.decode()
    assert not Person.objects.filter(first_name="Other").exists()
    say(browser, address, go="apply", changed=" 30 ")
    assert Person.objects.filter(first_name="Other").count() == 30


@pytest.mark.both_databases
def test_a_directory_that_changed_since_the_look_is_not_written_over(browser: Client) -> None:
    bulk_data.add_people(2)
    address = choose(browser, HEADER + "p0@northwind.example,Zoé,,\nnew@northwind.example,Nia,,\n")
    Person.objects.create(company=bulk_data.company(), email="new@northwind.example", first_name="Other")
    say(browser, address, go="apply")
    assert "changed since you looked, and nothing was stored" in text_of(browser, address)
    assert Person.objects.get(email="new@northwind.example").first_name == "Other"
    say(browser, address, go="apply")
    assert Person.objects.get(email="new@northwind.example").first_name == "Nia", "now that was looked at"


@pytest.mark.both_databases
def test_two_presses_of_one_page_store_no_difference_that_it_did_not_show(browser: Client) -> None:
    bulk_data.add_people(2)
    address = choose(browser, HEADER + "p0@northwind.example,Zoé,,\n")
    Person.objects.filter(email="p0@northwind.example").update(first_name="Corrected")
    say(browser, address, go="apply", look="1")
    say(browser, address, go="apply", look="1")
    assert Person.objects.get(email="p0@northwind.example").first_name == "Corrected"
    text = text_of(browser, address)
    assert "changed since you looked, and nothing was stored" in text
    assert "Corrected → Zoé" in text
    say(browser, address, go="apply")
    assert Person.objects.get(email="p0@northwind.example").first_name == "Zoé"


def test_a_change_of_the_directory_beyond_what_is_shown_is_noticed_too(browser: Client) -> None:
    people = bulk_data.add_people(60)
    rows = "".join(f"{person.email},Zoé,,\n" for person in people)
    address = choose(browser, HEADER + rows)
    last = max(person.email for person in people)
    Person.objects.filter(email=last).update(first_name="Corrected")
    say(browser, address, go="apply", changed="60")
    assert "changed since you looked, and nothing was stored" in text_of(browser, address)
    assert Person.objects.get(email=last).first_name == "Corrected"


@pytest.mark.both_databases
@pytest.mark.expected_logs("A file of people could not be worked on: terminating connection")
def test_what_the_database_interrupts_is_told_as_begun_and_goes_on(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = choose(browser, HEADER + "".join(f"n{number}@northwind.example,N,,\n" for number in range(600)))
    pieces = iter([True])
    write = upsert._Import._write

    def once(self: Any, changes: Any) -> None:
        if not next(pieces, False):
            raise OperationalError("terminating connection")
        write(self, changes)

    monkeypatch.setattr(upsert._Import, "_write", once)
    say(browser, address, go="apply")
    text = text_of(browser, address)
    assert "500 of 600 lines are stored. The others follow" in text
    assert "Nothing was stored" not in text
    monkeypatch.undo()
    say(browser, address, go="go-on")
    assert Person.objects.count() == 600
    assert "600 added" in text_of(browser, address)


@pytest.mark.both_databases
def test_an_erasure_ends_the_files_that_wait_in_its_company(browser: Client) -> None:
    person, _other = bulk_data.add_people(2)
    address = choose(browser, HEADER + f"{person.email},Zoé,,\n")
    erase(bulk_data.company(), [person.pk])
    gone = browser.post(f"{address}/answer", {"go": "apply", "look": "1"})
    assert gone.status_code == 404
    assert "not kept any more" in gone.content.decode()
    assert not Person.objects.filter(email=person.email).exists()


@pytest.mark.both_databases
def test_an_erasure_while_a_file_is_written_ends_it_once_it_is_written(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _other = bulk_data.add_people(2)
    address = choose(browser, HEADER + "n@northwind.example,N,,\n")
    write = people_import.import_people

    def meanwhile(*words: Any, **options: Any) -> Difference:
        erase(bulk_data.company(), [person.pk])
        assert JOBS.current("northwind") is not None, "what is being written goes on"
        return write(*words, **options)

    monkeypatch.setattr(people_import, "import_people", meanwhile)
    browser.post(f"{address}/answer", {"go": "apply", "look": "1"})
    until(lambda: JOBS.current("northwind") is None, "the file to be forgotten")
    assert Person.objects.filter(email="n@northwind.example").exists()


def test_an_encoding_that_is_guessed_is_asked_about(browser: Client) -> None:
    address = choose(browser, (HEADER + "zoe@northwind.example,Zoé,,\n").encode("cp1252"))
    text = text_of(browser, address)
    assert "In which encoding is it?" in text
    assert "Zoé" in text
    say(browser, address, go="again", encoding="windows-1252")
    assert "zoe@northwind.example Zoé" in text_of(browser, address)
    say(browser, address, go="apply")
    assert Person.objects.get().first_name == "Zoé"


def test_groups_that_look_like_several_and_a_last_line_without_an_end_are_asked_about(
    browser: Client,
) -> None:
    bulk_data.add_people(2, "Lyon")
    bulk_data.add_people(2, "Paris")
    address = choose(browser, HEADER + 'zoe@northwind.example,Zoé,,"Lyon, Paris"')
    text = text_of(browser, address)
    assert "“Lyon, Paris” is one group." in text
    say(browser, address, go="again", meant="Lyon, Paris")
    assert "Nothing is missing" in text_of(browser, address)
    say(browser, address, go="again", whole="on")
    say(browser, address, go="apply")
    assert [group.name for group in Person.objects.get(first_name="Zoé").groups.all()] == ["Lyon, Paris"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "This is an Excel workbook"),
        (b"first_name,last_name\nA,B\n", "The columns of this file are not known"),
        (b"\x00\xff\xfe\x00\x81", "not readable text"),
    ],
)
def test_what_is_no_file_of_people_says_what_to_do(browser: Client, content: bytes, said: str) -> None:
    assert said.casefold() in text_of(browser, choose(browser, content)).casefold()


def test_a_file_of_more_lines_than_people_is_refused_before_it_is_read(browser: Client) -> None:
    content = SimpleUploadedFile("people.csv", b"email\n" + b"x\n" * 500_000)
    answer = browser.post("/people/import", {"file": content})
    assert answer.status_code == 409
    assert "tidings-server people import" in answer.content.decode()
    address = choose(browser, ",".join(["email", *map(str, range(1_000))]) + "\n")
    assert "more than 1000 columns" in text_of(browser, address)
    address = choose(browser, "email\n" + "x\n" * 400_000)
    assert "1000 mistakes up to line 1001, and the rest was not read" in text_of(browser, address)


def test_a_form_without_a_file_says_so(browser: Client) -> None:
    for form in ({}, {"file": "people.csv"}, {"file": SimpleUploadedFile("people.csv", b"")}):
        answer = browser.post("/people/import", form)
        assert answer.status_code == 422
        assert "Choose a file" in answer.content.decode()


def test_a_file_is_of_its_company_and_of_those_who_may_bring_people_in(browser: Client) -> None:
    address = choose(browser, HEADER + "zoe@northwind.example,Zoé,,\n")
    Company.objects.create(id="elsewhere", name="Elsewhere", legal_name="Elsewhere", region="eu")
    stranger = client_of(account_of("eve@other.example", Role.ADMINISTRATOR, company="elsewhere"))
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}/answer", {"go": "apply"}).status_code == 404
    assert "people.csv" not in stranger.get("/people/import").content.decode()
    officer = client_of(account_of("dpo@northwind.example", Role.DPO))
    assert officer.get(address).status_code == 403
    assert officer.post(f"{address}/answer", {"go": "apply"}).status_code == 403
    assert not Person.objects.exists()
    assert "Zoé" in text_of(browser, address)


def test_another_file_takes_the_place_of_one_that_was_left(browser: Client) -> None:
    first = choose(browser, HEADER + "zoe@northwind.example,Zoé,,\n")
    second = choose(browser, HEADER + "nia@northwind.example,Nia,,\n")
    assert browser.get(first).status_code == 404
    browser.post(f"{second}/answer", {"go": "forget"})
    assert browser.get(second).status_code == 404
    assert not Person.objects.exists()


def test_who_is_not_in_the_file_is_listed_and_asked_to_be_erased_many_by_their_number(
    browser: Client,
) -> None:
    people = bulk_data.add_people(8)
    address = choose(browser, HEADER + "p0@northwind.example,Zoé,,\n")
    shown = text_of(browser, address)
    assert "p1@northwind.example, p2@northwind.example" in shown
    assert "Ask for the erasure of 7 people" in shown
    look = re.search(r'name="look" value="(\d+)"', browser.get(address).content.decode())
    assert look
    said = {"go": "erase", "look": look[1]}
    assert browser.post(f"{address}/answer", said).status_code == 422, "seven of eight are many"
    assert browser.post(f"{address}/answer", said | {"leaving": "7", "look": "99"}).status_code == 409
    assert not ErasureRequest.objects.exists()
    answer = browser.post(f"{address}/answer", said | {"leaving": "7"})
    asked = ErasureRequest.objects.get()
    assert answer.headers["Location"] == f"/erasures/{asked.pk}"
    assert {person.pk for person in asked.people.all()} == {person.pk for person in people[1:]}
    assert Person.objects.filter(company="northwind").count() == 8, "a second person decides"
    asked.delete()
    few = HEADER + "".join(f"p{number}@northwind.example,Pia,,\n" for number in range(5))
    address = choose(browser, few)
    say(browser, address, go="apply")
    assert "Ask for the erasure of 3 people" in text_of(browser, address), "after it was stored, too"
    say(browser, address, go="erase")
    assert ErasureRequest.objects.get().people.count() == 3
    ErasureRequest.objects.all().delete()

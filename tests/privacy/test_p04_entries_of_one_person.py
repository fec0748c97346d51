"""P4: nobody who reads the audit log can tell which of its entries are about one person.

Two servers differ only in whose entries some are: of the person on whose correction the administrator decided, or of somebody
else. Whatever any role asks of any endpoint, and whatever any command says or writes, must be the same on both.
"""

import base64
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from server.archives.exporting import export_company
from server.audit import log
from server.audit.models import Entry, EntrySubject
from server.data_subject.personal_rows import rows_about
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from tests.privacy.test_p04_no_individual_choices import ASKED
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server.backups import dump
from tests.support.server.campaign_server import ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.two_worlds import TARGET, Numbered, World, crawl

pytestmark = pytest.mark.both_databases

OTHER = 1
BEFORE: tuple[tuple[str, ...], ...] = (("audit", "export"), ("company", "export", "{folder}/all.zip"))


def _live(world: World, reading: int) -> None:
    """Somebody reads their own data, and the target's correction is decided. `reading`: the number of who reads."""
    computers = world.arrive()
    wanted = {"details": {"email": "zoe@northwind.example"}}
    computers[reading].get("/me")
    assert computers[0].patch("/me", wanted).json()["results"][0]["status"] == "requested"
    run_command("corrections", "accept", "1")
    run_command("invite", "zoe@northwind.example")
    for _time in range(2):
        computers[reading].get("/me")
    Person.objects.filter(email="zoe@northwind.example").update(
        email=TARGET
    )  # as the other questions know them


def _asked_of(folder: Path, reading: int) -> dict[str, str]:
    mask = Numbered()
    answers = crawl(folder, partial(_live, reading=reading), (*BEFORE, *ASKED), mask)
    with zipfile.ZipFile(folder / "all.zip") as archive:
        tables = sorted(name for name in archive.namelist() if name.startswith("rows/"))
        entries = "rows/audit.entry.jsonl"
        return answers | {"tables": "\n".join(tables), entries: mask(archive.read(entries).decode())}


@pytest.fixture
def one_hash_for_all(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """As versions before named a person, to see that the comparison would find it."""
    return lambda: monkeypatch.setattr(
        log, "subject_of", lambda _company, _number, person, _nonce: log.old_subject_of(person)
    )


@pytest.mark.proves("P4")
def test_all_that_can_be_asked_is_answered_alike_whoever_the_entries_are_about(
    tmp_path: Path, proof: Proof
) -> None:
    telling, asked = set[str](), 0
    trials = proof.trials(full=5, few=1)
    for number in range(trials):
        same, other = (_asked_of(tmp_path / f"{number}-{reading}", reading) for reading in (0, OTHER))
        assert same.keys() == other.keys()
        telling |= {question for question in same if same[question] != other[question]}
        asked += len(same)
    proof.found("answers that tell which entries are about one person", len(telling), asked)
    assert not telling


def _record(*people: UUID) -> list[Entry]:
    return [log.record("northwind", "agent", "read-own-data", person) for person in people]


def _shape(entries: list[Entry]) -> str:
    return Numbered()(" ".join(entry.subject for entry in entries))


def test_the_comparison_finds_entries_that_name_one_person_alike(
    northwind: ServerHome, one_hash_for_all: Callable[[], None]
) -> None:
    zoe, other = (person.pk for person in bulk_data.add_people(2))
    assert _shape(_record(zoe, zoe)) == _shape(_record(zoe, other))
    one_hash_for_all()
    assert _shape(_record(zoe, zoe)) != _shape(_record(zoe, other))
    EntrySubject.objects.all().delete()  # what the last two say of themselves is not true


def test_who_knows_everybody_and_the_whole_log_recognises_nobody(northwind: ServerHome) -> None:
    """A dictionary of all people, by id or address: without the nonce there is nothing to compare with."""
    people = bulk_data.add_people(5)
    entry = log.record("northwind", "agent", "read-own-data", people[2].pk)
    about = EntrySubject.objects.get(entry=entry)
    assert about.person_id == people[2].pk
    opened = log.subject_of("northwind", entry.number, people[2].pk, bytes(about.nonce))
    assert entry.subject == opened, "with it, everybody can be held against the entry"
    known = {log.old_subject_of(person.pk) for person in people}
    guessed = {
        log.subject_of("northwind", entry.number, person.pk, nonce)
        for person in people
        for nonce in (b"", bytes(32))
    }
    assert entry.subject not in known | guessed
    log.record("northwind", "agent", "read-own-data", people[2].pk)
    nonces = [bytes(one.nonce) for one in EntrySubject.objects.filter(person=people[2])]
    assert len(set(nonces)) == len(nonces)
    assert {len(nonce) for nonce in nonces} == {32}


def test_after_an_erasure_nothing_leads_from_an_entry_to_the_person(northwind: ServerHome) -> None:
    person, other = bulk_data.add_people(2)
    entries = _record(person.pk, other.pk, person.pk)
    nonces = [bytes(one.nonce) for one in EntrySubject.objects.filter(person=person)]
    erase(bulk_data.company(), [person.pk])
    assert not EntrySubject.objects.filter(entry__in=entries[::2]).exists()
    assert list(rows_about(Entry, person)) == []
    assert Entry.objects.filter(pk__in=[entry.pk for entry in entries]).count() == 3
    stored = dump(northwind)
    assert not [nonce for nonce in nonces if nonce in stored or nonce.hex().encode() in stored]
    assert run_command("audit", "verify") == 0


def test_an_entry_about_who_is_gone_looks_like_any_other(northwind: ServerHome) -> None:
    (person,) = bulk_data.add_people(1)
    erase(bulk_data.company(), [person.pk])
    (late,) = _record(person.pk)
    assert len(late.subject) == 64
    assert not EntrySubject.objects.filter(entry=late).exists()


def test_who_turns_an_entry_to_another_person_is_found(northwind: ServerHome) -> None:
    zoe, other = bulk_data.add_people(2)
    (entry,) = _record(zoe.pk)
    EntrySubject.objects.filter(entry=entry).update(person=other)
    assert run_command("audit", "verify") == 1
    EntrySubject.objects.filter(entry=entry).update(person=zoe)
    assert run_command("audit", "verify") == 0


def test_an_archive_leads_from_no_entry_to_a_person(northwind: ServerHome, tmp_path: Path) -> None:
    (person,) = bulk_data.add_people(1)
    _record(person.pk)
    nonce = bytes(EntrySubject.objects.get(person=person).nonce)
    export_company(Company.objects.get(), tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert "rows/audit.entrysubject.jsonl" not in archive.namelist()
    assert not [form for form in (nonce, nonce.hex().encode(), base64.b64encode(nonce)) if form in content]

"""A person who is purged leaves no row and no trace in the database's files."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.models import CASCADE
from django.db.models.fields.reverse_related import ForeignObjectRel

from server.audit.models import Entry
from server.core.errors import Refused
from server.devices.models import Device, Invitation
from server.directory.models import Company, Person
from server.erasure.erasure import erase, find_people
from server.signals.keys import keys_of
from server.signals.models import Consent, Signal
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.wire import an_hour_ago, event, give, send
from tests.support.waiting import until

pytestmark = pytest.mark.both_databases

CANARY = "canary-5f3a"


@pytest.fixture
def leaver(northwind: ServerHome, serving: RunningServer) -> tuple[Person, Computer]:
    """Somebody about whom every table knows something."""
    person, _colleague = bulk_data.add_people(2)
    for name in ("first_name", "last_name", "title", "work_landline", "work_cell", "external_id"):
        setattr(person, name, f"{CANARY}-{name}")
    person.site_addresses = [f"{CANARY}-site"]
    person.save()
    bulk_data.publish("c-all", starts=an_hour_ago())
    bulk_data.publish("c-one", starts=an_hour_ago(), people=[person])
    computer = bulk_data.connect(serving, person.email)
    for campaign in ("c-all", "c-one"):
        send(computer, event("seen", campaign, give(computer, "seen")))
    return person, computer


def _rows() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in (Person, Device, Invitation, Consent, Signal)}


def test_every_row_about_the_person_goes_and_is_counted(leaver: tuple[Person, Computer]) -> None:
    person, computer = leaver
    assert _rows() == {"Person": 2, "Device": 1, "Invitation": 1, "Consent": 2, "Signal": 2}
    counted = erase(bulk_data.company(), [person.pk])
    assert counted == {
        "campaigns.Campaign_audience_people": 1,
        "delivery.Device": 1,
        "delivery.Invitation": 1,
        "directory.Person": 1,
        "directory.Person_groups": 1,
        "signals.Consent": 2,
        "signals.Signal": 2,
    }
    assert _rows() == {"Person": 1, "Device": 0, "Invitation": 0, "Consent": 0, "Signal": 0}
    assert computer.get("/feed").status_code == 401


def _everything_stored() -> str:
    """All rows of all tables, as text."""
    text = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            text.append(
                repr(
                    [
                        [bytes(cell) if isinstance(cell, memoryview) else cell for cell in row]
                        for row in cursor
                    ]
                )
            )
    return "\n".join(text)


def test_nothing_that_names_the_person_is_found_afterwards(
    northwind: ServerHome, leaver: tuple[Person, Computer]
) -> None:
    person, _ = leaver
    keys = list(keys_of(person.id, "northwind").values())
    needles = [person.email, CANARY, person.id.hex, str(person.id), *keys]
    before = _everything_stored()
    assert all(needle in before for needle in (person.email, CANARY, *keys))
    northwind.succeed("purge", person.email, "--yes")
    assert not [needle for needle in needles if needle in _everything_stored()]
    if connection.vendor == "sqlite":
        connection.close()
        files = b"".join(path.read_bytes() for path in northwind.folder.glob("tidings.sqlite3*"))
        assert b"northwind" in files
        assert not [needle for needle in needles if needle.encode() in files]


def test_nothing_is_erased_without_a_yes(northwind: ServerHome, leaver: tuple[Person, Computer]) -> None:
    refused = northwind.command("purge", leaver[0].email)
    assert refused.returncode == 1
    assert "Nothing was erased" in refused.stderr
    assert northwind.command("purge", "nobody@northwind.example", "--yes").returncode == 1
    assert _rows()["Person"] == 2


def test_the_administrator_is_not_told_what_the_person_had_chosen(
    northwind: ServerHome, leaver: tuple[Person, Computer]
) -> None:
    person, _ = leaver
    assert northwind.succeed("purge", person.email, "--dry-run") == "Dry run, nobody is erased: 1 person\n"
    assert _rows()["Person"] == 2
    printed = northwind.succeed("purge", person.email, "--yes")
    assert printed == "Erased, with every row about them: 1 person\n"
    assert _rows()["Signal"] == 0


@pytest.mark.parametrize(
    "content",
    [
        "P0@northwind.example\r\n\r\np2@northwind.example\r\n",
        "first_name,email\nAnne,p0@northwind.example\nBo, P2@Northwind.example\n",
        "User principal name;Display name\np0@northwind.example;A\np2@northwind.example;B\n",
    ],
    ids=["list", "table", "Microsoft 365"],
)
def test_people_are_erased_from_a_file(northwind: ServerHome, tmp_path: Path, content: str) -> None:
    bulk_data.add_people(3)
    file = tmp_path / "leavers.csv"
    file.write_text(content)
    assert run_command("purge", "--from", file, "--yes") == 0
    assert list(Person.objects.values_list("email", flat=True)) == ["p1@northwind.example"]


def test_one_unknown_address_and_nobody_is_erased(
    northwind: ServerHome, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bulk_data.add_people(2)
    file = tmp_path / "leavers.csv"
    file.write_text("email\np0@northwind.example\nq0@northwind.example\n\np1@northwind.example\n")
    with pytest.raises(Refused, match="Nothing was erased"):
        run_command("purge", "--from", file, "--yes")
    assert "line 3: q0@northwind.example is not known in Northwind" in capsys.readouterr().err
    assert Person.objects.count() == 2
    run_command("purge", "--from", file, "--yes", "--skip-unknown")
    assert capsys.readouterr().out.endswith("2 people, 1 address not known\n")
    assert not Person.objects.exists()


def test_an_erasure_is_on_record_without_a_name(northwind: ServerHome) -> None:
    (person,) = bulk_data.add_people(1)
    run_command("purge", person.email, "--yes")
    entry = Entry.objects.order_by("number").last()
    assert entry is not None
    assert (entry.actor, entry.action, len(entry.subject)) == ("command-line", "erase-people", 64)
    assert not hasattr(entry, "about")
    assert entry.detail == '{"people":1}'


def test_every_row_that_points_at_a_person_goes_with_them() -> None:
    relations = [
        relation
        for relation in Person._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many
    ]
    assert {"Device", "Consent"} <= {relation.related_model.__name__ for relation in relations}
    assert [relation for relation in relations if relation.on_delete is not CASCADE] == []


def test_an_address_that_cannot_be_is_unknown(northwind: ServerHome) -> None:
    assert find_people(bulk_data.company(), ["a\0b@northwind.example"]) == ({}, ["a\0b@northwind.example"])


def test_an_erasure_locks_the_company_before_its_people(northwind: ServerHome) -> None:
    """As imports and corrections do: otherwise the two would wait for each other, until PostgreSQL ends one."""
    company, person = bulk_data.company(), bulk_data.add_people(1)[0]
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Company.objects.select_for_update(no_key=True).get(pk=company.pk)
            erasing = pool.submit(_erase_in_thread, company, person)
            until(_somebody_waits, "the erasure to wait")
            Person.objects.select_for_update(nowait=True).get(pk=person.pk)
        erasing.result(timeout=30)
    assert not Person.objects.exists()


def _erase_in_thread(company: Company, person: Person) -> None:
    try:
        erase(company, [person.pk])
    finally:
        connection.close()


def _somebody_waits() -> bool:
    if connection.vendor == "sqlite":  # has one writer at a time, and nobody to ask
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])

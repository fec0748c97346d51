"""Corrections of the directory's fields: the administrator decides, and the person's computer learns it."""

import json

import pytest

from server.access.roles import Role
from server.accounts.invitations import invite
from server.core.errors import Refused
from server.data_subject.models import CorrectionRequest
from server.directory.models import Company, KeptCorrection, Person
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.run_command import run_command

Output = pytest.CaptureFixture[str]
NEW = "camille@northwind.example"


@pytest.fixture
def asking(northwind: ServerHome, serving: RunningServer) -> Computer:
    """The computer of a person who has asked for another address."""
    computer = bulk_data.connect(serving, bulk_data.add_people(1)[0].email)
    assert computer.patch("/me", {"details": {"email": NEW}}).ok
    return computer


def _waiting(capsys: Output) -> list[dict[str, str]]:
    capsys.readouterr()
    run_command("corrections", "list", "--json")
    rows: list[dict[str, str]] = json.loads(capsys.readouterr().out)
    return rows


def test_what_is_accepted_arrives_with_the_next_poll(asking: Computer, capsys: Output) -> None:
    tag = asking.get("/feed").headers["ETag"]
    (row,) = _waiting(capsys)
    assert (row["field"], row["requested"]) == ("email", NEW)
    run_command("corrections", "accept", row["id"])
    assert asking.get("/feed", If_None_Match=tag).json()["person"]["email"] == NEW
    assert _waiting(capsys) == []


def test_what_is_declined_stays_as_it_was(asking: Computer, capsys: Output) -> None:
    (row,) = _waiting(capsys)
    run_command("corrections", "decline", row["id"])
    assert asking.get("/feed").json()["person"]["email"] == row["email"]
    assert asking.get("/me").json()["details"][0]["requested"] is None


@pytest.mark.both_databases
def test_an_address_that_somebody_else_has_by_now_is_not_accepted(asking: Computer) -> None:
    Person.objects.create(company=bulk_data.company(), email=NEW)
    number = CorrectionRequest.objects.get().pk
    with pytest.raises(Refused, match="somebody else"):
        run_command("corrections", "accept", number)
    assert CorrectionRequest.objects.filter(pk=number).exists()


def test_nobody_gets_the_address_of_another_ones_account(asking: Computer) -> None:
    account, _token = invite(bulk_data.company(), NEW, [Role.ADMINISTRATOR], "command")
    with pytest.raises(Refused, match="somebody else"):
        run_command("corrections", "accept", CorrectionRequest.objects.get().pk)
    account.delete()


def test_a_correction_that_is_not_there_is_told(northwind: ServerHome) -> None:
    with pytest.raises(Refused, match="no correction 7"):
        run_command("corrections", "decline", 7)


@pytest.mark.both_databases
def test_an_accepted_correction_holds_until_the_directory_says_something_new(
    asking: Computer, northwind: ServerHome, capsys: Output
) -> None:
    old = Person.objects.get().email
    Company.objects.update(directory_fields=["email", "last_name"])

    def imported(*rows: tuple[str, str]) -> tuple[str, list[tuple[str, str]]]:
        file = northwind.folder / "people.csv"
        lines = "".join(f"{email},{name}\n" for email, name in rows)
        file.write_text(f"email,last_name\n{lines}", encoding="utf-8")
        capsys.readouterr()
        run_command("people", "import", file)
        people = Person.objects.order_by("email").values_list("email", "last_name")
        return capsys.readouterr().out, list(people)

    imported((old, "Roi"))
    asking.patch("/me", {"details": {"last_name": "Roy"}})
    for row in _waiting(capsys):
        run_command("corrections", "accept", row["id"])
    person = Person.objects.get()
    assert (person.email, person.last_name) == (NEW, "Roy")
    _told, people = imported((old, "Roi"))
    assert people == [(NEW, "Roy")], "what the directory said all along changes nothing, and adds nobody"
    assert imported((old, "Roi-Martin"))[1] == [(NEW, "Roi-Martin")], "it says something new of the name"
    assert imported((NEW, "Roi-Martin"))[1] == [(NEW, "Roi-Martin")], "and has the address by now"
    assert imported((NEW, "Roi-Martin"), (old, "Petit"))[1] == [(NEW, "Roi-Martin"), (old, "Petit")], (
        "the old address is somebody else's now"
    )
    assert Person.objects.get(email=NEW).pk == person.pk
    assert not KeptCorrection.objects.exists()
    Company.objects.update(directory_fields=["email"])


@pytest.mark.both_databases
def test_a_correction_back_to_what_the_directory_says_is_none(
    asking: Computer, northwind: ServerHome
) -> None:
    person = Person.objects.get()
    old = person.email
    run_command("corrections", "accept", CorrectionRequest.objects.get().pk)
    assert KeptCorrection.objects.filter(person=person, field="email").exists()
    asking.patch("/me", {"details": {"email": old}})
    run_command("corrections", "accept", CorrectionRequest.objects.get().pk)
    assert not KeptCorrection.objects.exists()


@pytest.mark.both_databases
def test_an_import_leaves_alone_what_the_person_corrected(asking: Computer, northwind: ServerHome) -> None:
    person = Person.objects.get()
    asking.patch("/me", {"details": {"first_name": "Zoé", "work_cell": "1"}})
    file = northwind.folder / "people.csv"
    file.write_text(f"email,first_name,last_name\n{person.email},Camille,Roy\n", encoding="utf-8")
    run_command("people", "import", file)
    person.refresh_from_db()
    assert (person.first_name, person.last_name) == ("Zoé", "Roy")


def test_a_field_that_the_directory_owns_from_now_on_is_the_imports_again(
    asking: Computer, northwind: ServerHome
) -> None:
    asking.patch("/me", {"details": {"first_name": "Zoé"}})
    person = Person.objects.get()
    file = northwind.folder / "people.csv"
    file.write_text(f"email,first_name\n{person.email},Camille\n", encoding="utf-8")
    Company.objects.update(directory_fields=["email", "first_name"])
    try:
        run_command("people", "import", file)
    finally:
        Company.objects.update(directory_fields=["email"])
    person.refresh_from_db()
    assert person.first_name == "Camille"

"""However long a command takes: an emergency is published meanwhile, a withdrawal is answered, and an act stays whole."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import requests
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction

from server.access.models import AccessToken
from server.archives.closing import close_company
from server.archives.exporting import export_company
from server.audit.models import Entry
from server.core import under_way
from server.core.errors import Refused
from server.core.progress import Bar, Tick
from server.database.transactions import reading
from server.devices.enrolment import enrol, invite_all
from server.devices.models import Invitation
from server.devices.tokens import code_hash
from server.directory.models import Company, Group, Person
from server.erasure.erasure import at_once, erase
from server.erasure_ledger import ledger
from server.people_files.cells import PersonRow
from server.people_files.upsert import compare_people, import_people
from server.recovery import replay
from server.recovery.arrival import bring_in
from server.retention.housekeeping import housekeeping
from server.settings import postgresql_database
from tests.support.server import bulk_data
from tests.support.server.administration import ADMIN, token_for
from tests.support.server.campaign_server import COMPANY, Computer, RunningServer, ServerHome, django_at
from tests.support.server.commands import succeeded, tidings_server
from tests.support.server.postgres import PostgresCluster
from tests.support.server.wire import an_hour_ago, consent, give

pytestmark = pytest.mark.both_databases

SOON_S = 15
"""Shorter than a locked database lets others wait (20 s)."""
EMERGENCY = """
sender = "Security"
urgency = "emergency"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "Leave the building now"
"""
MANY = 1100
"""People enough for several pieces."""


class PowerCut(BaseException):
    """Ends a command in its middle."""


@dataclass
class Meanwhile:
    """Stands in the middle of a long command as its bar, and asks the server there."""

    url: str
    computer: Computer
    token: str
    answers: list[int] = field(default_factory=list)

    def bar(self, _title: str, _total: int) -> Tick:
        """Ask at the first step of each stage."""
        steps = iter([self.ask])

        def tick(_reached: int) -> None:
            for step in steps:
                step()

        return tick

    def ask(self) -> None:
        """Publish an emergency, and let somebody take a consent back; note the two answers."""
        body = {"file": EMERGENCY, "reason": "Fire"}
        withdrawal = consent("seen", "withdrawn", receipt_id=give(self.computer, "seen"))
        for path, headers, message in (
            (f"{ADMIN}/emergencies", {"Authorization": f"Bearer {self.token}"}, body),
            ("/api/v1/consents", self.computer.headers, withdrawal),
        ):
            answer = requests.post(f"{self.url}{path}", json=message, headers=headers, timeout=SOON_S)
            self.answers.append(answer.status_code)

    def all_answered(self) -> bool:
        """Whether it was asked at all, and each answer was a good one."""
        return len(self.answers) >= 2 and set(self.answers) == {200, 201}


@pytest.fixture
def meanwhile(northwind: ServerHome, serving: RunningServer) -> Iterator[Meanwhile]:
    """Somebody with a computer, whom no command of these tests is about, and an administrator."""
    bulk_data.add_people(1)
    computer = bulk_data.connect(serving, "p0@northwind.example")
    yield Meanwhile(serving.url, computer, token_for("administrator"))
    AccessToken.objects.all().delete()
    ledger.path().unlink(missing_ok=True)
    ledger.LedgerState.objects.all().delete()


@pytest.fixture
def other(northwind: ServerHome, tmp_path: Path) -> Iterator[Company]:
    """Another company of the same server, with many people."""
    file = tmp_path / "other.toml"
    file.write_text(COMPANY.replace('"northwind"', '"other"'), encoding="utf-8")
    northwind.succeed("init", file)
    company = Company.objects.get(pk="other")
    Person.objects.bulk_create(Person(company=company, email=f"o{n}@other.example") for n in range(MANY))
    yield company
    for left in Company.objects.filter(pk="other"):
        close_company(left)


def _rows(count: int = MANY) -> list[PersonRow]:
    return [PersonRow(n + 2, f"n{n}@northwind.example", {"title": "New"}, ("News",)) for n in range(count)]


def _cut_at(tick_number: int) -> Bar:
    ticks = iter(range(1, MANY))

    def tick(_reached: int) -> None:
        if next(ticks) == tick_number:
            raise PowerCut

    return lambda _title, _total: tick


# --- While it runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_import_of_people_lets_an_emergency_pass(meanwhile: Meanwhile, dry_run: bool) -> None:
    done = import_people(bulk_data.company(), _rows(), dry_run=dry_run, bar=meanwhile.bar)
    assert meanwhile.all_answered()
    assert (done.added, done.new_groups) == (MANY, ("News",))
    assert Person.objects.filter(title="New").count() == (0 if dry_run else MANY)


def test_a_purge_lets_an_emergency_pass(meanwhile: Meanwhile) -> None:
    people = bulk_data.add_people(210, "Leavers")
    erase(bulk_data.company(), [person.pk for person in people], "", meanwhile.bar)
    assert meanwhile.all_answered()
    assert Person.objects.count() == 1


def test_an_export_lets_an_emergency_pass_and_holds_one_moment(
    meanwhile: Meanwhile, other: Company, tmp_path: Path
) -> None:
    archive = tmp_path / "northwind.zip"
    export_company(bulk_data.company(), archive, meanwhile.bar)
    assert meanwhile.all_answered()


def test_moving_another_company_lets_an_emergency_pass(
    meanwhile: Meanwhile, other: Company, tmp_path: Path
) -> None:
    archive = tmp_path / "other.zip"
    export_company(other, archive)
    close_company(other, archive, meanwhile.bar)
    assert not Company.objects.filter(pk="other").exists()
    bring_in(archive, meanwhile.bar)
    assert meanwhile.all_answered()
    assert Company.objects.get(pk="other").people.count() == MANY


def test_inviting_everybody_lets_an_emergency_pass(meanwhile: Meanwhile) -> None:
    bulk_data.add_people(MANY)
    inviting = invite_all(bulk_data.company(), timedelta(days=1), "test")
    codes = next(inviting)
    meanwhile.ask()
    for some in inviting:
        codes += some
    assert meanwhile.all_answered()
    assert len(dict(codes)) == MANY  # all but the one who has a computer
    hashes = set(Invitation.objects.filter(used_at=None).values_list("code_hash", flat=True))
    assert {code_hash(code) for _email, code in codes} == hashes


@pytest.mark.expected_logs("older than what happened since")
def test_the_erasure_ledger_is_applied_in_pieces_between_which_others_write(
    meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    _restored([person.pk for person in bulk_data.add_people(210, "Leavers")])

    def in_pieces(company: Company, people: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
        for some in at_once(company, people):
            yield some
            meanwhile.ask()

    monkeypatch.setattr(replay, "at_once", in_pieces)
    assert replay.catch_up() == {"person-erased": 210}
    assert meanwhile.all_answered()
    assert Person.objects.count() == 1


def test_a_long_read_sees_one_moment_and_may_not_write(meanwhile: Meanwhile) -> None:
    with reading():
        before = Entry.objects.count()
        meanwhile.ask()
        assert Entry.objects.count() == before
    assert meanwhile.all_answered()
    assert Entry.objects.count() > before
    with pytest.raises(DatabaseError), reading():
        Group.objects.create(company=bulk_data.company(), name="Written")
    Group.objects.create(company=bulk_data.company(), name="Written")


# --- Whole, or not at all ----------------------------------------------------------------------------


def _finished(job: str) -> int:
    outcome = next(one for one in housekeeping() if one.job == job)
    assert outcome.fault == ""
    return outcome.count


def test_an_import_that_a_power_cut_ended_is_finished_by_housekeeping(northwind: ServerHome) -> None:
    with pytest.raises(PowerCut):
        import_people(bulk_data.company(), _rows(), dry_run=False, bar=_cut_at(1))
    assert 0 < Person.objects.count() < MANY
    assert _finished("finish-imports") == 1
    assert Person.objects.filter(groups__name="News", title="New").count() == MANY
    assert _finished("finish-imports") == 0


def test_an_import_that_a_power_cut_ended_is_finished_before_the_next_one(northwind: ServerHome) -> None:
    company = bulk_data.company()
    with pytest.raises(PowerCut):
        import_people(company, _rows(), dry_run=False, bar=_cut_at(1))
    newer = [PersonRow(2, "n0@northwind.example", {"title": "Newer"}, None)]
    import_people(company, newer, dry_run=False)
    assert Person.objects.count() == MANY
    assert Person.objects.get(email="n0@northwind.example").title == "Newer"


def test_who_is_erased_is_not_brought_back_by_an_import_that_was_interrupted(northwind: ServerHome) -> None:
    company = bulk_data.company()
    with pytest.raises(PowerCut):
        import_people(company, _rows(), dry_run=False, bar=_cut_at(1))
    erase(company, [Person.objects.get(email="n0@northwind.example").pk])
    _finished("finish-imports")
    assert not Person.objects.filter(email="n0@northwind.example").exists()


@pytest.mark.parametrize("is_cut", [False, True])
def test_who_is_erased_while_an_import_runs_is_not_brought_back_by_it(
    northwind: ServerHome, *, is_cut: bool
) -> None:
    company, last = bulk_data.company(), f"n{MANY - 1}@northwind.example"
    person = Person.objects.create(company=company, email=last)
    erased = []

    def bar(_title: str, _total: int) -> Tick:
        def tick(_reached: int) -> None:
            if not erased:
                erased.append(erase(company, [person.pk]))
            elif is_cut:
                raise PowerCut

        return tick

    with contextlib.suppress(PowerCut):
        import_people(company, _rows(), dry_run=False, bar=bar)
    _finished("finish-imports")
    assert Person.objects.count() == MANY - 1
    assert not Person.objects.filter(email=last).exists()
    import_people(company, _rows(), dry_run=False)
    assert Person.objects.filter(email=last).exists(), "another file may name them"


def test_who_came_with_an_import_and_was_erased_is_not_brought_back_when_it_is_finished(
    northwind: ServerHome,
) -> None:
    company, first = bulk_data.company(), "n0@northwind.example"

    def bar(_title: str, _total: int) -> Tick:
        def tick(reached: int) -> None:
            if reached > 500:
                raise PowerCut
            erase(company, [Person.objects.get(email=first).pk])

        return tick

    with pytest.raises(PowerCut):
        import_people(company, _rows(), dry_run=False, bar=bar)
    assert _finished("finish-imports") == 1
    assert Person.objects.count() == MANY - 1
    assert not Person.objects.filter(email=first).exists()


def test_who_was_erased_between_the_look_and_the_import_is_not_added_by_it(northwind: ServerHome) -> None:
    company = bulk_data.company()
    person = Person.objects.create(company=company, email="n0@northwind.example")
    looked_at = compare_people(company, _rows(3), most=3)
    erase(company, [person.pk])
    done = import_people(company, _rows(3), dry_run=False, known=looked_at.known)
    assert (done.added, done.left_out) == (2, 1)
    assert import_people(company, _rows(3), dry_run=False).added == 1, (
        "a file that is looked at now may name them"
    )


def test_two_imports_do_not_run_at_once(northwind: ServerHome) -> None:
    company = bulk_data.company()

    def second(_title: str, _total: int) -> Tick:
        with pytest.raises(Refused, match="being done already"):
            import_people(company, _rows(1), dry_run=False)
        return lambda _reached: None

    import_people(company, _rows(1), dry_run=False, bar=second)
    assert Person.objects.count() == 1


def test_a_purge_that_a_power_cut_ended_is_finished_by_housekeeping(northwind: ServerHome) -> None:
    people = bulk_data.add_people(250)
    with pytest.raises(PowerCut):
        erase(bulk_data.company(), [person.pk for person in people], "", _cut_at(1))
    assert 0 < Person.objects.count() < 250
    assert _finished("finish-erasures") > 0
    assert not Person.objects.exists()
    erased = {fact.person for _mark, fact in ledger.read() if fact.kind == "person-erased"}
    assert {ledger.person_hash(person.pk) for person in people} <= erased
    ledger.path().unlink()
    ledger.LedgerState.objects.all().delete()


def test_inviting_everybody_again_after_a_power_cut_leaves_each_with_one_code(northwind: ServerHome) -> None:
    bulk_data.add_people(MANY)
    first = invite_all(bulk_data.company(), timedelta(days=14), "test")
    lost = dict(next(first))
    first.close()  # as a power cut does, after the first piece
    used = Invitation.objects.order_by("pk")[:1].get()
    enrol(lost[used.person.email], "linux", "0.1.0")
    printed = dict(line.split("\t") for line in succeeded("invite", "--all").splitlines())
    assert len(printed) == MANY - 1, "all but the one who has a computer now"
    unused = dict(Invitation.objects.filter(used_at=None).values_list("person__email", "code_hash"))
    assert unused == {email: code_hash(code) for email, code in printed.items()}
    assert Invitation.objects.count() == MANY
    assert len(dict(line.split("\t") for line in succeeded("invite", "--all").splitlines())) == MANY - 1
    assert Invitation.objects.count() == MANY, "a code that was not used makes way for the new one"


def test_two_do_not_invite_everybody_at_once(northwind: ServerHome) -> None:
    bulk_data.add_people(1)
    inviting = invite_all(bulk_data.company(), timedelta(days=1), "test")
    next(inviting)
    assert "being done already" in tidings_server("invite", "--all").stderr
    assert list(inviting) == []
    assert Invitation.objects.count() == 1


def _restored(erased: Sequence[UUID]) -> None:
    """The database as it was before these people were erased, with a ledger that says it."""
    ledger.path().unlink(missing_ok=True)
    ledger.LedgerState.objects.all().delete()
    with transaction.atomic():
        ledger.write(
            ledger.Fact("person-erased", "northwind", person=ledger.person_hash(one)) for one in erased
        )
    ledger.LedgerState.objects.all().delete()


@pytest.mark.expected_logs("older than what happened since")
def test_a_ledger_that_a_power_cut_left_half_applied_is_applied_by_the_next_start(
    northwind: ServerHome,
) -> None:
    people = bulk_data.add_people(250)
    _restored([person.pk for person in people[:240]])
    bulk_data.publish("c-news", starts=an_hour_ago())
    counter = bulk_data.company().counter
    on_record = Entry.objects.filter(action="replay-ledger").count()
    environment = northwind.variables() | {"DJANGO_SETTINGS_MODULE": "server.settings"}
    done = subprocess.run([sys.executable, "-c", KILLED_IN_REPLAY], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert 10 < Person.objects.count() < 250, "it was not ended in its middle"
    assert ledger.LedgerState.objects.count() == 0, "half of the ledger was taken for all of it"
    assert replay.catch_up()["person-erased"] > 0
    assert {person.pk for person in Person.objects.all()} == {person.pk for person in people[240:]}
    assert bulk_data.company().counter > counter + replay.COUNTER_LEAP
    assert replay.catch_up(thorough=True) == {}
    assert Entry.objects.filter(action="replay-ledger").count() == on_record + 1
    ledger.path().unlink()
    ledger.LedgerState.objects.all().delete()


KILLED_IN_REPLAY = """
import os, signal
import django
django.setup()
from server.recovery import replay

whole = replay.erase_rows
pieces = []

def erase_rows(company, people):
    if pieces:
        os.kill(os.getpid(), signal.SIGKILL)
    pieces.append(people)
    return whole(company, people)

replay.erase_rows = erase_rows
replay.catch_up()
"""


KILLED = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from server.recovery.arrival import bring_in
from server.archives.closing import close_company
from server.directory.models import Company

def bar(title, total):
    def tick(reached):
        if title in ("Rows", "Deleting") and reached >= total // 2:
            os.kill(os.getpid(), signal.SIGKILL)
    return tick

if sys.argv[1] == "import":
    bring_in(Path(sys.argv[2]), bar)
else:
    close_company(Company.objects.get(pk="other"), bar=bar)
"""


def _killed(home: ServerHome, *words: str | Path) -> None:
    environment = home.variables() | {"DJANGO_SETTINGS_MODULE": "server.settings"}
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_company_is_here_as_a_whole_or_not_at_all(
    northwind: ServerHome, other: Company, tmp_path: Path
) -> None:
    archive = tmp_path / "other.zip"
    export_company(other, archive)
    _killed(northwind, "close")
    assert Company.objects.filter(pk="other").exists()
    assert "There is no company other" not in tidings_server("company", "show", "--company", "other").stderr
    assert tidings_server("company", "show", "--company", "other").returncode == 1
    assert _finished("finish-company-moves") == 1
    assert not Company.objects.filter(pk="other").exists()
    _killed(northwind, "import", archive)
    assert Company.objects.filter(pk="other").exists()
    assert _finished("finish-company-moves") == 1
    assert not Person.objects.filter(email__endswith="@other.example").exists()
    assert bring_in(archive).company.people.count() == MANY


# --- Who holds the lock -------------------------------------------------------------------------------


def test_whoever_waits_too_long_is_told_for_which_command(northwind: ServerHome) -> None:
    """A command in the midst of one transaction, as a foreign program would be: here this process itself."""
    bulk_data.add_people(1)
    variables = northwind.variables() | {"TIDINGS_LONGEST_WAIT_S": "1"}
    with under_way.told("people import"), transaction.atomic():
        Company.objects.select_for_update().get(pk="northwind")
        with ThreadPoolExecutor(
            1
        ) as another:  # a further connection of this process must not lose it the lock
            another.submit(_look).result(timeout=30)
        done = subprocess.run(
            [sys.executable, "-m", "server", "campaign", "recall", "c-none"],
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "The database cannot be used" in done.stderr
    assert f"tidings-server people import (process {os.getpid()}, since " in done.stderr


def test_a_process_that_hangs_within_a_transaction_keeps_nobody_waiting_for_ever(
    postgres_cluster: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = ServerHome(tmp_path / "server", postgres_cluster.new_database())
    home.init()
    with home.opened():
        monkeypatch.setattr(settings, "LONGEST_IDLE_S", 0.2)
        connection.ensure_connection()
        monkeypatch.undo()
        with pytest.raises(DatabaseError):
            _hang_until_another_has_changed_the_company()


@transaction.atomic
def _hang_until_another_has_changed_the_company() -> None:
    Company.objects.select_for_update().get(pk="northwind")
    with ThreadPoolExecutor(1) as another:
        assert another.submit(_change_company).result(timeout=60) == 1
    Company.objects.get(pk="northwind")


def _change_company() -> int:
    try:
        return Company.objects.filter(pk="northwind").update(name="Northwind again")
    finally:
        connection.close()


def test_a_database_that_says_nothing_is_not_waited_for_without_end(tmp_path: Path) -> None:
    """How long is said in the address, too: the 10 s of all others are long for a test."""
    url = "postgresql://tidings@127.0.0.1:{port}/tidings"
    assert postgresql_database(url.format(port=5432))["OPTIONS"]["connect_timeout"] == 10
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        django_at(tmp_path, url.format(port=silent.getsockname()[1]) + "?connect_timeout=2"),
        pytest.raises(OperationalError, match="timeout"),
    ):
        connection.ensure_connection()


def _look() -> None:
    try:
        assert Company.objects.exists()
    finally:
        connection.close()


def test_what_ended_is_told_to_nobody(northwind: ServerHome) -> None:
    with under_way.told("people import"):
        pass
    (northwind.folder / "under-way" / "1.command").write_text('{"command": "x", "pid": 1, "since": ""}')
    assert under_way.others() == []

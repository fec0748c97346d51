"""Companies that were being closed or brought in when the process was killed, or when a backup was made."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import requests
from django.db import OperationalError, connection

from server.archives import closing
from server.archives.deleting import delete_rows
from server.core import under_way
from server.directory.models import Company, Person
from server.erasure.erasure import erase
from server.recovery.replay import catch_up
from tests.support.server.backups import back_up, restore
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.commands import Done, succeeded, tidings_server
from tests.support.server.killed_commands import Killing, killing
from tests.support.server.two_companies import SOUTHWIND, Two, two_companies
from tests.support.waiting import PATIENCE_S

CLOSE = ("company", "close", "--yes", "southwind")
ADVICE = re.compile(r"tidings-server (housekeeping|company close --yes \w+)")

pytestmark = pytest.mark.expected_logs(
    "older than what happened since", "cannot be served", "is being brought in or closed"
)


@pytest.fixture(scope="module")
def kills() -> Iterator[Killing]:
    with killing() as made:
        yield made


def _feed(server: RunningServer, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{server.url}/api/v1/feed", headers=headers, timeout=PATIENCE_S).status_code


# --- Closing -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Two:
    return two_companies(ServerHome(tmp_path_factory.mktemp("two") / "server"))


@pytest.fixture(scope="module")
def closing_steps(made: Two, kills: Killing, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Those of a closing that nobody kills."""
    home = ServerHome(tmp_path_factory.mktemp("closed") / "server")
    shutil.copytree(made.home.folder, home.folder)
    return kills.run(home, *CLOSE)[1]


@pytest.fixture
def two(made: Two, tmp_path: Path) -> Two:
    shutil.copytree(made.home.folder, tmp_path / "server")
    return Two(ServerHome(tmp_path / "server"), made.north, made.south)


def _is_gone(home: ServerHome) -> bool:
    with home.opened():
        rows = (
            Company.objects.filter(pk="southwind").exists()
            or Person.objects.filter(company="southwind").exists()
        )
    return not rows and not (home.folder / "keys" / "southwind").exists()


def _of_southwind() -> list[str]:
    """What `check` says of it."""
    return [line for line in tidings_server("check").stdout.splitlines() if "southwind" in line]


@pytest.mark.parametrize(
    ("step", "is_behind"),
    [
        ('SELECT "reports_blockmember"."id" AS', False),
        ('DELETE FROM "directory_person"', True),
        ('DELETE FROM "directory_company"', False),
    ],
)
def test_a_backup_of_a_company_that_was_being_closed_serves_the_others_and_ends_the_closing(
    two: Two, kills: Killing, closing_steps: list[str], tmp_path: Path, step: str, is_behind: bool
) -> None:
    assert kills.run(two.home, *CLOSE, before=closing_steps.index(step))[0]
    back_up(two.home, tmp_path / "backup")
    with two.home.opened():
        succeeded("housekeeping")
        if is_behind:
            succeeded("token", "create", "--role", "dpo", "--company", "northwind")
    assert _is_gone(two.home)
    restore(two.home, tmp_path / "backup")
    with two.home.running() as server:
        assert (_feed(server, two.north), _feed(server, two.south)) == (200, 401)
        assert "cannot be served" not in server.process.output()
    with two.home.opened():
        told = _of_southwind()
        assert all(line.startswith("!") for line in told), told
        if advised := ADVICE.search(" ".join(told)):
            succeeded(*advised[1].split())
        assert _of_southwind() == []
    assert _is_gone(two.home)


def test_of_a_closing_that_an_older_version_began_a_backup_is_told_how_to_end_it(
    two: Two, kills: Killing, closing_steps: list[str], tmp_path: Path
) -> None:
    kills.run(two.home, *CLOSE, before=closing_steps.index('DELETE FROM "directory_person"'))
    with two.home.opened():
        Company.objects.update(move="")
    back_up(two.home, tmp_path / "backup")
    with two.home.opened():
        Company.objects.filter(pk="southwind").update(move=Company.Move.CLOSING)
        succeeded("housekeeping")
        succeeded("token", "create", "--role", "dpo", "--company", "northwind")
    restore(two.home, tmp_path / "backup")
    with two.home.opened():
        refused = tidings_server("serve")
        assert "southwind cannot sign" in refused.stderr
        closes = [advice for advice in ADVICE.findall(refused.stderr) if advice.startswith("company close")]
        done = tidings_server(*closes[0].split())
        assert done.returncode == 0, done
    assert _is_gone(two.home)
    with two.home.running() as server:
        assert (_feed(server, two.north), _feed(server, two.south)) == (200, 401)


def test_a_company_that_is_being_closed_is_not_made_again_under_its_rows(
    two: Two, kills: Killing, closing_steps: list[str]
) -> None:
    kills.run(two.home, *CLOSE, before=closing_steps.index('DELETE FROM "directory_person"'))
    with two.home.opened():
        told = tidings_server("init", two.home.folder / "southwind.toml")
        assert told.returncode == 1
        advised = ADVICE.search(told.stderr)
        assert advised, told
        succeeded(*advised[1].split())
        assert tidings_server("init", two.home.folder / "southwind.toml").returncode == 0


def _fail_to_sync(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let the disk be full where a file of this name is synced."""
    sync = os.fsync

    def fsync(file: int) -> None:
        if Path(f"/proc/self/fd/{file}").readlink().name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    patch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("name", ["southwind.closing", "under-way", "erasures.ledger"])
def test_a_closing_that_could_not_begin_changes_nothing_at_the_next_start_either(
    two: Two, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with two.home.opened():
        with monkeypatch.context() as patch:
            _fail_to_sync(patch, name)
            told = tidings_server(*CLOSE)
        assert told.returncode == 1
        assert "No space left on device" in told.stderr
        assert catch_up(thorough=True) == {}
        succeeded("housekeeping")
        assert Person.objects.filter(company="southwind").exists()
    with two.home.running() as server:
        assert (_feed(server, two.north), _feed(server, two.south)) == (200, 200)


@pytest.mark.parametrize("advised", [True, False], ids=["housekeeping", "next start"])
def test_a_closing_that_the_ledger_has_and_the_database_could_not_note_goes_on_and_is_said_to(
    two: Two, monkeypatch: pytest.MonkeyPatch, advised: bool
) -> None:
    def full() -> None:
        raise OperationalError("database or disk is full")

    with two.home.opened():
        with monkeypatch.context() as patch:
            patch.setattr(connection, "commit", full)
            told = tidings_server(*CLOSE)
        assert told.returncode == 1
        assert "Nothing was deleted" not in told.stderr
        assert ADVICE.findall(told.stderr) == ["housekeeping"]
        assert Person.objects.filter(company="southwind").exists()
        if advised:
            tidings_server("housekeeping")
    with two.home.running() as server:
        assert (_feed(server, two.north), _feed(server, two.south)) == (200, 401)
    assert _is_gone(two.home)
    with two.home.opened():
        assert catch_up(thorough=True) == {}


@pytest.mark.parametrize("step", ["open erasures.ledger", 'UPDATE "privacy_ledgerstate" SET'])
def test_a_closing_that_was_killed_as_it_began_goes_on_and_does_not_come_back_with_a_backup(
    two: Two, kills: Killing, closing_steps: list[str], tmp_path: Path, step: str
) -> None:
    back_up(two.home, tmp_path / "backup")
    assert kills.run(two.home, *CLOSE, before=closing_steps.index(step))[0]
    with two.home.opened():
        tidings_server("housekeeping")
    assert _is_gone(two.home)
    restore(two.home, tmp_path / "backup")
    with two.home.running() as server:
        assert (_feed(server, two.north), _feed(server, two.south)) == (200, 401)
    assert _is_gone(two.home)


# --- Arrival -----------------------------------------------------------------------------------------------

AT_THE_END = ("os.rmdir .import-northwind", "os.remove northwind.arrival")


@dataclass
class Arrival:
    """A server with Southwind, to which Northwind is brought from an archive."""

    home: ServerHome
    archive: Path

    @property
    def words(self) -> tuple[str | Path, ...]:
        return ("company", "import", self.archive)

    def bring_in(self) -> Done:
        return tidings_server(*self.words)


@pytest.fixture(scope="module")
def brought(whole_company: ServerHome, tmp_path_factory: pytest.TempPathFactory) -> Arrival:
    folder = tmp_path_factory.mktemp("brought")
    with whole_company.opened():
        assert tidings_server("company", "export", folder / "northwind.zip").returncode == 0
    home = ServerHome(folder / "server")
    home.init(SOUTHWIND)
    with home.opened():
        Person.objects.create(company_id="southwind", email="a@southwind.example", first_name="A")
    return Arrival(home, folder / "northwind.zip")


@pytest.fixture(scope="module")
def arrival_steps(brought: Arrival, kills: Killing, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Those of an import that nobody kills."""
    home = ServerHome(tmp_path_factory.mktemp("arrived") / "server")
    shutil.copytree(brought.home.folder, home.folder)
    return kills.run(home, *brought.words)[1]


@pytest.fixture
def arrival(brought: Arrival, tmp_path: Path) -> Arrival:
    shutil.copytree(brought.home.folder, tmp_path / "server")
    return Arrival(ServerHome(tmp_path / "server"), brought.archive)


def _place(steps: list[str], name: str) -> int:
    """The last step of this name: the log has an entry of Southwind's before."""
    return len(steps) - 1 - steps[::-1].index(name)


def _people() -> set[UUID]:
    return set(Person.objects.values_list("pk", flat=True))


def _bring_in_again(arrival: Arrival, aside: Path) -> None:
    """Move away what is there already, as one is told to."""
    told = re.search(r"does not know: (.+)\. Move them away first", arrival.bring_in().stderr)
    assert told
    for number, place in enumerate(told[1].split(", ")):
        Path(place).rename(aside / f"aside-{number}")
    done = arrival.bring_in()
    assert done.returncode == 0, done


def _left_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if "northwind" in str(path.relative_to(folder))]


@pytest.mark.parametrize(
    "step",
    [
        "open campaign.jwk.json",
        'INSERT INTO "directory_person"',
        "os.rename media",
        "os.rename keys",
        'INSERT INTO "audit_entry"',
    ],
)
def test_an_import_that_was_killed_can_be_run_again_or_undone(
    arrival: Arrival, kills: Killing, arrival_steps: list[str], step: str
) -> None:
    assert kills.run(arrival.home, *arrival.words, before=_place(arrival_steps, step))[0]
    aside = arrival.home.folder.parent / "aside"
    shutil.copytree(arrival.home.folder, aside)
    with arrival.home.opened():
        succeeded("housekeeping")
        assert list(Company.objects.values_list("pk", flat=True)) == ["southwind"]
    assert _left_under(arrival.home.folder) == []
    with ServerHome(aside).opened():
        done = arrival.bring_in()
        assert done.returncode == 0, done
        assert Company.objects.get(pk="northwind").move == ""
        assert "northwind" not in tidings_server("housekeeping").stderr
        assert Person.objects.filter(company="northwind").exists()
        assert "✓ Keys of northwind" in tidings_server("check").stdout


@pytest.mark.parametrize("end", ["arrived", "undone"])
def test_what_belongs_to_an_import_that_ends_while_housekeeping_looks_is_left_alone(
    two: Two, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    with two.home.opened():
        Company.objects.filter(pk="southwind").update(move=Company.Move.ARRIVING)
        begun = under_way.begun

        def ends_meanwhile(kind: str) -> list[str]:
            if kind == closing.ARRIVAL and end == "undone":
                delete_rows("southwind")
            elif kind == closing.ARRIVAL:
                Company.objects.filter(pk="southwind").update(move=Company.Move.NONE)
            return begun(kind)

        monkeypatch.setattr(under_way, "begun", ends_meanwhile)
        assert closing.finish_moves() == 0
        assert Person.objects.filter(company="southwind").exists() == (end == "arrived")
    assert list((two.home.folder / "keys" / "southwind").iterdir())


@pytest.mark.parametrize("step", AT_THE_END)
def test_an_import_that_was_killed_after_its_last_step_stays(
    arrival: Arrival, kills: Killing, arrival_steps: list[str], step: str
) -> None:
    assert kills.run(arrival.home, *arrival.words, before=arrival_steps.index(step))[0]
    with arrival.home.opened():
        succeeded("housekeeping")
        assert Person.objects.filter(company="northwind").exists()
        assert "✓ Keys of northwind" in tidings_server("check").stdout
    assert not list(arrival.home.folder.glob(".import-*"))


@pytest.mark.parametrize(
    "step",
    [
        'INSERT INTO "directory_person"',
        'INSERT INTO "delivery_device"',
        'INSERT INTO "audit_entry"',
        AT_THE_END[1],
    ],
)
def test_nobody_who_was_erased_since_an_import_was_killed_comes_back_with_a_backup_of_then(
    arrival: Arrival, kills: Killing, arrival_steps: list[str], tmp_path: Path, step: str
) -> None:
    home = arrival.home
    kills.run(home, *arrival.words, before=_place(arrival_steps, step))
    back_up(home, tmp_path / "backup")
    with home.opened():
        succeeded("housekeeping")
        if step not in AT_THE_END:
            assert arrival.bring_in().returncode == 0
        erased = set()
        for company in Company.objects.all():
            gone = Person.objects.filter(company=company).order_by("email")[0].pk
            erase(company, [gone])
            erased.add(gone)
    restore(home, tmp_path / "backup")
    with home.opened():
        assert erased & _people(), "the backup undid nothing: the test shows nothing"
        tidings_server("company", "list")
        assert not erased & _people()
        assert tidings_server("housekeeping").returncode == 0
        if not Company.objects.filter(pk="northwind").exists():
            assert "northwind" in tidings_server("check").stdout, "its computers are told to wait"
            _bring_in_again(arrival, tmp_path)
        assert not erased & _people()
        assert Person.objects.filter(company="northwind").exists()
        assert "✓ Keys of northwind" in tidings_server("check").stdout

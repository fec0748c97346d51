"""`serve` looks at its database before it writes to it: one that is damaged, newer or away stops it with a clear message."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from server.archives import closing as company_closing
from server.database.sqlite import log
from server.directory.models import Company
from tests.support.ports import free_port
from tests.support.server import bulk_data
from tests.support.server.backups import back_up
from tests.support.server.campaign_server import COMPANY, ServerHome
from tests.support.server.postgres import PostgresCluster
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    made = ServerHome(tmp_path / "server")
    made.init()
    return made


def _everything(folder: Path) -> dict[str, bytes]:
    """All files but the notes of commands, and SQLite's index of its log, which reading writes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "under-way" and not path.name.endswith("-shm")
    }


def test_a_database_put_back_under_the_log_of_a_newer_one_is_not_served_and_nothing_is_signed(
    home: ServerHome, tmp_path: Path
) -> None:
    database = home.folder / "tidings.sqlite3"
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    backup = shutil.copy(database, tmp_path / "backup")
    with home.opened():
        bulk_data.add_people(300)
        log = shutil.copy(home.folder / "tidings.sqlite3-wal", tmp_path / "log")
    with closing(sqlite3.connect(backup)) as older:  # as a backup of a smaller company would be
        older.executescript("PRAGMA journal_mode=DELETE; DELETE FROM audit_entry; VACUUM;")
        older.execute("PRAGMA journal_mode=WAL")
    for left in home.folder.glob("tidings.sqlite3*"):
        left.unlink()
    shutil.copy(backup, database)
    shutil.copy(log, home.folder / "tidings.sqlite3-wal")
    checked = home.command("check")
    assert checked.returncode == 1
    before = _everything(home.folder)
    refused = home.command("serve", "--port", "0")
    assert refused.returncode == 1
    assert "The database" in refused.stderr.splitlines()[0]
    assert "Traceback" not in refused.stderr
    after = _everything(home.folder)
    assert {name for name in before if before[name] != after.get(name)} <= {"tidings.sqlite3-wal"}


def test_a_database_whose_pages_are_damaged_is_not_served(home: ServerHome) -> None:
    with home.opened():
        bulk_data.add_people(200)
    database = home.folder / "tidings.sqlite3"
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = opened.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'directory_person'"
        ).fetchone()
        (size,) = opened.execute("PRAGMA page_size").fetchone()
    with database.open("r+b") as file:
        file.seek((root - 1) * size + 8)
        file.write(b"\xff" * 64)
    refused = home.command("serve", "--port", "0")
    assert refused.returncode == 1
    assert "damaged" in refused.stderr or "malformed" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_of_a_newer_version_is_not_served(home: ServerHome) -> None:
    with closing(sqlite3.connect(home.folder / "tidings.sqlite3")) as opened, opened:
        opened.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('reports', '9999_later', '2030-01-01')"
        )
    refused = home.command("serve", "--port", "0")
    assert refused.returncode == 1
    assert "The database is of a newer version of this program" in refused.stderr
    assert "reports.9999_later" in refused.stderr


def test_a_database_that_cannot_be_reached_is_told_in_one_sentence(
    home: ServerHome, postgres_cluster: PostgresCluster
) -> None:
    url = postgres_cluster.url("postgres").rsplit(":", 1)[0]
    away = ServerHome(home.folder, f"{url}:{free_port()}/nothing")
    refused = away.command("serve", "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("The database cannot be used\n")
    assert len(refused.stderr.strip().splitlines()) == 2
    assert "Connection refused" in refused.stderr


def test_check_names_each_column_with_a_value_that_cannot_be_read(home: ServerHome) -> None:
    damage = {
        "directory_person.title": "x'ff00'",
        "directory_person.id": "'x y'",
        "directory_company.counter": "'many'",
        "directory_company.created_at": "'yesterday'",
        "directory_company.named_reporting": "7",
        "directory_notice.date": "x'ff'",
    }
    with home.opened():
        bulk_data.add_people(1)
    with closing(sqlite3.connect(home.folder / "tidings.sqlite3")) as opened, opened:
        opened.execute("PRAGMA ignore_check_constraints = ON")
        for place, value in damage.items():
            table, _dot, column = place.partition(".")
            opened.execute(f"UPDATE {table} SET {column} = {value}")
    checked = home.command("check")
    assert (checked.returncode, checked.stderr) == (1, "")
    (told,) = [line for line in checked.stdout.splitlines() if line.startswith("✗")]
    assert [place for place in damage if place not in told] == []
    assert told.count("_company.") == 3


def test_check_names_a_table_that_is_gone(home: ServerHome) -> None:
    with closing(sqlite3.connect(home.folder / "tidings.sqlite3")) as opened, opened:
        opened.execute("DROP TABLE delivery_spenttoken")
    checked = home.command("check")
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "✗ Tables      Missing: delivery_spenttoken." in checked.stdout


def test_an_audit_log_with_a_value_that_cannot_be_read_is_not_whole(home: ServerHome) -> None:
    with closing(sqlite3.connect(home.folder / "tidings.sqlite3")) as opened, opened:
        opened.execute("UPDATE audit_entry SET detail = CAST(detail AS BLOB)")
    verified = home.command("audit", "verify")
    assert verified.returncode == 1
    assert "audit_entry.detail" in verified.stderr
    assert "Traceback" not in verified.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDINGS_LONGEST_WAIT_S", "soon"),
        ("TIDINGS_LONGEST_WAIT_S", "nan"),
        ("TIDINGS_LONGEST_WAIT_S", "-5"),
        ("TIDINGS_LONGEST_WAIT_S", "1e400"),
        ("TIDINGS_LONGEST_WAIT_S", "0"),
        ("TIDINGS_RESTORE_WATCH_S", "soon"),
        ("TIDINGS_RESTORE_WATCH_S", "nan"),
        ("TIDINGS_RESTORE_WATCH_S", "-5"),
        ("TIDINGS_RESTORE_WATCH_S", "1e400"),
        ("TIDINGS_RESTORE_WATCH_S", "86400"),
        ("DATABASE_URL", "garbage"),
        ("DATABASE_URL", "sqlite:////tmp/other.sqlite3"),
        ("DATABASE_URL", "mysql://user:pa55w0rd@host/name"),
        ("DATABASE_URL", "postgresql://user:pa55w0rd@[host/name"),
        ("DATABASE_URL", "postgresql://user:pa55w0rd@host:port/name"),
    ],
)
def test_a_variable_that_says_nothing_usable_is_named_and_no_password_told(
    tmp_path: Path, name: str, value: str
) -> None:
    told = ServerHome(tmp_path, environment={name: value}).command("company", "list")
    assert told.returncode == 1
    assert name in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert "pa55w0rd" not in told.stderr


def _truncated(database: Path) -> None:
    with closing(sqlite3.connect(database)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _killed(home: ServerHome, tmp_path: Path) -> Path:
    """A copy of the log as a process that is killed now would leave it."""
    return shutil.copy(home.folder / "tidings.sqlite3-wal", tmp_path / "log")


def _put_back(home: ServerHome, database: Path, log: Path) -> None:
    for left in home.folder.glob("tidings.sqlite3*"):
        left.unlink()
    shutil.copyfile(database, home.folder / "tidings.sqlite3")
    shutil.copyfile(log, home.folder / "tidings.sqlite3-wal")


def _rename(name: str) -> None:
    from django.db import transaction

    from server.directory.models import Person

    with transaction.atomic():
        Person.objects.update(last_name=name)


@pytest.mark.parametrize(
    "command", [("serve", "--port", "0"), ("campaign", "list"), ("check",)], ids=" ".join
)
def test_no_command_replays_the_log_of_a_later_time_into_a_backup(
    home: ServerHome, tmp_path: Path, command: tuple[str, ...]
) -> None:
    database = home.folder / "tidings.sqlite3"
    with home.opened():
        bulk_data.add_people(60)
        back_up(home, tmp_path / "backup")
        bulk_data.publish("c-between")
        _truncated(database)
        _rename("Later")  # into pages that the backup has too: no page is damaged in the mixture
        log = _killed(home, tmp_path)
    _put_back(home, tmp_path / "backup", log)
    before = _everything(home.folder)
    refused = home.command(*command)
    assert refused.returncode == 1
    assert refused.stderr.startswith("The log beside the database does not belong to it\n")
    assert "tidings.sqlite3-wal" in refused.stderr
    assert _everything(home.folder) == before


def test_a_log_of_another_database_is_not_replayed(home: ServerHome, tmp_path: Path) -> None:
    other = ServerHome(tmp_path / "other")
    (tmp_path / "company.toml").write_text(COMPANY)
    other.succeed("init", tmp_path / "company.toml")  # no copy of tables that both would have
    logs = []
    for each in (home, other):
        _truncated(each.folder / "tidings.sqlite3")
        with each.opened():
            bulk_data.add_people(3)
            logs.append(_killed(each, each.folder))
    _truncated(home.folder / "tidings.sqlite3")
    _put_back(home, shutil.copy(home.folder / "tidings.sqlite3", tmp_path / "own"), logs[1])
    refused = home.command("campaign", "list")
    assert refused.returncode == 1
    assert refused.stderr.startswith("The log beside the database does not belong to it\n")


@pytest.mark.parametrize("checkpoint", ["", "PASSIVE", "FULL", "RESTART"])
def test_what_a_killed_server_had_written_is_there_at_the_next_start(
    home: ServerHome, tmp_path: Path, checkpoint: str
) -> None:
    database = home.folder / "tidings.sqlite3"
    _truncated(database)
    with home.opened():
        bulk_data.add_people(30)
        if checkpoint:
            with closing(sqlite3.connect(database)) as opened:
                opened.execute(f"PRAGMA wal_checkpoint({checkpoint})")
        _rename("Newest")
        kept, log = shutil.copy(database, tmp_path / "kept"), _killed(home, tmp_path)
    _put_back(home, kept, log)
    home.succeed("campaign", "list")
    with closing(sqlite3.connect(database)) as opened:
        assert opened.execute("SELECT DISTINCT last_name FROM directory_person").fetchall() == [("Newest",)]


def _emptied(database: Path) -> None:
    database.write_bytes(b"")


def _gone(database: Path) -> None:
    database.unlink()


def _of_another_program(database: Path) -> None:
    database.unlink()
    with closing(sqlite3.connect(database)) as made, made:
        made.execute("CREATE TABLE other (x)")


@pytest.mark.parametrize("lose", [_emptied, _gone, _of_another_program])
def test_an_empty_database_beside_the_keys_of_a_company_is_not_served(
    home: ServerHome, lose: Callable[[Path], None]
) -> None:
    lose(home.folder / "tidings.sqlite3")
    checked = home.command("check")
    refused = home.command("serve", "--port", "0")
    assert (checked.returncode, refused.returncode) == (1, 1)
    assert refused.stderr.startswith("The database is empty\n")
    assert "the keys of northwind" in refused.stderr
    assert "the keys of northwind" in checked.stdout
    assert "serve makes them" not in checked.stdout


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        ("DROP TABLE signals_consent", "signals_consent"),
        ("ALTER TABLE directory_person DROP COLUMN title", "directory_person.title"),
    ],
)
def test_a_database_that_lacks_a_table_or_a_column_is_not_served(
    home: ServerHome, loss: str, named: str
) -> None:
    with closing(sqlite3.connect(home.folder / "tidings.sqlite3")) as opened, opened:
        opened.execute(loss)
    checked = home.command("check")
    refused = home.command("serve", "--port", "0")
    assert (checked.returncode, refused.returncode) == (1, 1)
    assert f"Missing: {named}." in checked.stdout
    assert f"Missing: {named}." in refused.stderr


@pytest.mark.parametrize("left", [4096, 100])
def test_a_database_that_was_cut_is_said_to_be_damaged(home: ServerHome, left: int) -> None:
    database = home.folder / "tidings.sqlite3"
    _truncated(database)
    os.truncate(database, left)
    refused = home.command("serve", "--port", "0")
    assert refused.returncode == 1
    assert refused.stderr.startswith("The database is damaged\n")
    assert "backup" in refused.stderr


def test_a_log_that_begins_anew_while_it_is_looked_at_is_its_own_databases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a healthy server would be told to delete what somebody has just written."""
    database = tmp_path / "tidings.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        opened.execute("CREATE TABLE written (number)")

        def write(times: int) -> None:
            for number in range(times):
                opened.execute("BEGIN IMMEDIATE")
                ((held,),) = opened.execute("PRAGMA user_version")
                opened.execute(f"PRAGMA user_version={log.following(held)}")
                opened.execute("INSERT INTO written VALUES (?)", (number,))
                opened.execute("COMMIT")

        write(200)
        opened.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        frame, looks = log._FRAME, iter(range(10_000))

        class Frame:
            size = frame.size

            @staticmethod
            def unpack(content: bytes) -> tuple[int, ...]:
                if next(looks) == 20:
                    write(60)
                return frame.unpack(content)

        monkeypatch.setattr(log, "_FRAME", Frame)
        assert not log.is_of_another(database)
        assert next(looks) > 20


def test_a_server_whose_only_company_was_half_deleted_starts_and_ends_that(
    home: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_company: object) -> None:
        raise KeyboardInterrupt

    with home.opened():
        with monkeypatch.context() as patch:
            patch.setattr(company_closing, "delete_files", killed)
            with pytest.raises(KeyboardInterrupt):
                company_closing.close_company(Company.objects.get())
        assert not Company.objects.exists()
    with home.running() as server:
        assert requests.get(f"{server.url}/api/v1/health", timeout=PATIENCE_S).status_code == 200
    done = home.command("housekeeping")
    assert done.returncode == 0, done.stderr
    assert not (home.folder / "keys" / "northwind").exists()

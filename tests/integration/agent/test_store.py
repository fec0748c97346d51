"""The store on disk: migrated whole or not at all, backed up first, and damage is a fault with a name."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import PresenceState
from agent.ipc.instance_lock import InstanceLock
from agent.runtime import Runtime
from agent.store.database import Database
from agent.store.migrations import MIGRATIONS, migrate
from agent.system.dirs import Folders
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import all_on, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE
from tests.support.children import Child
from tests.support.waiting import PATIENCE_S, until

NOW, NEXT = len(MIGRATIONS), len(MIGRATIONS) + 1
NEWER = (
    *MIGRATIONS,
    "ALTER TABLE campaign ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;\nCREATE TABLE extra (a TEXT);\n",
)
BROKEN = (*MIGRATIONS, "CREATE TABLE extra (a TEXT);\nINSERT nowhere VALUES (1);\n")
DAMAGES = 150


def opened(path: Path, migrations: tuple[str, ...] = MIGRATIONS) -> Database:
    database = Database(path)
    migrate(database, migrations)
    return database


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def setting(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, value FROM setting").fetchall()


@pytest.fixture
def old_store(tmp_path: Path) -> Path:
    path = tmp_path / "tidings.sqlite3"
    with closing(opened(path)) as database, database.transaction() as connection:
        connection.execute("INSERT INTO setting (name, value) VALUES ('paused_until', 'tomorrow')")
    return path


def test_a_new_store_needs_no_backup(tmp_path: Path) -> None:
    opened(tmp_path / "tidings.sqlite3").close()
    assert [path.name for path in tmp_path.iterdir()] == ["tidings.sqlite3"]
    assert (tmp_path / "tidings.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_store_is_copied_before_it_is_migrated(old_store: Path) -> None:
    opened(old_store, NEWER).close()
    copy = old_store.with_name(f"tidings-v{NOW}.backup")
    assert (version(old_store), version(copy)) == (NEXT, NOW)
    assert setting(old_store) == setting(copy) == [("paused_until", "tomorrow")]
    assert copy.stat().st_mode & 0o777 == 0o600


def test_announcements_of_an_older_store_end_thirty_days_after_their_end(tmp_path: Path) -> None:
    path = tmp_path / "tidings.sqlite3"
    content = '{"campaign_id":"c-one","ends":"2026-11-30T17:00:00Z"}'
    with closing(opened(path, MIGRATIONS[:5])) as old, old.transaction() as connection:
        connection.execute(
            "INSERT INTO campaign (campaign_id, content, starts, received) VALUES ('c-one', ?, '', '')",
            (content.encode(),),
        )
    with closing(opened(path)) as database, database.reading() as connection:
        (expires,) = connection.execute("SELECT expires FROM campaign").fetchone()
    assert datetime.fromtimestamp(expires, UTC) == datetime(2026, 12, 30, 17, tzinfo=UTC)


def test_a_store_of_a_newer_version_is_refused_and_not_touched(old_store: Path) -> None:
    opened(old_store, NEWER).close()
    before = old_store.read_bytes()
    with pytest.raises(errors.StoreTooNew):
        opened(old_store)
    assert old_store.read_bytes() == before


def test_a_migration_that_fails_half_way_changes_nothing(old_store: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        opened(old_store, BROKEN)
    assert version(old_store) == NOW
    opened(old_store, NEWER).close()
    assert version(old_store) == NEXT


MIGRATING = """
import sys
from pathlib import Path
from agent.store.database import Database
from agent.store.migrations import migrate
sys.stdout.write("ready\\n"); sys.stdout.flush()
migrate(Database(Path(sys.argv[1])), tuple(sys.argv[2:]))
sys.stdout.write("done\\n"); sys.stdout.flush()
"""


def test_a_kill_during_a_migration_leaves_the_old_or_the_new_version(old_store: Path, tmp_path: Path) -> None:
    chance = random.Random(12)
    found = set()
    for number in range(8):
        path = tmp_path / f"copy-{number}.sqlite3"
        shutil.copy(old_store, path)
        with subprocess.Popen(
            [sys.executable, "-c", MIGRATING, path, *NEWER], stdout=subprocess.PIPE, start_new_session=True
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            go_on_for(chance.uniform(0, 0.012))
            os.kill(child.pid, signal.SIGKILL)
            child.wait(PATIENCE_S)
        found.add(version(path))
        assert setting(path) == [("paused_until", "tomorrow")]
        opened(path, NEWER).close()
        assert version(path) == NEXT
    assert found <= {NOW, NEXT}


def go_on_for(seconds: float) -> None:
    """Let a killed process get a random way far: this is the fault, not a wait for something."""
    threading.Event().wait(seconds)


@pytest.mark.parametrize("content", [b"no database " * 1_000, b"SQLite format 3\0" + b"\xff" * 8_000])
def test_a_file_that_is_no_store_is_called_damaged(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tidings.sqlite3"
    path.write_bytes(content)
    with pytest.raises(errors.StoreDamaged):
        opened(path)


def test_a_store_that_cannot_be_opened_is_a_fault_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "tidings.sqlite3").mkdir()
    with pytest.raises(errors.DiskFault):
        opened(tmp_path / "tidings.sqlite3")


def use(folder: Path) -> None:
    """All that windows ask of the store."""
    with an_agent(folder) as agent:
        agent.runtime.status()
        agent.runtime.inbox()
        agent.runtime.select(PresenceState())
        agent.runtime.choices()
        agent.runtime.messages.all()
        agent.runtime.messages.parts()
        agent.runtime.messages.receipts()


@pytest.mark.expected_logs("damaged", "set aside", "forgotten at the next start")
def test_damage_anywhere_in_the_data_folder_is_a_fault_with_a_name_or_harmless(tmp_path: Path) -> None:
    company, chance = Company(), random.Random(12)
    good, bad = tmp_path / "good", tmp_path / "bad"
    with loopback_server(company) as server, an_agent(good) as agent:
        for number in range(5):
            company.publish(f"c-{number}")
        agent.runtime.enrol(server.url, "KX7P-9QMD-2HTV")
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime._outbox.send(agent.runtime._connector.client())
    for _ in range(DAMAGES):
        shutil.copytree(good, bad)
        damage(bad / "data" / "tidings.sqlite3", chance)
        with suppress(errors.StoreDamaged, errors.StoreTooNew):
            use(bad)
        shutil.rmtree(bad)


def damage(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 3, 50))):
        at = chance.randrange(len(content))
        piece = chance.randbytes(chance.choice((1, 4, 200)))
        content[at : at + len(piece)] = piece[: len(content) - at]
    path.write_bytes(content[: chance.choice((len(content), len(content), chance.randrange(len(content))))])


# One agent for each user


def test_a_second_lock_in_the_same_process_or_another_is_refused_until_the_first_is_released(
    tmp_path: Path,
) -> None:
    lock = InstanceLock(Folders.under(tmp_path))
    with pytest.raises(errors.AlreadyRunning):
        InstanceLock(Folders.under(tmp_path))
    assert take_lock(tmp_path).returncode == 1
    lock.release()
    assert take_lock(tmp_path).returncode == 0


def take_lock(folder: Path) -> subprocess.CompletedProcess[bytes]:
    program = (
        "import sys; from pathlib import Path; from agent.domain import errors\n"
        "from agent.system.dirs import Folders; from agent.ipc.instance_lock import InstanceLock\n"
        "try: InstanceLock(Folders.under(Path(sys.argv[1])))\n"
        "except errors.AlreadyRunning: sys.exit(1)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, folder], timeout=PATIENCE_S, check=False, capture_output=True
    )


def test_a_killed_agents_lock_is_free(tmp_path: Path) -> None:
    program = (
        "import sys, signal; from pathlib import Path\n"
        "from agent.system.dirs import Folders; from agent.ipc.instance_lock import InstanceLock\n"
        "lock = InstanceLock(Folders.under(Path(sys.argv[1]))); print('held', flush=True); signal.pause()\n"
    )
    log = tmp_path / "log"
    with Child([sys.executable, "-c", program, tmp_path], log) as child:
        until(lambda: "held" in log.read_text(), "the lock")
        with pytest.raises(errors.AlreadyRunning):
            InstanceLock(Folders.under(tmp_path))
        child.kill()
    InstanceLock(Folders.under(tmp_path)).release()


def test_a_runtime_folder_that_cannot_be_made_is_a_fault_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.DiskFault):
        InstanceLock(Folders.under(tmp_path / "file"))
    with pytest.raises(errors.DiskFault):
        Runtime.open(Folders.under(tmp_path / "file"))


def test_the_log_of_the_store_stays_short_however_much_is_written(tmp_path: Path) -> None:
    """A start reads all of it: with one failed read in fifty, four megabytes would never be read whole."""
    company = Company()
    company.publish("c-one")
    with loopback_server(company) as server, an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        for number in range(500):
            agent.runtime.interactions.mark_read(["c-one"], read=number % 2 == 0)
        log = agent.runtime._folders.data / "tidings.sqlite3-wal"
        assert 0 < log.stat().st_size < 256 * 1024

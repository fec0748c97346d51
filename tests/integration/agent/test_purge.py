"""`tidings purge`, as a process with a real keychain: what it leaves, online, offline and with a store that is damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agent.company_in_memory import Company
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, loopback_server
from tests.support.agent.watching import CODE


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "tidings"


@pytest.fixture
def connected_by_itself(
    session: Session, home: Path, tmp_path: Path, company: Company
) -> Iterator[tuple[Program, LoopbackServer]]:
    """A computer with a server and a keychain entry that no other test needs."""
    tidings = Program(
        "agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "agent.log", is_quick=True
    )
    with loopback_server(company) as server:
        tidings.run("enrol", server.url, CODE)
        yield tidings, server


def test_purge_disconnects_and_leaves_nothing_behind(
    connected_by_itself: tuple[Program, LoopbackServer], company: Company, home: Path
) -> None:
    tidings, _ = connected_by_itself
    tidings.run("once")
    assert (home / "data").exists()
    done = tidings.run("purge", "--yes")
    assert "deleted" in done.stdout
    assert "could not be told" not in done.stderr
    assert company.token == "", "the server was told"
    assert list(home.rglob("*")) == []


def test_purge_asks_first(connected_by_itself: tuple[Program, LoopbackServer], home: Path) -> None:
    tidings, _server = connected_by_itself
    done = tidings.run("purge", stdin="no\n", code=1)
    assert "Nothing was deleted" in done.stdout
    assert (home / "data" / "tidings.sqlite3").exists()


def test_purge_works_offline_and_empties_the_keychain(
    connected_by_itself: tuple[Program, LoopbackServer], home: Path, session: Session
) -> None:
    tidings, server = connected_by_itself
    account = (home / "data" / "keychain.name").read_text()
    assert in_keychain(session, account)
    server.answer = lambda _: Reply(LOST)
    done = tidings.run("purge", stdin="yes\n")
    assert "The server could not be told: what you shared stays there." in done.stderr
    assert list(home.rglob("*")) == []
    assert not in_keychain(session, account)


def in_keychain(session: Session, account: str) -> bool:
    question = json.dumps({"verb": "read", "account": account})
    done = Program("agent", session.env, session.folder / "log", is_quick=True).run(
        "helper", "keychain", stdin=question
    )
    answer = json.loads(done.stdout)
    assert answer["fault"] == ""
    return answer["secret"] is not None


def test_purge_deletes_all_where_the_store_is_damaged(
    connected_by_itself: tuple[Program, LoopbackServer], home: Path, session: Session
) -> None:
    tidings, _server = connected_by_itself
    account = (home / "data" / "keychain.name").read_text()
    for name in ("tidings.sqlite3", "tidings.sqlite3-wal", "tidings.sqlite3-shm"):
        (home / "data" / name).unlink(missing_ok=True)
    (home / "data" / "tidings.sqlite3").write_bytes(b"no database " * 1_000)
    tidings.run("purge", "--yes")
    assert list(home.rglob("*")) == []
    assert not in_keychain(session, account)


def test_purge_leaves_no_folder_in_the_platforms_places(
    session: Session, company: Company, tmp_path: Path
) -> None:
    before = {path for path in session.folder.rglob("*") if "idings" in path.name}
    env = {name: value for name, value in session.env.items() if name != "TIDINGS_HOME"}
    tidings = Program("agent", env, tmp_path / "log", is_quick=True)
    with loopback_server(company) as server:
        tidings.run("enrol", server.url, CODE)
        assert {path for path in session.folder.rglob("*") if "idings" in path.name} > before
        tidings.run("purge", "--yes")
    assert {path for path in session.folder.rglob("*") if "idings" in path.name} == before


def moved(folder: Path, to: Path) -> None:
    """As a person does who needs the room: the folder is elsewhere, with a link in its place."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, to)
    folder.symlink_to(to)


def test_purge_deletes_what_a_link_leads_to(
    connected_by_itself: tuple[Program, LoopbackServer], home: Path, tmp_path: Path
) -> None:
    tidings, _server = connected_by_itself
    tidings.run("once")
    (home / "cache" / "media").mkdir(mode=0o700, exist_ok=True)
    (home / "cache" / "media" / ("0" * 64)).write_bytes(b"a picture")
    for name in ("cache/media", "cache", "logs", "data/tidings.sqlite3", "data"):
        moved(home / name, tmp_path / "disk" / name.replace("/", "-"))
    tidings.run("purge", "--yes")
    assert list(home.rglob("*")) == []
    assert list((tmp_path / "disk").rglob("*")) == []


def test_purge_leaves_what_is_not_of_tidings_where_a_link_leads_and_says_so(
    connected_by_itself: tuple[Program, LoopbackServer], home: Path, tmp_path: Path
) -> None:
    tidings, _server = connected_by_itself
    moved(home / "cache", tmp_path / "pictures")
    (tmp_path / "pictures" / "holiday.jpg").write_bytes(b"mine")
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "report.txt").write_text("ours together")
    (home / "data" / "more").symlink_to(shared)
    said = tidings.run("purge", "--yes", code=1).stderr
    assert "holiday.jpg: it is not of Tidings" in said
    assert "shared: others may use it too" in said
    assert list(home.rglob("*")) == []
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} >= {"holiday.jpg", "report.txt"}

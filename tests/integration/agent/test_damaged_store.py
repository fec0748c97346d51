"""The store after damage: what is right is kept, what is not is neither sent nor shown, and people are told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.domain.model import FeedbackSignal, Interaction, InteractionKind, PresenceState
from agent.store import enrolment_note, repairs
from agent.store.database import Database
from agent.store.migrations import MIGRATIONS, migrate
from tests.support.agent.company_in_memory import Company, running
from tests.support.agent.parts import Agent, MemoryKeychain, SettableClock, all_on, an_agent, opened_store
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE, counted_runs
from tests.support.waiting import until

SET_ASIDE = pytest.mark.expected_logs("was damaged and is set aside")
RULES = "c-rules"
PAGE_BYTES = 4_096


@pytest.fixture
def keychain() -> MemoryKeychain:
    return MemoryKeychain()


@pytest.fixture
def folder(server: LoopbackServer, company: Company, keychain: MemoryKeychain, tmp_path: Path) -> Path:
    """An agent's that has received, shared and confirmed; one confirmation waits. It is not running."""
    for number in range(20):
        company.publish(f"c-{number:04}", running(f"Title {number:04} here"))
    for campaign_id in (RULES, "c-rules-too"):
        company.publish(campaign_id, running(f"Rules of {campaign_id}", acknowledge=True))
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.preferences.change({"popups_per_hour": 3})
        agent.runtime.interactions.record(Interaction("c-0003", InteractionKind.CLICKED, "l1"))
        agent.runtime.interactions.acknowledge("c-rules-too")
        agent.runtime.sync_once()
        agent.runtime.interactions.acknowledge(RULES)
    return tmp_path


def store(folder: Path) -> Path:
    return folder / "data" / "tidings.sqlite3"


def change(folder: Path, old: bytes, new: bytes) -> None:
    """Damages each place where something stands, as a disk does, not as a program."""
    assert len(old) == len(new)
    content = store(folder).read_bytes()
    assert old in content
    store(folder).write_bytes(content.replace(old, new))


def titles(agent: Agent) -> set[str]:
    return {item.campaign.variant("en").title for item in agent.runtime.inbox()}


def codes(agent: Agent) -> set[str]:
    return {trouble.code for trouble in agent.runtime.status().troubles}


@contextmanager
def mended(folder: Path, keychain: MemoryKeychain, mend: Callable[[], object]) -> Iterator[Agent]:
    """An agent over a disk that reads well again a moment after a fault."""

    class Clock(SettableClock):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            mend()

    with an_agent(folder, keychain, Clock()) as agent:
        yield agent


@pytest.mark.parametrize("fault", [b"no database at all " * 500, b"SQLite format 3\0" + b"\xff" * 90_000])
def test_one_failed_read_at_the_start_loses_nothing(
    folder: Path, keychain: MemoryKeychain, company: Company, fault: bytes
) -> None:
    good = store(folder).read_bytes()
    store(folder).write_bytes(fault)
    with mended(folder, keychain, lambda: store(folder).write_bytes(good)) as agent:
        assert len(titles(agent)) == 23
        agent.runtime.sync_once()
        assert codes(agent) == set()
    assert set(company.acknowledged) == {RULES, "c-rules-too"}
    assert repairs.found(folder / "data") == []


@SET_ASIDE
def test_a_confirmation_that_is_not_what_was_written_is_not_sent(
    folder: Path, keychain: MemoryKeychain, company: Company
) -> None:
    company.publish("c-rulez", running("Other rules", acknowledge=True))
    change(
        folder, RULES.encode() + b"20", b"c-rulez20"
    )  # in the row that waits: campaign and time stand together
    with an_agent(folder, keychain) as agent:
        agent.runtime.sync_once()
        assert codes(agent) == {"DataDamaged"}
        assert agent.runtime.status().waiting == 0
    assert set(company.acknowledged) == {"c-rules-too"}


@SET_ASIDE
def test_an_announcement_that_is_not_what_was_signed_is_not_shown_and_comes_back(
    folder: Path, keychain: MemoryKeychain
) -> None:
    change(folder, b"Title 0007 here", b"Title 9007 here")
    with an_agent(folder, keychain) as agent:
        assert titles(agent) & {"Title 0007 here", "Title 9007 here"} == set()
        assert len(titles(agent)) == 22
        assert agent.runtime.select(PresenceState()) is not None
        agent.runtime.sync_once()
        assert "Title 0007 here" in titles(agent)
        assert agent.runtime.preferences.own().popups_per_hour == 3
        assert codes(agent) == {"DataDamaged"}


@SET_ASIDE
def test_a_line_of_what_was_sent_that_is_not_what_left_is_not_shown(
    folder: Path, keychain: MemoryKeychain
) -> None:
    with an_agent(folder, keychain) as agent:
        before = {item.body for item in agent.runtime.my_data.sent()}
    change(folder, b'"signal":"click","event_id"', b'"signal":"clock","event_id"')
    with an_agent(folder, keychain) as agent:
        shown = {item.body for item in agent.runtime.my_data.sent()}
        assert shown < before
        assert not any(b"clock" in body for body in shown)
        assert len(agent.runtime.my_data.receipts()) == len(FeedbackSignal)


@SET_ASIDE
def test_the_address_of_another_server_is_never_asked(
    folder: Path, keychain: MemoryKeychain, server: LoopbackServer
) -> None:
    change(folder, f"127.0.0.1:{server.port}".encode(), f"127.0.0.2:{server.port}".encode())
    with an_agent(folder, keychain) as agent:
        agent.runtime.sync_once()
        assert agent.runtime.status().server_url == server.url, "as the second note says"
        assert codes(agent) == {"DataDamaged"}
    note = folder / "data" / enrolment_note.NAME
    change(folder, f"127.0.0.1:{server.port}".encode(), f"127.0.0.2:{server.port}".encode())
    note.write_bytes(note.read_bytes().replace(b"127.0.0.1", b"127.0.0.2"))
    before = len(server.requests)
    with an_agent(folder, keychain) as agent:
        with pytest.raises(errors.NotConnected):
            agent.runtime.sync_once()
        assert agent.runtime.status().server_url == ""
        assert codes(agent) == {"DataDamaged", "EnrolmentLost"}
    assert len(server.requests) == before


@SET_ASIDE
def test_a_lost_page_loses_what_is_in_it_and_no_more(
    folder: Path, keychain: MemoryKeychain, company: Company
) -> None:
    content = bytearray(store(folder).read_bytes())
    at = content.index(b"Title 0007 here") // PAGE_BYTES * PAGE_BYTES
    content[at : at + PAGE_BYTES] = bytes(PAGE_BYTES)
    store(folder).write_bytes(content)
    with an_agent(folder, keychain) as agent:
        agent.runtime.inbox()
        agent.runtime.sync_once()
        assert len(titles(agent)) == 23
        assert agent.runtime.preferences.own().popups_per_hour == 3
        assert any(choice.on for choice in agent.runtime.choices())
        assert agent.runtime.my_data.receipts()
    assert set(company.acknowledged) == {RULES, "c-rules-too"}


@SET_ASIDE
def test_damage_that_appears_while_the_agent_runs_is_repaired_at_the_next_look(
    folder: Path, keychain: MemoryKeychain
) -> None:
    with an_agent(folder, keychain) as agent:
        agent.runtime.messages.all()
        store(folder).with_name("tidings.sqlite3-wal").unlink(missing_ok=True)
        change(folder, b"Title 0007 here", b"Title 9007 here")
        agent.runtime._database._connection.execute("PRAGMA shrink_memory")
        assert titles(agent) & {"Title 0007 here", "Title 9007 here"} == set()
        assert codes(agent) == {"DataDamaged"}
        agent.runtime.sync_once()
        assert "Title 0007 here" in titles(agent)


def page_of(content: bytes | bytearray, text: bytes) -> slice:
    at = content.index(text) // PAGE_BYTES * PAGE_BYTES
    return slice(at, at + PAGE_BYTES)


@SET_ASIDE
def test_damage_that_nobody_has_met_is_found_in_the_background(
    folder: Path, keychain: MemoryKeychain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two pages in one another's place: no statement fails, and no SELECT finds what is in them."""
    monkeypatch.setattr(limits, "EXAMINE_FIRST_S", 0)
    with an_agent(folder, keychain) as agent:
        before = {item.body for item in agent.runtime.my_data.sent()}
        kept = len(agent.runtime.my_data.receipts())
    content = bytearray(store(folder).read_bytes())
    one, other = page_of(content, b'"signal":"click","event_id"'), page_of(content, b"Title 0007 here")
    content[one], content[other] = content[other], content[one]
    store(folder).write_bytes(content)
    with an_agent(folder, keychain) as agent:
        agent.runtime.start()
        until(lambda: "DataDamaged" in codes(agent), "the damage told")
        until(lambda: len(titles(agent)) == 23, "all announcements")
        assert {item.body for item in agent.runtime.my_data.sent()} >= before
        assert len(agent.runtime.my_data.receipts()) == kept


def test_a_sound_store_is_looked_at_and_left_alone(
    folder: Path, keychain: MemoryKeychain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXAMINE_FIRST_S", 0)
    with an_agent(folder, keychain) as agent:
        runs = counted_runs(agent, agent.runtime._examine)
        agent.runtime.start()
        until(lambda: runs() > 0, "a look")
        assert codes(agent) == set()
    assert repairs.found(folder / "data") == []


@SET_ASIDE
@pytest.mark.parametrize("version", [-7, 0, 1, len(MIGRATIONS) - 1, len(MIGRATIONS) + 1, 200])
def test_a_damaged_version_number_is_no_other_version(
    folder: Path, keychain: MemoryKeychain, version: int
) -> None:
    with closing(sqlite3.connect(store(folder))) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with an_agent(folder, keychain) as agent:
        assert len(titles(agent)) == 23
        assert agent.runtime.status().waiting == 1


def test_another_process_changes_nothing_of_a_damaged_store(folder: Path) -> None:
    change(folder, b"Title 0007 here", b"Title 9007 here")
    store(folder).with_name("tidings.sqlite3-shm").unlink(missing_ok=True)
    with an_agent(folder, owner=False) as agent:
        assert len(titles(agent)) == 22
    assert repairs.found(folder / "data") == []
    store(folder).write_bytes(b"no database at all " * 500)
    with pytest.raises(errors.StoreDamaged), an_agent(folder, owner=False):
        pass


@SET_ASIDE
@pytest.mark.parametrize("ended", ["withdrawn", "all deleted", "disconnected"])
def test_a_damaged_store_that_was_set_aside_goes_with_what_it_tells(
    folder: Path, keychain: MemoryKeychain, ended: str
) -> None:
    change(folder, b"Title 0007 here", b"Title 9007 here")
    with an_agent(folder, keychain) as agent:
        agent.runtime.inbox()
        assert repairs.found(folder / "data")
        if ended == "withdrawn":
            agent.runtime.choose({FeedbackSignal.LIKE: False})
        elif ended == "all deleted":
            agent.runtime.delete_all_shared()
        else:
            agent.runtime.disconnect()
        assert repairs.found(folder / "data") == []
        assert codes(agent) == set()


# Stores of earlier versions


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_store_of_an_earlier_version_is_sealed_as_it_is(tmp_path: Path, version: int) -> None:
    path = tmp_path / "tidings.sqlite3"
    with closing(Database(path)) as database:
        migrate(database, MIGRATIONS[:version])
        with database.transaction() as connection:
            connection.execute("INSERT INTO setting (name, value) VALUES ('a', 'b')")
            connection.execute(
                "INSERT INTO counter (subject, counter, digest) VALUES ('c-one', 7, 'abc'), ('c-two', 8, 'def')"
            )
    with opened_store(tmp_path) as stores:
        assert stores.enrolments.counters() == {"c-one": (7, "abc"), "c-two": (8, "def")}
        with stores.database.reading() as reader:
            assert reader.sealed("value", "setting") == [("b",)]

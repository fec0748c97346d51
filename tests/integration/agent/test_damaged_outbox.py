"""Outboxes that a disk damaged: what can be read is sent, what cannot is told, and nothing else is sent in its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.domain import limits
from agent.domain.model import Event, FeedbackSignal
from agent.store import damage
from agent.store.event_queue import EventQueue
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Sending, SettableClock, all_on, an_agent, sending_parts
from tests.support.agent.scripted_server import LoopbackServer, Reply, Request, problem

NAME = "outbox-click.sqlite3"
PAGE_BYTES = 4_096
AT_MOST = 12
"""Requests. Who sends the same for ever reaches any number."""
SET_ASIDE = pytest.mark.expected_logs("was damaged and is set aside")
UNSEALED = """
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    campaign_id TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT
"""


class Mended(SettableClock):
    """A disk that fails once reads well again a moment later."""

    def __init__(self, mend: Callable[[], object]) -> None:
        super().__init__()
        self.mend = mend

    def wait(self, seconds: float) -> None:
        """Time passes, and the fault with it."""
        super().wait(seconds)
        self.mend()


def clicks(sending: Sending, count: int) -> list[str]:
    """Makes clicks on campaigns of their own. Returns these."""
    campaigns = [f"c-{number:04}" for number in range(count)]
    for campaign_id in campaigns:
        assert sending.outbox.make(FeedbackSignal.CLICK, campaign_id, link_id="l1")
    return campaigns


def arrived(company: Company) -> list[str]:
    return sorted(event["campaign_id"] for event in company.events.values())


def kept_aside(folder: Path) -> list[str]:
    return [path.name for path in folder.glob(f"{NAME}.*")]


def change(path: Path, old: bytes, new: bytes) -> None:
    """Damages each place where something stands."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


@pytest.fixture
def giving(sending: Sending) -> Sending:
    sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
    return sending


@pytest.mark.parametrize("fault", [b"no database at all " * 500, b"", b"SQLite format 3\0" + b"\xff" * 8_000])
def test_one_failed_read_loses_nothing_and_sets_nothing_aside(
    tmp_path: Path, server: LoopbackServer, company: Company, fault: bytes
) -> None:
    good: list[bytes] = []
    path = tmp_path / NAME
    clock = Mended(lambda: path.write_bytes(good[0]))
    with closing(sending_parts(tmp_path, server.url, clock)) as sending:
        sending.gate.choose({FeedbackSignal.CLICK: True}, "en")
        made = clicks(sending, 20)
        good.append(path.read_bytes())
        path.write_bytes(fault if fault else good[0][:5_000])
        sending.outbox.send(sending.client)
    assert arrived(company) == made
    assert kept_aside(tmp_path) == []


@SET_ASIDE
def test_a_row_that_is_not_what_was_written_is_never_sent_and_the_others_are(
    giving: Sending, company: Company, server: LoopbackServer, tmp_path: Path
) -> None:
    made = clicks(giving, 20)
    change(tmp_path / NAME, b'"c-0007"', b'"c-0999"')
    giving.outbox.send(giving.client)
    assert arrived(company) == [each for each in made if each != "c-0007"]
    assert not any(b"c-0999" in request.body for request in server.requests)
    fault = damage.told(tmp_path, SettableClock().now())
    assert fault is not None
    assert "Clicks" in fault.message
    assert fault.message.partition(";")[0].partition(".")[0].endswith(": 1"), fault.message


@SET_ASIDE
@pytest.mark.parametrize("page", [1, 2, 4, 8])
def test_events_in_the_pages_that_can_be_read_are_sent(
    giving: Sending, company: Company, tmp_path: Path, page: int
) -> None:
    made = clicks(giving, 200)
    path = tmp_path / NAME
    content = bytearray(path.read_bytes())
    assert len(content) > 10 * PAGE_BYTES
    content[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    path.write_bytes(content)
    giving.outbox.send(giving.client)
    fault = damage.told(tmp_path, SettableClock().now())
    assert fault is not None
    assert "unknown number" in fault.message
    assert set(arrived(company)) <= set(made)
    if page != 1:  # the root of the table: SQLite finds no way past it
        assert len(arrived(company)) > 150
    assert giving.outbox.waiting() == 0


@SET_ASIDE
def test_only_the_newest_damaged_files_are_kept_and_they_are_told_for_a_week(
    giving: Sending, tmp_path: Path
) -> None:
    clock = SettableClock()
    queue = EventQueue(tmp_path, clock)
    for number in range(6):
        queue.append(Event(f"e-{number}", "c-one", FeedbackSignal.CLICK, b"{}"))
        (tmp_path / NAME).write_bytes(b"no database at all " * 500)
        assert queue.head(FeedbackSignal.CLICK, 10) == []
        clock.advance(3_600)
    assert len(kept_aside(tmp_path)) == limits.SET_ASIDE_KEPT
    assert damage.told(tmp_path, clock.now()) is not None
    clock.advance(limits.DAMAGE_TOLD_DAYS * 86_400)
    assert damage.told(tmp_path, clock.now()) is None
    queue.destroy(FeedbackSignal.CLICK)
    assert kept_aside(tmp_path) == []


@SET_ASIDE
def test_what_a_killed_repair_left_takes_the_files_place_and_goes_with_a_withdrawal(
    giving: Sending, company: Company, tmp_path: Path
) -> None:
    clicks(giving, 3)
    path = tmp_path / NAME
    path.replace(tmp_path / f"{NAME}.new")
    path.write_bytes(b"no database at all " * 500)
    (tmp_path / f"{NAME}-journal").write_bytes(b"of the damaged file")
    giving.outbox.send(giving.client)
    assert len(company.events) == 3
    clicks(giving, 3)
    for ending in (".new", ".part", ".part-journal", ".damaged-20261126T120000Z-3", ".damaged"):
        (tmp_path / (NAME + ending)).write_bytes(b"left")
    giving.gate.choose({FeedbackSignal.CLICK: False}, "en")
    giving.outbox.withdraw([FeedbackSignal.CLICK])
    assert list(tmp_path.glob("outbox-*")) == []


def test_another_process_reads_past_the_damage_and_changes_nothing(giving: Sending, tmp_path: Path) -> None:
    clicks(giving, 5)
    change(tmp_path / NAME, b'"c-0002"', b'"c-0999"')
    before = (tmp_path / NAME).read_bytes()
    reader = EventQueue(tmp_path, SettableClock(), owner=False)
    assert len(reader.head(FeedbackSignal.CLICK, 10)) == 4
    assert reader.count() == 5
    (tmp_path / NAME).write_bytes(b"no database at all " * 500)
    assert (reader.head(FeedbackSignal.CLICK, 10), reader.count()) == ([], 0)
    (tmp_path / NAME).write_bytes(before)
    assert [path.name for path in tmp_path.glob("outbox-*")] == [NAME]


# Files that an earlier version wrote


def unsealed(path: Path, events: list[Event]) -> None:
    """The file as it was before rows had a seal."""
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(UNSEALED)
        connection.executemany(
            "INSERT INTO event (event_id, campaign_id, body) VALUES (?, ?, ?)",
            [(each.event_id, each.campaign_id, each.body) for each in events],
        )


def test_a_file_without_seals_is_sent_whole_and_in_order(
    giving: Sending, company: Company, tmp_path: Path
) -> None:
    made = clicks(giving, 150)
    unsealed(tmp_path / NAME, giving.queue.head(FeedbackSignal.CLICK, 1_000))
    made += ["c-one"] if giving.outbox.make(FeedbackSignal.CLICK, "c-one", link_id="l1") else []
    giving.outbox.send(giving.client)
    assert [event["campaign_id"] for event in company.events.values()] == made
    assert list(tmp_path.glob("outbox-*")) == []


@SET_ASIDE
def test_rows_of_a_file_without_seals_that_contradict_themselves_are_not_sent(
    giving: Sending, company: Company, tmp_path: Path
) -> None:
    made = clicks(giving, 12)
    unsealed(tmp_path / NAME, giving.queue.head(FeedbackSignal.CLICK, 1_000))
    change(tmp_path / NAME, b'"c-0007"', b'"c-0999"')
    giving.outbox.send(giving.client)
    assert arrived(company) == [each for each in made if each != "c-0007"]


@pytest.fixture
def patient(server: LoopbackServer, company: Company) -> list[Request]:
    """A server that ends an endless turn."""
    seen: list[Request] = []

    def answer(request: Request) -> Reply:
        seen.append(request)
        return company(request) if len(seen) <= AT_MOST else problem(503, "busy")

    server.answer = answer
    return seen


def test_an_index_that_hides_rows_from_their_removal_makes_no_endless_turn(
    giving: Sending, company: Company, patient: list[Request], tmp_path: Path
) -> None:
    made = clicks(giving, 5)
    path = tmp_path / NAME
    unsealed(path, giving.queue.head(FeedbackSignal.CLICK, 1_000))
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index'").fetchone()[0]
    content = bytearray(path.read_bytes())
    cells = slice((root - 1) * PAGE_BYTES + 8, root * PAGE_BYTES)
    content[cells] = content[cells].replace(b"-", b"_")
    path.write_bytes(content)
    giving.outbox.send(giving.client)
    assert arrived(company) == made
    assert len(patient) < AT_MOST
    assert giving.outbox.waiting() == 0


@pytest.mark.expected_logs("None of 1 events left")
def test_a_removal_that_removed_nothing_ends_the_turn(
    giving: Sending, patient: list[Request], company: Company, tmp_path: Path
) -> None:
    """Somebody puts the file back, as a backup program or a synchronised folder does."""
    clicks(giving, 1)
    path = tmp_path / NAME
    good = path.read_bytes()
    answer = company._answer

    def taken(request: Request) -> Reply:
        if request.path.endswith("signals"):
            path.unlink()
        return answer(request)

    company.faults.extend([lambda request, _: taken(request)] * 2)
    giving.outbox.send(giving.client)
    path.write_bytes(good)
    assert len(patient) == 2, "the consent and one batch"


# What people are told


@SET_ASIDE
def test_the_status_tells_what_was_lost(server: LoopbackServer, company: Company, tmp_path: Path) -> None:
    company.codes.add("KX7P9QMD2HTV")
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, "KX7P9QMD2HTV")
        agent.runtime.choose(all_on())
        agent.runtime._outbox.make(FeedbackSignal.CLICK, "c-0001", link_id="l1")
        change(agent.folders.data / NAME, b'"c-0001"', b'"c-0009"')
        agent.runtime.sync_once()
        (trouble,) = agent.runtime.status().troubles
        assert trouble.code == "DataDamaged"
        assert "Clicks" in trouble.message
        agent.runtime.choose({FeedbackSignal.CLICK: False})
        assert agent.runtime.status().troubles == (), "what was lost of a signal is gone with its withdrawal"

"""Pages of an outbox that stand in one another's place: each row that is still in the file is sent, once."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.domain.model import Event, FeedbackSignal
from agent.store import pages
from agent.store.event_queue import EventQueue
from tests.support.agent.parts import SettableClock

PAGE_BYTES = 4_096
NAME = "outbox-click.sqlite3"
pytestmark = pytest.mark.expected_logs("was damaged and is set aside")


def made(folder: Path, count: int, body_bytes: int = 300) -> list[str]:
    """Events on their own, oldest first. Returns their ids."""
    queue = EventQueue(folder, SettableClock())
    chance = random.Random(count)
    ids = [f"{number:08x}-0000-4000-8000-{chance.randrange(16**12):012x}" for number in range(count)]
    for event_id in ids:
        body = f'{{"event_id":"{event_id}"}}'.encode().ljust(body_bytes)
        queue.append(Event(event_id, "c-one", FeedbackSignal.CLICK, body))
    return ids


def sent(folder: Path) -> list[str]:
    """What leaves, as the outbox takes it: the oldest first, until there is nothing more."""
    queue, left = EventQueue(folder, SettableClock()), list[str]()
    while events := queue.head(FeedbackSignal.CLICK, 100):
        assert all(event.event_id.encode() in event.body for event in events)
        left += [event.event_id for event in events]
        queue.remove(FeedbackSignal.CLICK, left[-len(events) :])
    return left


@pytest.fixture(scope="module")
def outbox(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[str]]:
    """A file of some pages, and the ids in it."""
    folder = tmp_path_factory.mktemp("outbox")
    ids = made(folder, 60)
    return (folder / NAME).read_bytes(), ids


PAGE = st.integers(0, 1_000)


@settings(max_examples=15)
@given(faults=st.lists(st.tuples(PAGE, PAGE, st.booleans()), min_size=1, max_size=3))
@example([(0, 2, True)])
@example([(1, 3, True)])
@example([(1, 3, False)])
@example([(2, 3, True), (4, 5, False)])
def test_each_row_that_is_still_in_the_file_is_sent_once(
    outbox: tuple[bytes, list[str]],
    tmp_path_factory: pytest.TempPathFactory,
    faults: list[tuple[int, int, bool]],
) -> None:
    content, ids = outbox
    bad, number = bytearray(content), len(content) // PAGE_BYTES
    for here, there, swap in faults:
        one, other = (
            slice(each % number * PAGE_BYTES, (each % number + 1) * PAGE_BYTES) for each in (here, there)
        )
        kept = bytes(bad[one])
        bad[one] = bad[other]
        if swap:
            bad[other] = kept
    folder = tmp_path_factory.mktemp("bad")
    (folder / NAME).write_bytes(bad)
    assert sorted(sent(folder)) == [each for each in ids if each.encode() in bad]


def test_a_row_that_goes_over_several_pages_is_found(tmp_path: Path) -> None:
    ids = made(tmp_path, 5, body_bytes=30_000)
    path = tmp_path / NAME
    content = path.read_bytes()
    path.write_bytes(bytes(100) + content[100:])
    assert sent(tmp_path) == ids


@settings(max_examples=60)
@given(content=st.binary(max_size=300), at=st.integers(0, 4_000), seed=st.integers(0, 2**32))
def test_whatever_stands_in_a_page_is_rows_or_none(content: bytes, at: int, seed: int) -> None:
    page = bytearray(random.Random(seed).randbytes(2 * PAGE_BYTES))
    page[at : at + len(content)] = content
    assert isinstance(list(pages.rows(bytes(page))), list)
    assert isinstance(list(pages.rows(content)), list)


def test_the_values_are_those_that_sqlite_has_written(tmp_path: Path) -> None:
    import sqlite3

    values = (0, 1, -1, 300, 2**31, -(2**47), 2**63 - 1, 1.5, None, "été", b"\0\xff", "x" * 9_000)
    path = tmp_path / "any.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'c{number}' for number in range(len(values)))})")
        marks = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO t (rowid, {', '.join(f'c{n}' for n in range(len(values)))}) VALUES (-5, {marks})",
            values,
        )
    assert (-5, values) in list(pages.rows(path.read_bytes()))


def test_a_file_that_ends_in_a_page_that_leads_to_itself_is_read_to_its_end() -> None:
    """A row of 4,090 bytes has 489 of them in its page (sqlite.org/fileformat.html, section 1.6); the rest is cut off."""
    page = bytearray(PAGE_BYTES)
    cell, length, rowid, here = 2_000, bytes.fromhex("9f7a"), b"\1", 489
    page[:10] = b"\x0d\0\0\0\1\0\0\0" + cell.to_bytes(2, "big")
    page[cell : cell + 3] = length + rowid
    second = (2).to_bytes(4, "big")
    page[cell + 3 + here : cell + 3 + here + 4] = second
    assert list(pages.rows(bytes(page) + second)) == []

"""The outbox on disk: one SQLite file for each signal, so that a withdrawal can unlink it whole.

A DELETE would leave copies in a write-ahead log and fails on a full disk; unlinking does neither. A file exists only
while there is something to send. There is no index: one that does not agree with its table hides rows from a DELETE.

One failed read is no damage (SQLite calls some faults of a disk "malformed"): what failed is tried again through a new
connection. What fails twice is repaired (``agent.store.repairs``).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.domain import errors, limits
from agent.domain.model import Event, FeedbackSignal
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.domain.ports import Clock
from agent.store import pages, repairs
from agent.store.database import faults
from agent.store.sealing import seal
from agent.system import private_files

log = logging.getLogger(__name__)

T = TypeVar("T")
N = TypeVar("N")

_VERSION = 1
_SCHEMA = """
CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    body BLOB NOT NULL,
    seal BLOB NOT NULL
) STRICT
"""
_COLUMNS = "event_id, campaign_id, body, seal"
_OLD_COLUMNS = "event_id, campaign_id, body"
"""Of version 0, in which rows had no seal."""


_CHECK = "PRAGMA integrity_check(1)"


class _Keys(msgspec.Struct, frozen=True):
    """What an event says of itself."""

    event_id: str
    campaign_id: str
    signal: FeedbackSignal


class EventQueue:
    """Durable when ``append`` returns. Raises DiskFault.

    ``owner``: no other process works on these files, so that damaged ones may be repaired. Others read past the damage.
    """

    def __init__(self, folder: Path, clock: Clock, *, owner: bool = True) -> None:
        self._folder = folder
        self._clock = clock
        self._owner = owner
        self._lock = threading.RLock()

    def append(self, event: Event) -> None:
        """Add an event; the oldest leave where there are more than the policy's limit."""

        def add(connection: sqlite3.Connection) -> None:
            newest = connection.execute(
                "SELECT number, event_id FROM event ORDER BY number DESC LIMIT 1"
            ).fetchone()
            if newest is not None and newest[1] == event.event_id:
                return  # it was kept although the disk said otherwise
            connection.execute(
                f"INSERT INTO event ({_COLUMNS}) VALUES (?, ?, ?, ?)",
                (event.event_id, event.campaign_id, event.body, _seal(event)),
            )
            # By how many there are: a damaged number says nothing about the others.
            (count,) = connection.execute("SELECT count(*) FROM event").fetchone()
            connection.execute(
                "DELETE FROM event WHERE number IN (SELECT number FROM event ORDER BY number LIMIT ?)",
                (max(count - limits.OUTBOX_MAX_EVENTS, 0),),
            )

        with self._lock:
            self._patiently(event.signal, add, create=True)

    def head(self, signal: FeedbackSignal, count: int) -> list[Event]:
        """The oldest events, in order."""

        def oldest(connection: sqlite3.Connection) -> list[Event]:
            rows = connection.execute(
                f"SELECT number, {_COLUMNS} FROM event ORDER BY number LIMIT ?", (count,)
            ).fetchall()
            numbers = [row[0] for row in rows]
            events = list(_sound(signal, ((row[0], row[1:]) for row in rows)))
            if self._owner and (len(events) < len(rows) or numbers != sorted(set(numbers))):
                raise errors.StoreDamaged(f"{signal.value}: a row is not what was written")
            return events

        return self._use(signal, oldest, list[Event]())

    def remove(self, signal: FeedbackSignal, event_ids: Iterable[str]) -> bool:
        """The server answered for these. Returns whether none of them is here any more. An empty file is unlinked.

        Also true where a withdrawal has taken the file away meanwhile.
        """
        listed = msgspec.json.encode(list(event_ids)).decode()

        def take(connection: sqlite3.Connection) -> int:
            named = "event_id IN (SELECT value FROM json_each(?))"
            connection.execute(f"DELETE FROM event WHERE {named}", (listed,))
            left, named_left = connection.execute(
                f"SELECT count(*), count(*) FILTER (WHERE {named}) FROM event", (listed,)
            ).fetchone()
            if named_left:
                raise errors.StoreDamaged(f"{signal.value}: {named_left} rows cannot be removed")
            # The file goes with its last row: pages that nothing leads to any more would go unseen.
            if self._owner and not left and connection.execute(_CHECK).fetchall() != [("ok",)]:
                raise errors.StoreDamaged(f"{signal.value}: there is more in the file than can be read")
            return int(left)

        with self._lock:
            left = self._use(signal, take, None)
            if left == 0:
                self._unlink(self._path(signal))
            return left is not None or not repairs.is_there(self._path(signal))

    def count(self) -> int:
        """How many events wait, of all signals."""

        def number(connection: sqlite3.Connection) -> int:
            return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])

        return sum(self._use(signal, number, 0) for signal in FeedbackSignal)

    def destroy(self, signal: FeedbackSignal) -> None:
        """Unlink a signal's file and all that belongs to it: nothing of it stays."""
        path = self._path(signal)
        fault: errors.DiskFault | None = None
        with self._lock:
            for step in (self._unlink, repairs.forget):
                try:
                    step(path)
                except errors.DiskFault as error:
                    fault = error
        if fault is not None:
            raise fault

    def _path(self, signal: FeedbackSignal) -> Path:
        return self._folder / f"outbox-{signal.value}.sqlite3"

    def _use(self, signal: FeedbackSignal, work: Callable[[sqlite3.Connection], T], nothing: N) -> T | N:
        """One transaction on a signal's file; ``nothing`` where there is no file, or one that others must repair."""
        path = self._path(signal)
        with self._lock:
            if not repairs.is_there(path):
                return nothing
            try:
                return self._patiently(signal, work)
            except errors.StoreDamaged:
                return nothing
            except errors.DiskFault:
                if repairs.is_there(path):
                    raise
                return nothing

    def _patiently(
        self, signal: FeedbackSignal, work: Callable[[sqlite3.Connection], T], *, create: bool = False
    ) -> T:
        """Try, look again after a while, and once more where a file was damaged both times and is repaired."""
        path = self._path(signal)
        try:
            return self._transact(signal, work, create=create)
        except (errors.StoreDamaged, errors.DiskFault) as error:
            log.info("%s is tried again: %s", path.name, error.detail)
        self._wait()
        try:
            return self._transact(signal, work, create=create)
        except errors.StoreDamaged:
            if not self._owner:
                raise
        try:
            self._repair(signal)
        except errors.StoreDamaged as error:
            raise errors.DiskFault(error.detail) from error
        try:
            return self._transact(signal, work, create=create)
        except errors.StoreDamaged as error:
            if repairs.is_there(path):
                raise errors.DiskFault(error.detail) from error
            raise

    def _transact(
        self, signal: FeedbackSignal, work: Callable[[sqlite3.Connection], T], *, create: bool
    ) -> T:
        """All or nothing, and on disk. A file is made only where that is asked for."""
        path = self._path(signal)
        with faults(path.name, tried=True):
            if self._owner:
                repairs.finish(path)
            if create:
                private_files.make(path)
            with closing(_connect(path, "rw")) as connection:
                connection.execute("BEGIN")
                _migrate(connection, signal)
                result = work(connection)
                connection.execute("COMMIT")
                return result

    def _repair(self, signal: FeedbackSignal) -> None:
        """Keep the rows that are what was written; the file they were in is set aside."""
        path, now = self._path(signal), self._clock.now()
        with faults(path.name, tried=True):
            rows, whole = _salvaged(path, self._wait)
            lost = len(rows) - len(list(_sound(signal, rows))) if whole else None
            events = list(_sound(signal, _with_unreached(path, rows)))
            if not events:
                repairs.take_away(path, lost, now)
                return
            part = repairs.part_of(path)
            private_files.make(part)
            with closing(_connect(part, "rw")) as connection:
                connection.execute("BEGIN")
                _migrate(connection, signal)
                connection.executemany(
                    f"INSERT INTO event ({_COLUMNS}) VALUES (?, ?, ?, ?)",
                    [(each.event_id, each.campaign_id, each.body, _seal(each)) for each in events],
                )
                connection.execute("COMMIT")
            repairs.put_in_place(path, part, lost, now)

    def _wait(self) -> None:
        self._clock.wait(limits.DISK_RETRY_S)

    def _unlink(self, path: Path) -> None:
        repairs.unlink(path)
        repairs.unlink(repairs.beside(path, "-journal"))


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10, isolation_level=None
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, signal: FeedbackSignal) -> None:
    """Bring a file to the present version, within a transaction: a new one, or one without seals."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == _VERSION:
        return
    if version != 0:
        raise errors.StoreDamaged(f"{signal.value}: version {version}")
    rows: _Numbered = []
    if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'event'").fetchone()[0]:
        old = connection.execute(f"SELECT number, {_OLD_COLUMNS} FROM event ORDER BY number").fetchall()
        rows = [(row[0], row[1:]) for row in old]
        connection.execute("DROP TABLE event")
    connection.execute(_SCHEMA)
    events = list(_sound(signal, rows))
    if len(events) < len(rows):
        raise errors.StoreDamaged(f"{signal.value}: an old row is not what was written")
    connection.executemany(
        f"INSERT INTO event ({_COLUMNS}) VALUES (?, ?, ?, ?)",
        [(each.event_id, each.campaign_id, each.body, _seal(each)) for each in events],
    )
    connection.execute(f"PRAGMA user_version = {_VERSION}")


_Numbered = list[tuple[int, repairs.Row]]


def _salvaged(path: Path, wait: Callable[[], None]) -> tuple[_Numbered, bool]:
    """The rows of this version; if there is none, of the old one. And whether these are all, as far as can be known."""
    limit = 2 * limits.OUTBOX_MAX_EVENTS
    for columns in (_COLUMNS, _OLD_COLUMNS):
        saved = repairs.salvage(path, "event", columns, limit, wait)
        if saved.rows:
            break
    return sorted(saved.rows.items()), saved.whole and repairs.hangs_together(path, wait)


def _with_unreached(path: Path, rows: _Numbered) -> _Numbered:
    """With what is in the pages and no SELECT reached, in order. Only rows with a seal tell that they are rows."""
    number_of_columns = len(_COLUMNS.split(", "))
    found = [
        (number, values[1:])
        for number, values in pages.rows(path.read_bytes())
        if len(values) == 1 + number_of_columns and values[0] is None
    ]
    return sorted(rows + found, key=lambda each: each[0])


def _sound(signal: FeedbackSignal, rows: Iterable[tuple[int, repairs.Row]]) -> Iterator[Event]:
    """The rows that are what was written, each event once."""
    known = set()
    for _number, row in rows:
        event = _event(signal, row)
        if event is not None and event.event_id not in known:
            known.add(event.event_id)
            yield event


def _event(signal: FeedbackSignal, row: repairs.Row) -> Event | None:
    """A row's event, by its seal; by what its body says of itself where it has none. None where it is not right."""
    match row:
        case (str() as event_id, str() as campaign_id, bytes() as body, *kept):
            event = Event(event_id, campaign_id, signal, body)
            right = kept[0] == _seal(event) if kept else _says(event)
            return event if right else None
    return None


def _says(event: Event) -> bool:
    try:
        keys = decode_json(event.body, _Keys)
    except msgspec.DecodeError:
        return False
    return keys == _Keys(event.event_id, event.campaign_id, event.signal)


def _seal(event: Event) -> bytes:
    return seal(event.signal.value, event.event_id, event.campaign_id, event.body)


resolve(_Keys)

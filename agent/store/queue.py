"""The outbox on disk: one SQLite file for each signal, so that a withdrawal can unlink it whole.

A DELETE would leave copies in a write-ahead log and fails on a full disk; unlinking does neither. A file exists only
while there is something to send.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from agent import errors, policy
from agent.model import Event, Signal
from agent.store.connection import faults

log = logging.getLogger(__name__)

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    campaign_id TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT
"""


class EventQueue:
    """Durable when ``append`` returns. Raises DiskFault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()

    def append(self, event: Event) -> None:
        """Add an event; the oldest leave where there are more than the policy's limit."""

        def add(connection: sqlite3.Connection) -> None:
            connection.execute(_SCHEMA)
            connection.execute(
                "INSERT INTO event (event_id, campaign_id, body) VALUES (?, ?, ?)",
                (event.event_id, event.campaign_id, event.body),
            )
            connection.execute(
                "DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?",
                (policy.OUTBOX_MAX_EVENTS,),
            )

        path = self._path(event.signal)
        with self._lock:
            try:
                _transact(path, add, create=True)
            except errors.StoreDamaged:
                self._set_aside(path)
                _transact(path, add, create=True)

    def head(self, signal: Signal, count: int) -> list[Event]:
        """The oldest events, in order."""

        def oldest(connection: sqlite3.Connection) -> list[tuple[str, str, bytes]]:
            return connection.execute(
                "SELECT event_id, campaign_id, body FROM event ORDER BY number LIMIT ?", (count,)
            ).fetchall()

        rows = self._use(signal, oldest, list[tuple[str, str, bytes]]())
        return [Event(event_id, campaign_id, signal, body) for event_id, campaign_id, body in rows]

    def remove(self, signal: Signal, event_ids: Iterable[str]) -> None:
        """The server answered for these. An empty file is unlinked."""

        def take(connection: sqlite3.Connection) -> bool:
            connection.executemany("DELETE FROM event WHERE event_id = ?", [(id,) for id in event_ids])
            return bool(connection.execute("SELECT NOT EXISTS (SELECT 1 FROM event)").fetchone()[0])

        with self._lock:
            if self._use(signal, take, False):
                self._unlink(self._path(signal))

    def count(self) -> int:
        def number(connection: sqlite3.Connection) -> int:
            return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])

        return sum(self._use(signal, number, 0) for signal in Signal)

    def destroy(self, signal: Signal) -> None:
        """Unlink a signal's file and all that belongs to it: nothing of it stays."""
        with self._lock:
            path = self._path(signal)
            self._unlink(path)
            _unlink(_beside(path, ".damaged"))

    def _path(self, signal: Signal) -> Path:
        return self._folder / f"outbox-{signal.value}.sqlite3"

    def _use(self, signal: Signal, work: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """One transaction on a signal's file; ``nothing`` where there is no file, or one that had to be set aside."""
        path = self._path(signal)
        with self._lock:
            if not path.exists():
                return nothing
            try:
                return _transact(path, work)
            except errors.StoreDamaged:
                self._set_aside(path)
                return nothing
            except errors.DiskFault:
                if path.exists():
                    raise
                return nothing

    def _set_aside(self, path: Path) -> None:
        """A damaged file no longer counts. Its journal goes: it would spoil the next file of that name."""
        log.error("%s was damaged and is set aside.", path.name)
        try:
            path.replace(_beside(path, ".damaged"))
        except OSError as error:
            raise errors.DiskFault(f"{path.name}: {error}") from error
        self._unlink(path)

    def _unlink(self, path: Path) -> None:
        _unlink(path)
        _unlink(_beside(path, "-journal"))


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _unlink(path: Path) -> None:
    """A read-only disk refuses this for a file that is not there, too."""
    try:
        if path.exists():
            path.unlink(missing_ok=True)
    except OSError as error:
        raise errors.DiskFault(f"{path.name}: {error}") from error


def _transact(path: Path, work: Callable[[sqlite3.Connection], T], *, create: bool = False) -> T:
    """All or nothing, and on disk. A file is made only where that is asked for."""
    mode = "rwc" if create else "rw"
    with (
        faults(path.name),
        closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=10)
        ) as connection,
    ):
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        if create:
            path.chmod(0o600)
        with connection:
            return work(connection)

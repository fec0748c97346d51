"""The outbox on disk: one SQLite file for each signal, so that a withdrawal can unlink it whole.

A DELETE would leave copies in a write-ahead log and fails on a full disk; unlinking does neither. A file exists only
while there is something to send.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent import errors, policy
from agent.model import Event, Signal
from agent.store.connection import faults

log = logging.getLogger(__name__)

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
        with self._open(event.signal) as connection:
            connection.execute(
                "INSERT INTO event (event_id, campaign_id, body) VALUES (?, ?, ?)",
                (event.event_id, event.campaign_id, event.body),
            )
            connection.execute(
                "DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?",
                (policy.OUTBOX_MAX_EVENTS,),
            )

    def head(self, signal: Signal, count: int) -> list[Event]:
        """The oldest events, in order."""
        if not self._path(signal).exists():
            return []
        with self._open(signal) as connection:
            rows = connection.execute(
                "SELECT event_id, campaign_id, body FROM event ORDER BY number LIMIT ?", (count,)
            ).fetchall()
        return [Event(event_id, campaign_id, signal, body) for event_id, campaign_id, body in rows]

    def remove(self, signal: Signal, event_ids: Iterable[str]) -> None:
        """The server answered for these. An empty file is unlinked."""
        if not self._path(signal).exists():
            return
        with self._lock:
            with self._open(signal) as connection:
                connection.executemany("DELETE FROM event WHERE event_id = ?", [(id,) for id in event_ids])
                empty = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM event)").fetchone()[0]
            if empty:
                self.destroy(signal)

    def count(self) -> int:
        total = 0
        for signal in Signal:
            if self._path(signal).exists():
                with self._open(signal) as connection:
                    total += connection.execute("SELECT count(*) FROM event").fetchone()[0]
        return total

    def destroy(self, signal: Signal) -> None:
        """Unlink a signal's file and its journal: nothing of it stays."""
        with self._lock:
            path = self._path(signal)
            for file in (path, path.with_name(path.name + "-journal")):
                try:
                    file.unlink(missing_ok=True)
                except OSError as error:
                    raise errors.DiskFault(f"{file.name}: {error}") from error

    def _path(self, signal: Signal) -> Path:
        return self._folder / f"outbox-{signal.value}.sqlite3"

    @contextmanager
    def _open(self, signal: Signal) -> Iterator[sqlite3.Connection]:
        """One transaction on a signal's file. A damaged file is set aside, and the queue starts afresh."""
        path = self._path(signal)
        with self._lock:
            try:
                with _transaction(path) as connection:
                    yield connection
            except errors.StoreDamaged:
                aside = path.with_name(path.name + ".damaged")
                path.replace(aside)
                log.error("The outbox for %s was damaged and is set aside as %s.", signal.value, aside.name)
                raise


@contextmanager
def _transaction(path: Path) -> Iterator[sqlite3.Connection]:
    with faults(path.name), closing(sqlite3.connect(path, timeout=10)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(_SCHEMA)
        path.chmod(0o600)
        with connection:
            yield connection

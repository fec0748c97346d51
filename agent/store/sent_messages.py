"""Where the sent log and the signed receipts are kept.

What a disk cannot take is held in memory, told like the rest, and written with the next thing that can be.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from sqlite3 import Connection

from msgspec import Struct
from msgspec.structs import replace

from agent.domain import errors
from agent.domain.model import Event
from agent.store.database import Database, decoding
from agent.store.sealing import is_sealed


class SentMessage(Struct, frozen=True):
    """One request about the person: its exact body, and the server's answer (None while there is none)."""

    message_id: int
    sent_at: datetime
    method: str
    path: str
    body: bytes
    status: int | None
    answer: bytes | None


class SentPart(Struct, frozen=True):
    """One event within a sent message. ``outcome`` is the server's word for it, empty while it waits."""

    message_id: int
    sent_at: datetime
    body: bytes
    signal: str
    campaign_id: str
    event_id: str
    outcome: str


class KeptDocument(Struct, frozen=True):
    """A receipt as it came."""

    receipt_id: str
    status: str
    signal: str
    received: datetime
    document: str
    genuine: bool | None = None
    """Whether its signature and content were right; None where that was never checked."""


class MessageStore:
    """Every message that left or may have left, byte for byte, and the documents that belong to them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._held: dict[int, SentMessage] = {}
        self._held_documents: dict[tuple[str, str], KeptDocument] = {}

    def begin(
        self,
        now: datetime,
        method: str,
        path: str,
        body: bytes,
        events: Sequence[Event],
        offsets: Sequence[int],
    ) -> int:
        with self._lock:
            self.write_held()
            return self._begin(now, method, path, body, events, offsets)

    def _begin(
        self,
        now: datetime,
        method: str,
        path: str,
        body: bytes,
        events: Sequence[Event],
        offsets: Sequence[int],
    ) -> int:
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO message (sent_at, method, path, body) VALUES (?, ?, ?, ?)",
                (now.isoformat(), method, path, body),
            )
            message_id = cursor.lastrowid or 0
            connection.executemany(
                "INSERT INTO message_part (message_id, position, length, signal, campaign_id, event_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        message_id,
                        offset,
                        len(event.body),
                        event.signal.value,
                        event.campaign_id,
                        event.event_id,
                    )
                    for event, offset in zip(events, offsets, strict=True)
                ],
            )
        return message_id

    def hold(self, now: datetime, method: str, path: str, body: bytes) -> int:
        """Keep a message without parts in memory until it can be written. Returns its number."""
        with self._lock:
            message_id = max([self._last(now), *self._held]) + 1
            self._held[message_id] = SentMessage(message_id, now, method, path, body, None, None)
            return message_id

    def _last(self, now: datetime) -> int:
        """The highest number; where the disk does not tell, one that no store has come to: the milliseconds since 1970."""
        try:
            self._database.check()
            with self._database.reading() as connection:
                ((last,),) = connection.execute("SELECT coalesce(max(id), 0) FROM message")
        except errors.DiskFault:
            return int(now.timestamp() * 1000)
        return int(last)

    def finish(self, message_id: int, status: int, answer: bytes, outcomes: Mapping[str, str]) -> None:
        """Keep the server's answer: its HTTP status, its bytes, and what became of each event. Raises DiskFault."""
        with self._lock:
            if message_id in self._held:
                self._held[message_id] = replace(self._held[message_id], status=status, answer=answer)
                return
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE message SET status = ?, answer = ? WHERE id = ?", (status, answer, message_id)
            )
            connection.executemany(
                "UPDATE message_part SET outcome = ? WHERE message_id = ? AND event_id = ?",
                [(outcome, message_id, event_id) for event_id, outcome in outcomes.items()],
            )

    def forget(self, message_id: int) -> None:
        """It never left. Raises DiskFault."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM message WHERE id = ?", (message_id,))
        self._database.scrub()

    def write_held(self) -> None:
        """Write what is held in memory. Raises DiskFault when it still cannot be."""
        with self._lock:
            if not self._held and not self._held_documents:
                return
            with self._database.transaction() as connection:
                connection.executemany(
                    "INSERT INTO message (id, sent_at, method, path, body, status, answer)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        (m.message_id, m.sent_at.isoformat(), m.method, m.path, m.body, m.status, m.answer)
                        for m in self._held.values()
                    ],
                )
                for document in self._held_documents.values():
                    _insert(connection, document)
            self._held.clear()
            self._held_documents.clear()

    def forget_held(self) -> None:
        """Disconnected: what is in memory goes with the rest."""
        with self._lock:
            self._held.clear()
            self._held_documents.clear()

    def forget_sent(self, path: str) -> None:
        """Delete the messages sent to ``path`` with their parts, from every file of the store. Raises DiskFault."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM message WHERE path = ?", (path,))
        self._database.scrub()

    def all(self) -> list[SentMessage]:
        """Newest first."""
        with self._database.reading() as connection:
            rows = connection.sealed(
                "id, sent_at, method, path, body, status, answer", "message", "ORDER BY id DESC"
            )
        with decoding("message"):
            kept = [SentMessage(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in rows]
        with self._lock:
            return [*reversed(self._held.values()), *kept]

    def parts(self) -> list[SentPart]:
        """Every event sent, newest first, its bytes cut out of the very message that left."""
        with self._database.reading() as connection:
            rows = connection.sealed(
                "message.id, sent_at, substr(body, position + 1, length), signal, campaign_id, event_id, outcome",
                "message_part",
                f"JOIN message ON message.id = message_id WHERE {is_sealed('message')}"
                " ORDER BY message.id DESC, position",
            )
        with decoding("message"):
            return [SentPart(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in rows]

    def keep_receipt(self, document: KeptDocument) -> bool:
        """Keep it with what is held in memory. Returns whether all that is on the disk now.

        One that is not genuine never takes the place of one that is.
        """
        with self._lock:
            self._held_documents[document.receipt_id, document.status] = document
            try:
                self.write_held()
            except errors.DiskFault:
                return False
            return True

    def holds_receipt(self, receipt_id: str, status: str) -> bool:
        """Whether it is in memory only."""
        with self._lock:
            return (receipt_id, status) in self._held_documents

    def receipts(self) -> list[tuple[str, str, str]]:
        """``(receipt_id, status, signed document)``, newest first."""
        return [(each.receipt_id, each.status, each.document) for each in self.documents()]

    def documents(self) -> list[KeptDocument]:
        """All receipts, newest first."""
        with self._database.reading() as connection:
            rows = connection.sealed(
                "receipt_id, status, signal, received, document, genuine",
                "receipt",
                "ORDER BY received DESC, rowid DESC",
            )
        with decoding("receipt"):
            kept = [
                KeptDocument(id, status, signal, datetime.fromisoformat(at), document, _truth(genuine))
                for id, status, signal, at, document, genuine in rows
            ]
        with self._lock:
            return [*reversed(self._held_documents.values()), *kept]


def _truth(stored: int | None) -> bool | None:
    return None if stored is None else bool(stored)


def _insert(connection: Connection, document: KeptDocument) -> None:
    connection.execute(
        "INSERT INTO receipt (receipt_id, status, signal, received, document, genuine) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (receipt_id, status) DO UPDATE SET received = excluded.received,"
        " document = excluded.document, genuine = excluded.genuine"
        " WHERE excluded.genuine OR receipt.genuine IS NOT 1",
        (
            document.receipt_id,
            document.status,
            document.signal,
            document.received.isoformat(),
            document.document,
            document.genuine,
        ),
    )

"""Where the ledger and the signed receipts are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from agent.model import Event
from agent.store.connection import Database, decoding


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
    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
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

    def finish(self, message_id: int, status: int, answer: bytes, outcomes: Mapping[str, str]) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE message SET status = ?, answer = ? WHERE id = ?", (status, answer, message_id)
            )
            connection.executemany(
                "UPDATE message_part SET outcome = ? WHERE message_id = ? AND event_id = ?",
                [(outcome, message_id, event_id) for event_id, outcome in outcomes.items()],
            )

    def all(self) -> list[SentMessage]:
        """Newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, sent_at, method, path, body, status, answer FROM message ORDER BY id DESC"
            ).fetchall()
        with decoding("message"):
            return [SentMessage(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in rows]

    def parts(self) -> list[SentPart]:
        """Every event sent, newest first, its bytes cut out of the very message that left."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT message.id, sent_at, substr(body, position + 1, length), signal, campaign_id, event_id, outcome"
                " FROM message_part JOIN message ON message.id = message_id ORDER BY message.id DESC, position"
            ).fetchall()
        with decoding("message"):
            return [SentPart(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in rows]

    def keep_receipt(self, receipt_id: str, status: str, signal: str, now: datetime, document: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO receipt (receipt_id, status, signal, received, document) VALUES (?, ?, ?, ?, ?)",
                (receipt_id, status, signal, now.isoformat(), document),
            )

    def receipts(self) -> list[tuple[str, str, str]]:
        """``(receipt_id, status, signed document)``, newest first."""
        with self._database.reading() as connection:
            return connection.execute(
                "SELECT receipt_id, status, document FROM receipt ORDER BY received DESC, rowid DESC"
            ).fetchall()

    def documents(self) -> list[KeptDocument]:
        """All receipts, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT receipt_id, status, signal, received, document FROM receipt ORDER BY received DESC, rowid DESC"
            ).fetchall()
        with decoding("receipt"):
            return [KeptDocument(row[0], row[1], row[2], datetime.fromisoformat(row[3]), row[4]) for row in rows]

"""What the person confirmed to have read, until the server has it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from agent.domain import errors
from agent.store.database import Database, decoding


class KeptAcknowledgement(Struct, frozen=True):
    """A confirmation that waits to be sent."""

    event_id: str
    campaign_id: str
    time: datetime
    """UTC, to the second."""


class AcknowledgementStore:
    """Confirmations until the server has them, and which campaigns are confirmed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, acknowledgement: KeptAcknowledgement) -> bool:
        """Keep it, and that the campaign is confirmed. Returns whether it is the campaign's first. Raises DiskFault."""
        moment = acknowledgement.time.isoformat()
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE campaign SET acknowledged = ?, is_read = 1 WHERE campaign_id = ? AND acknowledged IS NULL"
                " RETURNING 1",
                (moment, acknowledgement.campaign_id),
            ).fetchone()
            if changed is None:
                return False
            connection.execute(
                "INSERT INTO acknowledgement (event_id, campaign_id, moment) VALUES (?, ?, ?)",
                (acknowledgement.event_id, acknowledgement.campaign_id, moment),
            )
        return True

    def waiting(self) -> list[KeptAcknowledgement]:
        """Oldest first."""
        with self._database.reading() as connection:
            rows = connection.sealed("event_id, campaign_id, moment", "acknowledgement", "ORDER BY rowid")
        with decoding("acknowledgement"):
            return [KeptAcknowledgement(row[0], row[1], datetime.fromisoformat(row[2])) for row in rows]

    def count(self) -> int:
        """How many wait to be sent."""
        with self._database.reading() as connection:
            return len(connection.execute("SELECT 1 FROM acknowledgement"))

    def answered(self, acknowledgement: KeptAcknowledgement, *, accepted: bool) -> None:
        """The server has answered for good. One that it did not accept can be tried again by the person."""
        with self._database.transaction() as connection:
            named = (acknowledgement.event_id,)
            connection.execute("DELETE FROM acknowledgement WHERE event_id = ?", named)
            if connection.execute(
                "SELECT 1 FROM acknowledgement NOT INDEXED WHERE event_id = ?", named
            ).fetchone():
                raise errors.StoreDamaged("acknowledgement: a row cannot be removed")
            if not accepted:
                connection.execute(
                    "UPDATE campaign SET acknowledged = NULL WHERE campaign_id = ?",
                    (acknowledgement.campaign_id,),
                )

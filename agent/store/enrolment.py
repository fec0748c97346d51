"""Which company this computer is connected to, and the highest counter seen of each signed document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from agent import policy, wire
from agent.decoding import decode_json
from agent.freshness import Freshness
from agent.model import Company, Person
from agent.store.connection import Database, decoding

_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e]{0,200}"')
"""An entity tag (RFC 9110 section 8.8.3): anything else must not get into a header."""
_TABLES = ("enrolment", "counter", "campaign", "acknowledgement", "message", "receipt")


class Enrolment(Struct, frozen=True):
    """``etag`` is that of the last feed stored, empty before the first."""

    server_url: str
    company_id: str
    keys: wire.KeySet
    person: Person
    company: Company
    etag: str
    poll_interval_s: int
    last_check: datetime | None
    connected: datetime | None = None
    """None where it was connected before this was noted."""
    freshness: Freshness = Freshness()

    @property
    def owner(self) -> tuple[str, bytes]:
        """Whose data this is: the company, and the person as stored."""
        return self.company_id, msgspec.json.encode(self.person)


# What each poll writes has no seal. Where it makes no sense it is left out: the next poll writes it again.


def _tag(stored: object) -> str:
    return stored if isinstance(stored, str) and _TAG.fullmatch(stored) else ""


def _interval(stored: object) -> int:
    seconds = stored if isinstance(stored, int) else policy.POLL_INTERVAL_S
    return min(max(seconds, policy.POLL_INTERVAL_MIN_S), policy.POLL_INTERVAL_MAX_S)


def _freshness(stored: object) -> Freshness:
    try:
        return decode_json(stored, Freshness) if isinstance(stored, bytes) else Freshness()
    except msgspec.DecodeError:
        return Freshness()


def _moment(stored: object) -> datetime | None:
    try:
        return datetime.fromisoformat(stored) if isinstance(stored, str) and stored else None
    except ValueError:
        return None


class EnrolmentStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Enrolment | None:
        with self._database.reading() as connection:
            row = connection.sealed(
                "server_url, company_id, keys, person, company, etag, poll_interval_s, last_check, connected,"
                " freshness",
                "enrolment",
            ).fetchone()
        if row is None:
            return None
        with decoding("enrolment"):
            return Enrolment(
                server_url=row[0],
                company_id=row[1],
                keys=decode_json(row[2], wire.KeySet),
                person=decode_json(row[3], Person),
                company=decode_json(row[4], Company),
                etag=_tag(row[5]),
                poll_interval_s=_interval(row[6]),
                last_check=_moment(row[7]),
                connected=datetime.fromisoformat(row[8]) if row[8] else None,
                freshness=_freshness(row[9]),
            )

    def is_anothers(self, enrolment: Enrolment) -> bool:
        """Whether this is another company or person than the one connected."""
        old = self.read()
        return old is None or (old.company_id, old.person.email) != (
            enrolment.company_id,
            enrolment.person.email,
        )

    def begin(self, enrolment: Enrolment) -> None:
        """Connect to a company. Another company's or person's data is deleted; one's own inbox stays."""
        same = not self.is_anothers(enrolment)
        with self._database.transaction() as connection:
            for table in ("enrolment",) if same else _TABLES:
                connection.execute(f"DELETE FROM {table}")
            connection.execute(
                "INSERT INTO enrolment (id, server_url, company_id, keys, person, company, etag, poll_interval_s,"
                " connected) VALUES (1, ?, ?, ?, ?, ?, '', ?, ?)",
                (
                    enrolment.server_url,
                    enrolment.company_id,
                    msgspec.json.encode(enrolment.keys),
                    msgspec.json.encode(enrolment.person),
                    msgspec.json.encode(enrolment.company),
                    enrolment.poll_interval_s,
                    enrolment.connected.isoformat() if enrolment.connected else None,
                ),
            )
        if not same:
            self._database.scrub()

    def forget(self) -> None:
        with self._database.transaction() as connection:
            for table in (*_TABLES, "setting"):
                connection.execute(f"DELETE FROM {table}")
        self._database.scrub()

    def checked(self, now: datetime, poll_interval_s: int, freshness: Freshness) -> None:
        """A poll ended with "nothing new"."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE enrolment SET last_check = ?, poll_interval_s = ?, freshness = ?",
                (now.isoformat(), poll_interval_s, msgspec.json.encode(freshness)),
            )

    def heard(self, freshness: Freshness) -> None:
        """The server answered something that was not taken."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE enrolment SET freshness = ?", (msgspec.json.encode(freshness),))

    def counters(self) -> dict[str, tuple[int, str]]:
        with self._database.reading() as connection:
            rows = connection.sealed("subject, counter, digest", "counter")
        return {subject: (counter, digest) for subject, counter, digest in rows}

    def raise_counters(self, counters: Mapping[str, tuple[int, str]]) -> None:
        """Remember the highest counters seen. A lower one than known never replaces it."""
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO counter (subject, counter, digest) VALUES (?, ?, ?) ON CONFLICT (subject) DO UPDATE"
                " SET counter = excluded.counter, digest = excluded.digest WHERE excluded.counter > counter.counter",
                [(subject, counter, digest) for subject, (counter, digest) in counters.items()],
            )

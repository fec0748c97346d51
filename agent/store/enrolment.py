"""Which company this computer is connected to, and the highest counter seen of each signed document.

The connection stands in the store and, a second time, beside it (``agent.store.enrolment_note``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from sqlite3 import Connection

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agent.domain import errors, limits
from agent.domain.freshness import Freshness
from agent.domain.model import Company, Person
from agent.domain.msgspec_warmup import decode_json
from agent.protocol import codec
from agent.store import enrolment_note
from agent.store.database import Database, decoding
from agent.store.enrolment_note import EnrolmentNote, EnrolmentNotes, Stage

log = logging.getLogger(__name__)

_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e]{0,200}"')
"""An entity tag (RFC 9110 section 8.8.3): anything else must not get into a header."""
_TABLES = ("enrolment", "counter", "campaign", "acknowledgement", "message", "receipt")


class Enrolment(Struct, frozen=True):
    """``etag`` is that of the last feed stored, empty before the first."""

    server_url: str
    company_id: str
    keys: codec.KeySet
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
    seconds = stored if isinstance(stored, int) else limits.POLL_INTERVAL_S
    return min(max(seconds, limits.POLL_INTERVAL_MIN_S), limits.POLL_INTERVAL_MAX_S)


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
    """The connection to the company, kept twice: a row of the store and a note beside it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._notes = EnrolmentNotes(database.path.with_name(enrolment_note.NAME))
        self._noted: EnrolmentNote | None = None

    def read(self) -> Enrolment | None:
        """The connection; where the store's row is lost, as the second note says, and the row is written again."""
        return self._row() or self._from_note()

    def _row(self) -> Enrolment | None:
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
                keys=decode_json(row[2], codec.KeySet),
                person=decode_json(row[3], Person),
                company=decode_json(row[4], Company),
                etag=_tag(row[5]),
                poll_interval_s=_interval(row[6]),
                last_check=_moment(row[7]),
                connected=datetime.fromisoformat(row[8]) if row[8] else None,
                freshness=_freshness(row[9]),
            )

    def _from_note(self) -> Enrolment | None:
        note = self._notes.read()
        if note is None or note.stage is Stage.CONNECTING:
            return None
        enrolment = from_note(note)
        if note.stage is Stage.CONNECTED and self._database.is_watched:
            log.info("The connection is restored from its second note.")
            try:
                self._restore(enrolment)
            except errors.DiskFault as error:
                log.warning("The connection is known from its second note only: %s", error.detail)
        return enrolment

    def _restore(self, enrolment: Enrolment) -> None:
        with self._database.transaction() as connection:
            _insert(connection, enrolment)
            # The note may be older than the newest company document: that is to be fetched again.
            connection.execute(
                "UPDATE counter SET counter = max(counter - 1, 0), digest = '' WHERE subject = ?",
                (enrolment.company_id,),
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
            _insert(connection, enrolment)
        if not same:
            self._database.scrub()

    def forget(self) -> None:
        """Delete the connection, all that came with it and its note, and overwrite what was freed. Raises DiskFault."""
        with self._database.transaction() as connection:
            for table in (*_TABLES, "setting"):
                connection.execute(f"DELETE FROM {table}")
        self._database.scrub()
        self._remove_note()

    # What is on its way between the keychain and the store

    def unfinished(self) -> EnrolmentNote | None:
        """What an earlier process did not end: connecting, or letting go."""
        note = self._notes.read()
        return None if note is None or note.stage is Stage.CONNECTED else note

    def plan(self, note: EnrolmentNote) -> None:
        """Note what is about to be done, before anything of it is. Raises DiskFault."""
        self._notes.write(note)
        self._noted = None

    def keep_note(self, enrolment: Enrolment | None) -> None:
        """Let the second note say what the store says. What the disk does not take is tried again at the next poll."""
        if not self._database.is_watched:
            return
        note = note_of(enrolment, Stage.CONNECTED) if enrolment is not None else None
        if note is not None and self._noted is not None and _says_as_much(self._noted, note):
            return
        try:
            self._notes.write(note) if note is not None else self._remove_note()
        except errors.DiskFault as error:
            log.warning("The second note of the connection is not the first: %s", error.detail)
            return
        self._noted = note

    def _remove_note(self) -> None:
        self._notes.remove()
        self._noted = None

    def unchanged(self, checked: datetime | None, poll_interval_s: int, freshness: Freshness) -> None:
        """A poll ended with "nothing new". ``checked``: when, where that can be believed."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE enrolment SET last_check = coalesce(?, last_check), poll_interval_s = ?, freshness = ?",
                (checked.isoformat() if checked else None, poll_interval_s, msgspec.json.encode(freshness)),
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


def _insert(connection: Connection, enrolment: Enrolment) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO enrolment (id, server_url, company_id, keys, person, company, etag, poll_interval_s,"
        " connected, freshness) VALUES (1, ?, ?, ?, ?, ?, '', ?, ?, ?)",
        (
            enrolment.server_url,
            enrolment.company_id,
            msgspec.json.encode(enrolment.keys),
            msgspec.json.encode(enrolment.person),
            msgspec.json.encode(enrolment.company),
            enrolment.poll_interval_s,
            enrolment.connected.isoformat() if enrolment.connected else None,
            msgspec.json.encode(enrolment.freshness),
        ),
    )


def from_note(note: EnrolmentNote) -> Enrolment:
    """The connection that a note is about."""
    return Enrolment(
        note.server_url,
        note.company_id,
        note.keys,
        note.person,
        note.company,
        "",
        limits.POLL_INTERVAL_S,
        None,
        note.connected,
        note.freshness,
    )


def note_of(enrolment: Enrolment, stage: Stage) -> EnrolmentNote:
    """What a note says of a connection."""
    return EnrolmentNote(
        stage,
        enrolment.server_url,
        enrolment.company_id,
        enrolment.keys,
        enrolment.person,
        enrolment.company,
        enrolment.connected,
        enrolment.freshness,
    )


def _says_as_much(old: EnrolmentNote, new: EnrolmentNote) -> bool:
    """Of the server's statements it matters here that there were some: their absence counts from then on."""
    is_stated = bool(old.freshness.issued) or not new.freshness.issued
    return is_stated and old == replace(new, freshness=old.freshness)

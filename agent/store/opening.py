"""Opens the store: migrated, and repaired where it is damaged.

Of a damaged store the rows that are what was written go into a new one; the announcements among the others come back with
the next feed.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from agent.domain import errors, limits
from agent.domain.model import Campaign
from agent.domain.msgspec_warmup import decode_json
from agent.domain.ports import Clock
from agent.store import pages, repairs
from agent.store.database import Database, faults
from agent.store.migrations import MIGRATIONS, make, migrate, newest_schema, schema
from agent.store.sealing import SEALED, is_sealed, seal

log = logging.getLogger(__name__)

_ROWS_MAX = 200_000
"""Of a table, more than a store ever has: damage may make a table look endless."""
_FETCH_AGAIN = """
UPDATE enrolment SET etag = '';
UPDATE counter SET counter = counter - 1, digest = ''
WHERE subject NOT IN (SELECT campaign_id FROM campaign) AND subject NOT IN (SELECT company_id FROM enrolment)
"""
"""The same document with the same counter is taken again where its campaign was lost; an older one is not."""


def open_store(
    path: Path, scratch: Path | None, clock: Clock, *, owner: bool, needed: bool = True
) -> Database:
    """Open the store, repaired and migrated where that is due.

    ``owner``: no other process works on the store. Raises StoreTooNew, StoreDamaged (where that may not be repaired),
    DiskFault; where it is not ``needed``, an empty one that takes nothing is opened instead.
    """
    try:
        return _open_store(path, scratch, clock, owner=owner)
    except errors.EnvironmentFault as error:
        if needed:
            raise
        log.warning("The store cannot be read: %s", error.detail)
        return _nothing(path, error)


def open_again(database: Database, scratch: Path | None, clock: Clock, *, owner: bool) -> None:
    """Put the store in the place of what was opened for it, in memory. Raises as ``open_store`` while it cannot."""
    opened = _open_store(database.path, scratch, clock, owner=owner)
    try:
        if opened.in_memory and database.unreadable is None:
            raise errors.DiskFault("it is read-only again")
        database.take_over(opened)
    except errors.DiskFault:
        opened.close()
        raise


def _nothing(path: Path, fault: errors.EnvironmentFault) -> Database:
    database = Database(path, unreadable=fault)
    database.patiently(make)
    return database


def _open_store(path: Path, scratch: Path | None, clock: Clock, *, owner: bool) -> Database:
    keeper = StoreKeeper(path, clock) if owner else None
    if keeper is not None:
        repairs.finish(path)
    try:
        return _opened(path, scratch, keeper)
    except (errors.StoreDamaged, errors.DiskFault) as error:
        log.info("The store is opened again: %s", error.detail)
    clock.wait(limits.DISK_RETRY_S)
    try:
        return _opened(path, scratch, keeper)
    except errors.StoreDamaged:
        if keeper is None:
            raise
    keeper.repair()
    return _opened(path, scratch, keeper)


def _opened(path: Path, scratch: Path | None, keeper: StoreKeeper | None) -> Database:
    database = Database(path, scratch)
    try:
        with faults(path.name, tried=True):
            migrate(database)
    except errors.StoreTooNew as error:
        ours = database.patiently(schema) == newest_schema()
        database.close()
        if ours:  # the number is damaged, not newer
            raise errors.StoreDamaged(error.detail) from error
        raise
    except BaseException:
        database.close()
        raise
    database.watch(keeper)
    return database


class StoreKeeper:
    """Looks again, and repairs."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def wait(self) -> None:
        self._clock.wait(limits.DISK_RETRY_S)

    def is_sound(self, connection: sqlite3.Connection) -> bool:
        if schema(connection) != newest_schema():
            return False
        if connection.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
            return False
        return not any(
            connection.execute(f"SELECT 1 FROM {table} WHERE NOT {is_sealed(table)} LIMIT 1").fetchone()
            for table in SEALED
        )

    def repair(self) -> None:
        """Raises DiskFault; nothing is changed then."""
        try:
            self._repair()
        except errors.StoreDamaged as error:  # of the copy: the disk fails while it is made
            raise errors.DiskFault(error.detail) from error

    def _repair(self) -> None:
        path, now = self._path, self._clock.now()
        with faults(path.name, tried=True):
            part = repairs.part_of(path)
            version = _version(path)
            lost: int | None = 0
            with closing(Database(part)) as database:
                migrate(database, MIGRATIONS[:version])
                with database.transaction() as connection:
                    connection.execute("PRAGMA defer_foreign_keys = ON")
                    for table in SEALED:
                        missing = _move(path, connection, table, self.wait)
                        lost = None if lost is None or missing is None else lost + missing
                    if not repairs.hangs_together(path, self.wait):
                        _move_unreached(path, connection)
                        lost = lost or None
                    _drop_orphans(connection)
                    for statement in _FETCH_AGAIN.split(";"):
                        connection.execute(statement)
            if repairs.beside(part, "-wal").exists():
                raise errors.DiskFault(f"{part.name}: its log could not be written back")
            repairs.put_in_place(path, part, lost, now)


def _move(path: Path, target: sqlite3.Connection, table: str, wait: Callable[[], None]) -> int | None:
    """Copy the sound rows of a table. Returns how many were not, None where nobody knows."""
    columns = [row[1] for row in target.execute(f"PRAGMA table_info({table})")]
    if not columns:
        return 0  # a table of a later version
    saved = repairs.salvage(path, table, ", ".join(columns), _ROWS_MAX, wait)
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    lost = 0
    for _, row in sorted(saved.rows.items()):
        if not _is_sound(table, columns, row):
            lost += 1
            continue
        try:
            target.execute(insert, row)
        except sqlite3.IntegrityError as error:
            log.info("A row of %s does not fit: %s", table, error)
            lost += 1
    return lost if saved.whole else None


def _move_unreached(path: Path, target: sqlite3.Connection) -> None:
    """Copy the rows with a seal that no SELECT reaches. With a log beside it, the file may hold what was deleted since."""
    log_file = repairs.beside(path, "-wal")
    if log_file.exists() and log_file.stat().st_size:
        return
    tables = {table: target.execute(f"PRAGMA table_info({table})").fetchall() for table in SEALED}
    for rowid, values in pages.rows(path.read_bytes()):
        for table, described in tables.items():
            columns = [each[1] for each in described]
            row = tuple(
                rowid if name == "id" else value for name, value in zip(columns, values, strict=False)
            )
            if _fits(values, described) and _is_sound(table, columns, row):
                marks = ", ".join("?" * len(row))
                target.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})", row)


_TYPES: Mapping[str, type] = {"INTEGER": int, "TEXT": str, "BLOB": bytes}


def _fits(
    values: tuple[pages.Value, ...], described: Sequence[tuple[int, str, str, int, object, int]]
) -> bool:
    """Whether a row can be one of a table, as its columns' types say: a seal tells nothing of the table."""
    if len(values) != len(described) or described[-1][1] != "seal":
        return False
    return all(
        value is None if name == "id" else isinstance(value, _TYPES[kind]) or (value is None and not needed)
        for value, (_, name, kind, needed, _default, _key) in zip(values, described, strict=True)
    )


def _is_sound(table: str, columns: list[str], row: repairs.Row) -> bool:
    """By its seal; in a store of an older version, what the migrations look into must make sense."""
    values = dict(zip(columns, row, strict=True))
    if "seal" not in columns:
        return table != "campaign" or _is_campaign(values["content"])
    return values["seal"] == seal(*(values[name] for name in SEALED[table].split(", ")))


def _is_campaign(content: repairs.Value) -> bool:
    try:
        return isinstance(content, bytes) and bool(decode_json(content, Campaign))
    except msgspec.DecodeError:
        return False


def _drop_orphans(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM message_part WHERE message_id NOT IN (SELECT id FROM message)")


def _version(path: Path) -> int:
    """The schema that a damaged store most likely has."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            sealed = "seal" in str(connection.execute("SELECT sql FROM sqlite_master").fetchall())
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # its message may quote what is damaged
        log.info("The damaged store does not say its version: %s", error)
        return len(MIGRATIONS)
    if sealed or not 0 < version < len(MIGRATIONS):
        return len(MIGRATIONS)
    return version

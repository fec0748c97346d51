"""Versioned migrations: the database is copied before it changes, and a newer schema is refused.

``MIGRATIONS[n]`` brings version n to n + 1 (``PRAGMA user_version``). Never edit one that has been released.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.domain import errors
from agent.store.database import Database, Row, prepare
from agent.store.sealing import SEALED, statements
from agent.system import private_files

log = logging.getLogger(__name__)

_V1 = """
CREATE TABLE enrolment (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    server_url TEXT NOT NULL,
    company_id TEXT NOT NULL,
    keys BLOB NOT NULL,
    person BLOB NOT NULL,
    company BLOB NOT NULL,
    etag TEXT NOT NULL DEFAULT '',
    poll_interval_s INTEGER NOT NULL,
    last_check TEXT
) STRICT;
CREATE TABLE counter (
    subject TEXT PRIMARY KEY,
    counter INTEGER NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TABLE campaign (
    campaign_id TEXT PRIMARY KEY,
    content BLOB NOT NULL,
    starts TEXT NOT NULL,
    received TEXT NOT NULL,
    listed INTEGER NOT NULL DEFAULT 1,
    recalled INTEGER NOT NULL DEFAULT 0,
    displayed TEXT,
    is_read INTEGER NOT NULL DEFAULT 0,
    liked INTEGER NOT NULL DEFAULT 0,
    remind_at TEXT,
    seen_event INTEGER NOT NULL DEFAULT 0,
    like_seq INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sent_at TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    body BLOB NOT NULL,
    status INTEGER,
    answer BLOB
) STRICT;
CREATE TABLE message_part (
    message_id INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    length INTEGER NOT NULL,
    signal TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (message_id, position)
) STRICT;
CREATE TABLE receipt (
    receipt_id TEXT NOT NULL,
    status TEXT NOT NULL,
    signal TEXT NOT NULL,
    received TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (receipt_id, status)
) STRICT;
"""

_V2 = """
ALTER TABLE receipt ADD COLUMN genuine INTEGER
"""

_V3 = """
ALTER TABLE campaign ADD COLUMN acknowledged TEXT;
ALTER TABLE campaign ADD COLUMN remind_login TEXT NOT NULL DEFAULT '';
ALTER TABLE enrolment ADD COLUMN connected TEXT;
CREATE TABLE acknowledgement (
    event_id TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL UNIQUE,
    moment TEXT NOT NULL
) STRICT
"""

_V4 = """
CREATE INDEX campaign_to_judge ON campaign (starts, campaign_id)
WHERE listed = 1 OR remind_at IS NOT NULL OR remind_login != '';
CREATE INDEX campaign_unread ON campaign (campaign_id) WHERE is_read = 0 AND recalled = 0
"""

_V5 = """
ALTER TABLE campaign ADD COLUMN popped_up TEXT;
UPDATE campaign SET popped_up = displayed
"""

_V6 = """
ALTER TABLE campaign ADD COLUMN expires INTEGER;
UPDATE campaign SET expires =
coalesce(CAST(strftime('%s', json_extract(CAST(content AS TEXT), '$.ends'), '+30 days') AS INTEGER), 4102444800);
DROP INDEX campaign_unread;
CREATE INDEX campaign_unread ON campaign (expires) WHERE is_read = 0 AND recalled = 0;
ALTER TABLE enrolment ADD COLUMN freshness BLOB
"""

_V7 = ";\n".join(step for table, columns in SEALED.items() for step in statements(table, columns))

MIGRATIONS: tuple[str, ...] = (_V1, _V2, _V3, _V4, _V5, _V6, _V7)


def migrate(database: Database, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring the database to the newest version, each step whole or not at all.

    Raises StoreTooNew, StoreDamaged, DiskFault.
    """
    with database.reading() as connection:
        ((version,),) = connection.execute("PRAGMA user_version")
    if version < 0:
        raise errors.StoreDamaged(f"schema {version}")
    if version > len(migrations):
        raise errors.StoreTooNew(f"schema {version}, we know {len(migrations)}")
    if 0 < version < len(migrations):
        _back_up(database, version)
    for number in range(version, len(migrations)):
        with database.transaction() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != number:
                continue  # another process was faster
            _apply(connection, migrations[number])
            connection.execute(f"PRAGMA user_version = {number + 1}")
        log.info("The store is now at schema version %d.", number + 1)


def _apply(connection: sqlite3.Connection, migration: str) -> None:
    for statement in migration.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def schema(connection: sqlite3.Connection) -> list[Row]:
    """What a database is made of."""
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name").fetchall()


def newest_schema() -> list[Row]:
    """What the migrations make of an empty database."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        prepare(connection)
        make(connection)
        return schema(connection)


def make(connection: sqlite3.Connection) -> None:
    """The newest version, in an empty database."""
    for migration in MIGRATIONS:
        _apply(connection, migration)


def _back_up(database: Database, version: int) -> Path:
    """Copy the database beside itself; the newest copy of each version is kept."""
    copy = database.copy_path(str(version))
    private_files.make(copy)
    with closing(sqlite3.connect(copy)) as target:
        database.copy_to(target)
    return copy

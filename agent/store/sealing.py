"""A checksum for each row, so that no row is sent or shown that is not what was written.

SQLite sees that its pages hang together, not that their content is right: a changed byte within a row passes
``PRAGMA integrity_check``.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

SEAL_BYTES = 16

Value = str | int | float | bytes | None


def seal(*values: Value) -> bytes:
    """A digest of a row's values, their types and their order."""
    digest = blake2b(digest_size=SEAL_BYTES)
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        digest.update(f"{type(value).__name__} {len(content)} ".encode())
        digest.update(content)
    return digest.digest()


SEALED: Mapping[str, str] = {
    "enrolment": "server_url, company_id, keys, person, company, connected",
    "counter": "subject, counter, digest",
    "campaign": (
        "campaign_id, content, starts, received, recalled, displayed, popped_up, is_read, liked, remind_at,"
        " remind_login, seen_event, like_seq, acknowledged, expires"
    ),
    "setting": "name, value",
    "message": "id, sent_at, method, path, body, status, answer",
    "message_part": "message_id, position, length, signal, campaign_id, event_id, outcome",
    "receipt": "receipt_id, status, signal, received, document, genuine",
    "acknowledgement": "event_id, campaign_id, moment",
}
"""The store's tables, and the columns of each that its seal is about. What is left out is judged where it is read.

Triggers seal each row as it is written (``statements``): who changes a list here adds a migration that makes them anew.
"""


def is_sealed(table: str) -> str:
    """An SQL expression: whether a row is what was written."""
    return f"{table}.seal IS {_digest(table, SEALED[table])}"


def statements(table: str, columns: str) -> tuple[str, ...]:
    """What gives a table its seals. A row that is not what was written is not sealed anew by a change of it."""
    new, old = _digest("new", columns), _digest("old", columns)
    write = f"UPDATE {table} SET seal = {new} WHERE rowid = new.rowid"
    return (
        f"ALTER TABLE {table} ADD COLUMN seal BLOB",
        f"UPDATE {table} SET seal = {_digest(table, columns)}",
        f"CREATE TRIGGER {table}_written AFTER INSERT ON {table} BEGIN {write}; END",
        f"CREATE TRIGGER {table}_changed AFTER UPDATE OF {columns} ON {table} WHEN old.seal IS {old}"
        f" BEGIN {write}; END",
    )


def _digest(row: str, columns: str) -> str:
    return f"seal({', '.join(f'{row}.{column}' for column in columns.split(', '))})"

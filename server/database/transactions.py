"""Transactions that leave others their turn: long reads lock nobody out, and long work is cut into short pieces.

SQLite has one writer at a time, and whoever waits for it looks again every tenth of a second. On PostgreSQL rows are locked,
and who waits is served in turn.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

HELD_S = 0.5
"""How long one piece after the other may hold SQLite's lock before everybody who waits gets a turn."""
NAP_S = 0.15
"""Longer than the longest nap of SQLite's own waiting (100 ms)."""


@contextmanager
def reading() -> Iterator[None]:
    """One moment of the database, for as long as the block lasts. It takes no lock that a writer needs, and writes nothing.

    Within another transaction it is a part of that one. What writes in it otherwise raises `django.db.OperationalError` or
    `InternalError`.
    """
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "sqlite":
        with _deferred(connection):
            yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


@contextmanager
def _deferred(connection: Any) -> Iterator[None]:
    """A transaction of SQLite (its typing lacks the mode) that begins without the write lock, and is kept from taking it."""
    connection.ensure_connection()
    mode = connection.transaction_mode
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    connection.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic():
            connection.transaction_mode = mode
            yield
    finally:
        connection.transaction_mode = mode
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")


class Pieces:
    """Long work as short transactions. Each must leave the database as it may be found by others."""

    def __init__(self) -> None:
        self._held_s = 0.0

    @contextmanager
    def piece(self) -> Iterator[None]:
        """One transaction. A rest follows where the lock was held for long, so that those who wait come first."""
        began = time.monotonic()
        with transaction.atomic():
            yield
        self._held_s += time.monotonic() - began
        if self._held_s >= HELD_S:
            if connection.vendor == "sqlite" and not connection.in_atomic_block:
                time.sleep(NAP_S)
            self._held_s = 0.0


def take_turns(subject: str) -> None:
    """Wait until no other transaction has this subject to itself, and have it until this one ends.

    SQLite has one writer at a time anyway. Of PostgreSQL's locks it is one that a pooler between us does not mix up.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [subject])

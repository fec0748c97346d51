"""Transactions that leave others their turn: long reads lock nobody out, and long work is cut into short pieces.

SQLite has one writer at a time, and whoever waits for it looks again every tenth of a second. On PostgreSQL rows are locked,
and who waits is served in turn.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

HELD_S = 0.5
"""How long one piece after the other may hold SQLite's lock before everybody who waits gets a turn."""
NAP_S = 0.15
"""Longer than the longest nap of SQLite's own waiting (100 ms)."""
MOST_TRIES = 3
DEADLOCK = "40P01"
"""PostgreSQL's code, in its manual's appendix A."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


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


def tried_again(act: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """An act, one transaction, which is done again where PostgreSQL ended it as it and another waited for each other."""

    @wraps(act)
    def done(*args: Parameters.args, **options: Parameters.kwargs) -> Result:
        for _try in range(MOST_TRIES - 1):
            try:
                return act(*args, **options)
            except OperationalError as error:
                if connection.in_atomic_block or getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
                    raise
        return act(*args, **options)

    return done


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

"""One SQLite connection, shared by the agent's threads behind a lock."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent import errors


class Database:
    """Write-ahead log, synced at every commit; what is deleted is overwritten. Raises DiskFault, StoreDamaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with faults(path.name):
            self._connection = sqlite3.connect(
                path, check_same_thread=False, isolation_level=None, timeout=10
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA cache_size = -512")
        path.chmod(0o600)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with self._lock, faults(self.path.name):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, faults(self.path.name):
            yield self._connection

    def close(self) -> None:
        with self._lock, faults(self.path.name):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()


@contextmanager
def faults(what: str) -> Iterator[None]:
    """Turn SQLite's faults into ours; its bugs (a wrong statement) pass through."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = (error.sqlite_errorcode or 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise errors.StoreDamaged(f"{what}: {error}") from error
        if code == sqlite3.SQLITE_ERROR:
            raise
        raise errors.DiskFault(f"{what}: {error}") from error
    except sqlite3.DatabaseError as error:
        code = (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise errors.StoreDamaged(f"{what}: {error}") from error
        raise

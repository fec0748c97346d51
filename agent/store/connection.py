"""One SQLite connection, shared by the agent's threads behind a lock."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from agent import errors

log = logging.getLogger(__name__)

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNREADABLE = ("unsupported file format", "malformed database schema", "no such column", "no such table")
"""What SQLite calls a mere error, with no code of its own."""
_FAILING = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
)


class Database:
    """Write-ahead log, synced at every commit; what is deleted is overwritten. Raises DiskFault, StoreDamaged.

    ``scratch``: a folder that can be written where that of ``path`` cannot: a disk that is read-only. The store is then
    worked on ``in_memory``, and what changes there is lost at the end.
    """

    def __init__(self, path: Path, scratch: Path | None = None) -> None:
        self.path = path
        self.in_memory = scratch is not None and path.exists() and not _is_writable(path)
        self._lock = threading.RLock()
        with faults(path.name):
            if self.in_memory and scratch is not None:
                self._connection = _load(path, scratch)
            else:
                self._connection = _open(path)
        self._closed = False

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with self._lock, faults(self.path.name):
            self._check_open()
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
            self._check_open()
            yield self._connection

    def scrub(self) -> None:
        """Let what was deleted stay nowhere: not in the write-ahead log, not in the copies that migrations made.

        A process that reads meanwhile keeps the log until the store is closed.
        """
        with self._lock, faults(self.path.name):
            self._check_open()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            for copy in self.path.parent.glob(self.copy_path("*").name):
                copy.unlink()

    def copy_path(self, version: str) -> Path:
        """Where a migration keeps the store as it was in an older version."""
        return self.path.with_name(f"{self.path.stem}-v{version}.backup")

    def close(self) -> None:
        """What still runs then is interrupted. Closing again does nothing."""
        with self._lock, faults(self.path.name):
            if self._closed:
                return
            self._closed = True
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.OperationalError as error:
                log.info("The write-ahead log stays until the next start: %s", error)
            finally:
                self._connection.close()

    def _check_open(self) -> None:
        if self._closed:
            raise errors.Interrupted("the store is closed")


def _is_writable(path: Path) -> bool:
    """What counts is the file itself; the superuser may write what others may not, but not on a read-only disk."""
    try:
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        log.warning("The store cannot be written: %s", error)
        return False
    return True


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = _connect(path)
    except sqlite3.OperationalError:
        connection = _connect(path, alone=True)
    path.chmod(0o600)
    return connection


def _load(path: Path, scratch: Path) -> sqlite3.Connection:
    """The store in memory. It is read from a copy with its log, since SQLite must be able to write to a log that it reads."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder) / path.name
        for ending in ("", "-wal"):
            if (original := path.with_name(path.name + ending)).exists():
                shutil.copyfile(original, copy.with_name(copy.name + ending))
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        with closing(_connect(copy, alone=True)) as source:
            source.backup(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _connect(path: Path, *, alone: bool = False) -> sqlite3.Connection:
    """``alone``: no other process may look in meanwhile, but no byte of the disk is needed to open what is there.

    A full disk has no room for the index that processes share; people must be able to withdraw their consent there too.
    """
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    try:
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -512")
        connection.execute("SELECT count(*) FROM sqlite_master")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def faults(what: str, *, tried: bool = False) -> Iterator[None]:
    """Turn the faults of SQLite and of the disk into ours; a wrong statement of ours passes through.

    ``tried``: the statements are few and known to be right, so that whatever SQLite finds wrong with them lies in the file.
    An SQLite error without a code comes of Python's own module: a text in the file that is no UTF-8.
    """
    try:
        yield
    except OSError as error:
        raise errors.DiskFault(f"{what}: {error}") from error
    except UnicodeDecodeError as error:
        raise errors.StoreDamaged(f"{what}: SQLite's message cannot be read") from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code in _FAILING:
            raise errors.DiskFault(f"{what}: {error}") from error
        if tried or code in _DAMAGED or str(error).startswith(_UNREADABLE):
            raise errors.StoreDamaged(f"{what}: {error}") from error
        raise


@contextmanager
def decoding(what: str) -> Iterator[None]:
    """What we stored ourselves and cannot read any more was damaged on the disk. Raises StoreDamaged."""
    try:
        yield
    except (msgspec.MsgspecError, ValueError) as error:
        raise errors.StoreDamaged(f"{what}: {type(error).__name__}") from error

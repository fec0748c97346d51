"""One SQLite connection, shared by the agent's threads behind a lock."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from agent.domain import errors
from agent.store import repairs
from agent.store.sealing import is_sealed, seal
from agent.system import private_files

log = logging.getLogger(__name__)

T = TypeVar("T")

LOG_PAGES = 32
"""So long may the write-ahead log become before its pages are brought into the database: 128 KiB."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNREADABLE = (
    "unsupported file format",
    "malformed database schema",
    "no such column",
    "no such table",
    "user-defined function raised exception",
)
"""What SQLite calls a mere error, with no code of its own; the last is a text that is no UTF-8, on its way to a seal."""
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


Row = tuple[Any, ...]


class Reader:
    """Reads all rows of an answer at once: what fails in the middle can be read again."""

    def __init__(self, patiently: Callable[[Callable[[sqlite3.Connection], list[Row]]], list[Row]]) -> None:
        self._patiently = patiently

    def execute(self, select: str, values: Sequence[object] = ()) -> Rows:
        return Rows(self._patiently(lambda connection: connection.execute(select, values).fetchall()))

    def sealed(self, columns: str, table: str, rest: str = "", values: Sequence[object] = ()) -> Rows:
        """Rows of a table that are what was written. One that is not is damage; where nobody repairs that, it is left out."""
        select = f"SELECT {columns}, {is_sealed(table)} FROM {table} {rest}"

        def look(connection: sqlite3.Connection) -> list[Row]:
            rows = connection.execute(select, values).fetchall()
            if not all(row[-1] for row in rows):
                raise errors.StoreDamaged(f"{table}: a row is not what was written")
            return rows

        try:
            rows = self._patiently(look)
        except errors.StoreDamaged:
            rows = self.execute(select, values).fetchall()
        return Rows(row[:-1] for row in rows if row[-1])


class Rows(list[Row]):
    """An answer, as a cursor would give it."""

    def fetchall(self) -> list[Row]:
        return self

    def fetchone(self) -> Row | None:
        return self[0] if self else None


class Keeper(Protocol):
    """What becomes of a store that is damaged."""

    def wait(self) -> None:
        """Let a fault of the disk pass."""

    def is_sound(self, connection: sqlite3.Connection) -> bool:
        """Whether everything in the store is what was written."""

    def repair(self) -> None:
        """Put what can be read in the place of a damaged file, which nobody has open. Raises DiskFault."""


class Database:
    """Write-ahead log, synced at every commit; what is deleted is overwritten. Raises DiskFault, StoreDamaged.

    ``scratch``: a folder that can be written where that of ``path`` cannot: a disk that is read-only. The store is then
    worked on ``in_memory``, and what changes there is lost at the end, unless ``take_over`` writes it to the disk before.

    ``unreadable``: why the file cannot be read. What is opened is empty then, and takes nothing: StoreUnreadable.
    ``take_over`` puts the real one in its place.

    With a keeper (``watch``) one fault is no damage: what could not be read is read again through a new connection, and
    the store is repaired where it is damaged twice. An act that met the damage is not done; it raises DiskFault.
    """

    def __init__(
        self,
        path: Path,
        scratch: Path | None = None,
        *,
        unreadable: errors.EnvironmentFault | None = None,
    ) -> None:
        self.path = path
        self._unreadable = unreadable
        is_kept = unreadable is None
        self.in_memory = not is_kept or (scratch is not None and path.exists() and not _is_writable(path))
        self._keeper: Keeper | None = None
        self._hold: Callable[[], None] = lambda: None
        self._lock = threading.RLock()
        with faults(path.name):
            if not is_kept:
                self._connection = _empty()
            elif self.in_memory and scratch is not None:
                self._connection = _load(path, scratch)
            else:
                self._connection = _open(path)
        self._closed, self._is_open, self._only_reads = False, True, False

    @property
    def unreadable(self) -> errors.StoreUnreadable | None:
        """Why nothing is known of what is in the store."""
        why = self._unreadable
        return errors.StoreUnreadable(why.detail, file=self.path.name) if why is not None else None

    @property
    def can_be_kept(self) -> bool:
        """Whether the disk takes again what could only be worked on in memory."""
        return self.in_memory and self._unreadable is None and _why_unwritable(self.path) is None

    def check(self) -> None:
        """Raises StoreUnreadable: what is read here then is no answer."""
        if (fault := self.unreadable) is not None:
            raise fault

    def take_over(self, opened: Database) -> None:
        """The file can be read or written again: work on with what was opened of it, which is this one's from now on.

        What was worked on in memory is written to it first: nobody else changed the file. Raises DiskFault.
        """
        with self._lock:
            if self._closed:
                opened.close()
            self._check_closed()
            if self._unreadable is None:
                with faults(self.path.name):
                    self._connection.backup(opened._connection)
            self._connection.close()
            self._connection, self._keeper = opened._connection, opened._keeper
            self.in_memory, self._unreadable = opened.in_memory, None

    def watch(self, keeper: Keeper | None) -> None:
        """Have it repaired from now on. A store in memory is not."""
        self._keeper = None if self.in_memory else keeper

    def guard(self, hold: Callable[[], None]) -> None:
        """Ask before each change from now on. ``hold`` raises where another agent works on the store."""
        self._hold = hold

    @property
    def is_watched(self) -> bool:
        """Whether damage is repaired here: no other process does that."""
        return self._keeper is not None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        self.check()
        self._hold()
        with self._lock, self._judged():
            self._open_to_write()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        with self._lock:
            yield Reader(self.patiently)

    def patiently(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read; once more where that failed; and once more where it was damaged both times and is repaired."""
        with self._lock:
            try:
                return self._try(work)
            except (errors.StoreDamaged, errors.DiskFault) as error:
                if self._keeper is None or (self._is_open and self._connection.in_transaction):
                    raise
                log.info("The store is read again: %s", error.detail)
                self._reopen(self._keeper)
            try:
                return self._try(work)
            except errors.StoreDamaged:
                self._repair(self._keeper)
            return self._try(work)

    def examine(self) -> None:
        """Look at everything, while others work on; what is damaged is repaired. Raises DiskFault."""
        keeper = self._keeper
        if keeper is None or self._closed:
            return

        def look(connection: sqlite3.Connection) -> None:
            if not keeper.is_sound(connection):
                raise errors.StoreDamaged(f"{self.path.name}: it is not what was written")

        try:
            with faults(self.path.name, tried=True), closing(_connect(self.path)) as connection:
                look(connection)
        except errors.StoreDamaged as error:
            log.info("The store is looked at again: %s", error.detail)
            self.patiently(look)

    def _open_to_write(self) -> None:
        """SQLite opens for reading what it cannot write, and then never writes over that (sqlite.org/c3ref/open.html)."""
        if self._only_reads:
            self._only_reads = False
            self._let_go()
            self._check_open()

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with faults(self.path.name):
            self._check_open()
            return work(self._connection)

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Within, a statement that meets damage changes nothing. The damage is looked at again, and repaired if it is one."""
        try:
            with faults(self.path.name):
                self._check_open()
                yield
        except errors.DiskFault as error:
            if self._keeper is not None and _is_read_only(error):
                self._only_reads = True
            raise
        except (errors.StoreDamaged, sqlite3.DatabaseError) as error:
            if self._keeper is None:
                raise
            self._reopen(self._keeper)
            if not self._is_sound(self._keeper):
                self._repair(self._keeper)
            elif isinstance(error, sqlite3.DatabaseError):
                raise
            raise errors.DiskFault(f"{self.path.name}: {error}") from error

    def _is_sound(self, keeper: Keeper) -> bool:
        try:
            with faults(self.path.name, tried=True):
                return keeper.is_sound(self._connection)
        except errors.StoreDamaged:
            return False

    def _reopen(self, keeper: Keeper) -> None:
        """Look again a little later, with nothing of what was read before."""
        keeper.wait()
        self._let_go()
        try:
            self._check_open()
        except errors.StoreDamaged:
            self._repair(keeper)

    def _repair(self, keeper: Keeper) -> None:
        self._let_go()
        with faults(self.path.name, tried=True):
            keeper.repair()
        self._check_open()

    def _let_go(self) -> None:
        with self._lock:  # a connection that is closed under another thread's statement ends the process
            self._is_open = False
            self._connection.close()

    def copy_to(self, target: sqlite3.Connection) -> None:
        """Copy all of it."""
        with self._lock:
            self._try(lambda connection: connection.backup(target))

    def scrub(self) -> None:
        """Let what was deleted stay nowhere: not in the write-ahead log, not in the copies that migrations made.

        A process that reads meanwhile keeps the log until the store is closed.
        """
        with self._lock, self._judged():
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.forget_copies()

    def forget_copies(self) -> None:
        """Delete what migrations copied and repairs set aside. Raises DiskFault."""
        for copy in repairs.like(self.path.parent, self.copy_path("*").name):
            repairs.unlink(copy)
        repairs.forget(self.path)

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
            except sqlite3.DatabaseError as error:
                log.info("The write-ahead log stays until the next start: %s", error)
            finally:
                self._connection.close()

    def _check_closed(self) -> None:
        if self._closed:
            raise errors.Interrupted("the store is closed")

    def _check_open(self) -> None:
        self._check_closed()
        if not self._is_open:
            with faults(self.path.name, tried=True):
                self._connection = _open(self.path)
            self._is_open = True


def _is_read_only(fault: errors.DiskFault) -> bool:
    return getattr(fault.__cause__, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY


def _is_writable(path: Path) -> bool:
    if (why := _why_unwritable(path)) is not None:
        log.warning(why)
    return why is None


def _why_unwritable(path: Path) -> str | None:
    """Why the file cannot be written, or its log not be made beside it; None where both can.

    A full disk lets that, a folder that is another's does not. The superuser may write what others may not, but not on a
    read-only disk.
    """
    try:
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        return f"The store cannot be written: {error}"
    return None if os.access(path.parent, os.W_OK) else "The folder of the store takes no files."


def _open(path: Path) -> sqlite3.Connection:
    """SQLite gives the files of its log the mode that the database has (sqlite.org/src, os_unix.c: findCreateFileMode)."""
    if not path.exists():
        private_files.make(path)
    try:
        connection = _connect(path)
    except sqlite3.OperationalError:
        connection = _connect(path, alone=True)
    private_files.tighten(path)
    return connection


def _load(path: Path, scratch: Path) -> sqlite3.Connection:
    """The store in memory. It is read from a copy with its log, since SQLite must be able to write to a log that it reads."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder) / path.name
        for ending in ("", "-wal"):
            if (original := path.with_name(path.name + ending)).exists():
                private_files.make(copy.with_name(copy.name + ending))
                shutil.copyfile(original, copy.with_name(copy.name + ending))
        connection = _empty()
        with closing(_connect(copy, alone=True)) as source:
            source.backup(connection)
    return connection


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    prepare(connection)
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """What the schema needs of each connection."""
    connection.create_function("seal", -1, seal, deterministic=True)
    connection.execute("PRAGMA foreign_keys = ON")


def _connect(path: Path, *, alone: bool = False) -> sqlite3.Connection:
    """``alone``: no other process may look in meanwhile, but no byte of the disk is needed to open what is there.

    A full disk has no room for the index that processes share; people must be able to withdraw their consent there too.
    """
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    try:
        prepare(connection)
        if alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        # A start reads all of the log: on a disk of which reads fail a long one would never be read whole.
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
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

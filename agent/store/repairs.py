"""What becomes of a file of the store that is damaged: what can be read of it is kept, the rest is set aside and told.

A repaired copy is made beside the damaged file and takes its place in one step. A process that is killed between them
leaves the copy, which takes the place later (``finish``). The damaged file stays beside under a name that says when it
was found and how many rows were lost; a withdrawal, a disconnection and a purge delete it.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from agent.domain import errors, limits

log = logging.getLogger(__name__)

Value = str | int | float | bytes | None
Row = tuple[Value, ...]

_JOURNALS = ("-journal", "-wal", "-shm")
_TIME = "%Y%m%dT%H%M%SZ"
_UNKNOWN = "x"
_NAME = re.compile(r"(?P<store>.+)\.damaged-(?P<time>\d{8}T\d{6}Z)-(?P<lost>\d+|x)")


class SetAside(Struct, frozen=True):
    """A damaged file. ``lost`` is how many rows could not be read, None where nobody knows."""

    store: str
    time: datetime
    lost: int | None


class Salvage(Struct):
    """The rows of a table that can be read, by rowid; ``whole`` where no read failed."""

    rows: dict[int, Row]
    whole: bool


def beside(path: Path, ending: str) -> Path:
    """The path of a file beside another: the same name with an ending."""
    return path.with_name(path.name + ending)


def part_of(path: Path) -> Path:
    """Where a repaired copy is made. What an earlier try left there is deleted."""
    part = beside(path, ".part")
    for ending in ("", *_JOURNALS):
        unlink(beside(part, ending))
    return part


def put_in_place(path: Path, part: Path, lost: int | None, now: datetime) -> None:
    """Let a repaired copy, closed and on the disk, take the place of a damaged file. Raises DiskFault."""
    _keep(path, lost, now)
    try:
        part.replace(beside(path, ".new"))
        sync(path.parent)
    except OSError as error:
        raise errors.DiskFault(f"{path.name}: {error}") from error
    finish(path)


def take_away(path: Path, lost: int | None, now: datetime) -> None:
    """Nothing of a damaged file can be read: set it aside. Raises DiskFault."""
    _keep(path, lost, now)
    unlink(path)
    for ending in _JOURNALS:
        unlink(beside(path, ending))


def finish(path: Path) -> None:
    """Do what is left of a repair that was cut off. The journals go first: they belong to the damaged file."""
    new = beside(path, ".new")
    if not is_there(new):
        return
    for ending in _JOURNALS:
        unlink(beside(path, ending))
    try:
        new.replace(path)
        sync(path.parent)
    except OSError as error:
        raise errors.DiskFault(f"{path.name}: {error}") from error


def _keep(path: Path, lost: int | None, now: datetime) -> None:
    """Keep the damaged file under another name, as far as the disk lets us; one of which nothing is lost need not be."""
    if lost == 0:
        return
    count = _UNKNOWN if lost is None else str(lost)
    name = f"{path.name}.damaged-{now.astimezone(UTC).strftime(_TIME)}-{count}"
    log.error(
        "%s was damaged and is set aside; rows lost: %s.", path.name, count.replace(_UNKNOWN, "unknown")
    )
    try:
        for ending in ("", "-wal"):
            kept = beside(path.with_name(name), ending)
            kept.unlink(missing_ok=True)
            if beside(path, ending).exists():
                os.link(beside(path, ending), kept)
        for old in sorted(path.parent.glob(f"{path.name}.damaged-*Z-*[0-9x]"))[: -limits.SET_ASIDE_KEPT]:
            beside(old, "-wal").unlink(missing_ok=True)
            old.unlink()
    except OSError as error:
        log.warning("The damaged %s cannot be kept: %s", path.name, error)


def found(folder: Path) -> list[SetAside]:
    """The damaged files that are set aside in a folder, newest first."""
    try:
        names = [each.name for each in folder.iterdir()]
    except OSError as error:
        log.warning("The data folder cannot be listed: %s", error)
        return []
    return sorted(_read(names), key=lambda each: each.time, reverse=True)


def _read(names: list[str]) -> Iterator[SetAside]:
    for name in names:
        if match := _NAME.fullmatch(name):
            lost = match["lost"]
            time = datetime.strptime(match["time"], _TIME).replace(tzinfo=UTC)
            yield SetAside(match["store"], time, None if lost == _UNKNOWN else int(lost))


def forget(path: Path) -> None:
    """Delete what repairs left beside a file. Raises DiskFault."""
    for left in like(path.parent, f"{path.name}.*"):
        unlink(left)


def is_there(path: Path) -> bool:
    """Whether there is such a file. Raises DiskFault where the disk does not say: it is not gone then."""
    try:
        return path.exists()
    except OSError as error:
        raise errors.DiskFault(f"{path.name}: {error}") from error


def like(folder: Path, pattern: str) -> list[Path]:
    """The files of a folder with such names. Raises DiskFault."""
    try:
        return list(folder.glob(pattern))
    except OSError as error:
        raise errors.DiskFault(f"{folder.name}: {error}") from error


def unlink(path: Path) -> None:
    """A read-only disk refuses this for a file that is not there, too. Raises DiskFault."""
    try:
        if path.exists():
            path.unlink(missing_ok=True)
    except OSError as error:
        raise errors.DiskFault(f"{path.name}: {error}") from error


_CANNOT_BE_READ = (sqlite3.Error, UnicodeDecodeError)
"""The latter is of SQLite's message, which may quote what is damaged."""


def salvage(path: Path, table: str, columns: str, limit: int, wait: Callable[[], None]) -> Salvage:
    """All rows of a table that can be read, at most so many, with the journal rolled back or without it.

    What cannot be read now may be readable a little later: what one look did not find, another may.
    """
    saved = Salvage({}, False)
    select = f"SELECT rowid, {columns} FROM {table}"
    for _ in range(limits.DISK_LOOKS):
        for mode in ("mode=rw", "mode=ro&immutable=1"):
            if _look(path, mode, select, limit, saved):
                saved.whole = True
                return saved
        wait()
    return saved


def hangs_together(path: Path, wait: Callable[[], None]) -> bool:
    """Whether SQLite finds no fault in how the pages hang together. A look during which the disk fails finds one too."""
    for look in range(limits.DISK_LOOKS):
        if look:
            wait()
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
                if connection.execute("PRAGMA integrity_check(1)").fetchall() == [("ok",)]:
                    return True
        except _CANNOT_BE_READ as error:
            log.info("%s cannot be checked: %s", path.name, error)
    return False


def _look(path: Path, mode: str, select: str, limit: int, saved: Salvage) -> bool:
    """Returns whether no read failed."""
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=10)
        ) as connection:
            connection.text_factory = _any_text
            return _salvage(connection, select, limit, saved)
    except _CANNOT_BE_READ as error:
        log.info("%s cannot be opened (%s): %s", path.name, mode, error)
        return False


def _any_text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _salvage(connection: sqlite3.Connection, select: str, limit: int, saved: Salvage) -> bool:
    """From both ends up to the damage, then one by one what lies between."""
    ends = []
    for order in ("", "DESC"):
        last = None
        try:
            for rowid, *row in connection.execute(f"{select} ORDER BY rowid {order} LIMIT {limit}"):
                saved.rows[rowid], last = tuple(row), rowid
        except _CANNOT_BE_READ as error:
            log.info("Rows cannot be read: %s", error)
            # Nothing was written yet: a table that was lost leaves pages that hang on nothing.
            if str(error).startswith("no such table"):
                return True
        else:
            return True
        ends.append(last)
    first, last = ends
    if first is None or last is None:
        return False
    for rowid in range(first + 1, min(last, first + 1 + limit)):
        try:
            for _, *row in connection.execute(f"{select} WHERE rowid = ?", (rowid,)):
                saved.rows[rowid] = tuple(row)
        except _CANNOT_BE_READ:
            continue
    return False


def sync(folder: Path) -> None:
    """Let the names in a folder be on the disk, where the system can promise that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

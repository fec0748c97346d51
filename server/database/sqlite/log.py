"""Whether the write-ahead log beside a database belongs to it (sqlite.org/fileformat2.html, sections 1.3 and 4).

SQLite replays a log that is left beside a backup: pages of two times, which no check of pages need notice. So each
transaction is numbered, in the database's user version. A log begins with the transaction after the last one that
its database held then; since, the database may hold some of the log too, but never more.
"""

import secrets
import struct
from collections.abc import Iterator
from pathlib import Path

MOST = 2**31
READINGS = 5
_MAGIC = (0x377F0682, 0x377F0683)
_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_USER_VERSION = 60
_UNKNOWN = 0
"""Of a database that no transaction of ours has changed, or that an earlier version of this program wrote."""


def following(number: int) -> int:
    """The number of the next transaction. Databases begin anywhere, so that logs of others are told, too."""
    return secrets.randbelow(MOST - 1) + 1 if number == _UNKNOWN else number % (MOST - 1) + 1


def is_of_another(database: Path) -> bool:
    """Whether replaying the log that is there would mix two databases, or two times of one. Raises `OSError`.

    Only where this process has no connection to the database yet: closing a file drops all locks that the process has
    on it. Others may work on it meanwhile.
    """
    if not database.is_file():
        return False
    path = database.with_name(f"{database.name}-wal")
    for _time in range(READINGS):
        head, before = _head(path), _held(database)
        numbers = [number for number in _logged(path) if number]
        after = _held(database)  # a log that has begun meanwhile may begin after what was held before
        if _head(path) == head:
            break
    else:
        return False  # it begins anew all the time: whoever has the database open writes it
    if not numbers or _UNKNOWN in (before, after):
        return False
    return _is_after(numbers[0], following(after)) or _is_after(before, numbers[-1])


def _is_after(one: int, other: int) -> bool:
    return 0 < (one - other) % (MOST - 1) < MOST // 2


def _held(database: Path) -> int:
    with database.open("rb") as file:
        file.seek(_USER_VERSION)
        return int.from_bytes(file.read(4) or b"\0")


def _head(log: Path) -> bytes:
    """Another one since the log was emptied or begun anew, also while it was read."""
    try:
        with log.open("rb") as file:
            return file.read(_HEADER.size)
    except FileNotFoundError:
        return b""


def _logged(log: Path) -> Iterator[int]:
    """The number in each first page that the log holds; nothing of a log that SQLite would not read either."""
    if not log.is_file():
        return
    with log.open("rb") as file:
        header = file.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        magic, _version, size, _sequence, *salts, _sum1, _sum2 = _HEADER.unpack(header)
        if magic not in _MAGIC:
            return
        while len(frame := file.read(_FRAME.size)) == _FRAME.size:
            page, _pages, *own_salts, _sum1, _sum2 = _FRAME.unpack(frame)
            if own_salts != salts:  # what is left of an earlier log
                return
            start = file.tell()
            if page == 1:
                file.seek(start + _USER_VERSION)
                yield int.from_bytes(file.read(4))
            file.seek(start + size)

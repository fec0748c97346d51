"""The rows in the pages of an SQLite file, whatever leads to them (sqlite.org/fileformat.html, sections 1.6 and 2.1).

Where pages stand in one another's place, no SELECT reaches all rows. Each page is read as a leaf of a table here. What is
found need not be a row: who asks knows by its seal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

Value = str | int | float | bytes | None

_PAGE_BYTES = 4_096
"""Of our files, where the header does not say."""
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 8
_INTEGER_BYTES = (0, 1, 2, 3, 4, 6, 8)
_REAL, _ZERO, _ONE, _FIRST_BLOB = 7, 8, 9, 12


class _NoRow(Exception):
    """There is none at this place."""


def rows(content: bytes) -> Iterator[tuple[int, tuple[Value, ...]]]:
    """Each row with its rowid. What was deleted is overwritten in our files (``PRAGMA secure_delete``), and not found."""
    size, usable = _page_bytes(content)
    for start in range(0, len(content), size):
        page = content[start : start + usable]
        for cell in _cells(page):
            try:
                yield _row(content, page, cell, size, usable)
            except (_NoRow, IndexError, struct.error, UnicodeDecodeError):
                continue


def _page_bytes(content: bytes) -> tuple[int, int]:
    """The size of a page, and what of it is in use (section 1.3)."""
    if content.startswith(_MAGIC) and len(content) >= 100:
        size = int.from_bytes(content[16:18], "big")
        size = 65_536 if size == 1 else size
        if size >= 512 and not size & (size - 1) and content[20] <= 32:
            return size, size - content[20]
    return _PAGE_BYTES, _PAGE_BYTES


def _cells(page: bytes) -> Iterator[int]:
    """Where the page says that its cells are."""
    count = min(int.from_bytes(page[3:5], "big"), (len(page) - _HEADER_BYTES) // 2)
    for place in range(_HEADER_BYTES, _HEADER_BYTES + 2 * count, 2):
        yield int.from_bytes(page[place : place + 2], "big")


def _row(content: bytes, page: bytes, cell: int, size: int, usable: int) -> tuple[int, tuple[Value, ...]]:
    length, cell = _varint(page, cell)
    rowid, cell = _varint(page, cell)
    if not 0 < length <= len(content):
        raise _NoRow
    here = _local_bytes(length, usable)
    record = page[cell : cell + here]
    if here < length:
        (following,) = struct.unpack_from(">I", page, cell + here)
        record += _overflow(content, following, length - here, size, usable)
    if len(record) != length:
        raise _NoRow
    return _signed(rowid), tuple(_values(record))


def _local_bytes(length: int, usable: int) -> int:
    """How much of a row is in the page itself (section 1.6, "table leaf cell")."""
    most, least = usable - 35, (usable - 12) * 32 // 255 - 23
    if length <= most:
        return length
    some = least + (length - least) % (usable - 4)
    return some if some <= most else least


def _overflow(content: bytes, number: int, length: int, size: int, usable: int) -> bytes:
    pieces = b""
    while len(pieces) < length:
        start = (number - 1) * size
        if number == 0:
            raise _NoRow
        (number,) = struct.unpack_from(">I", content, start)
        piece = content[start + 4 : start + usable]
        if not piece:  # the file ends here, and the page may name itself as the next one
            raise _NoRow
        pieces += piece[: length - len(pieces)]
    return pieces


def _values(record: bytes) -> Iterator[Value]:
    header, place = _varint(record, 0)
    at = header
    while place < header:
        kind, place = _varint(record, place)
        length = _value_bytes(kind)
        piece = record[at : at + length]
        if len(piece) != length:
            raise _NoRow
        yield _value(kind, piece)
        at += length
    if at != len(record):
        raise _NoRow


def _value_bytes(kind: int) -> int:
    if kind < len(_INTEGER_BYTES):
        return _INTEGER_BYTES[kind]
    if kind >= _FIRST_BLOB:
        return (kind - _FIRST_BLOB) // 2
    if kind > _ONE:
        raise _NoRow
    return 8 if kind == _REAL else 0


def _value(kind: int, piece: bytes) -> Value:
    if kind >= _FIRST_BLOB:
        return piece.decode() if kind % 2 else piece
    if kind == _REAL:
        return float(struct.unpack(">d", piece)[0])
    if kind in (_ZERO, _ONE):
        return kind - _ZERO
    return int.from_bytes(piece, "big", signed=True) if piece else None


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    number = 0
    for place in range(at, at + 8):
        number = number << 7 | content[place] & 0x7F
        if content[place] < 0x80:
            return number, place + 1
    return number << 8 | content[at + 8], at + 9


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number

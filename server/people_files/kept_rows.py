"""People who were read from a file, kept in little memory: 250,000 of them in about 50 MB."""

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import overload

from server.people_files.cells import PersonRow


class KeptRows(Sequence[PersonRow]):
    """A list to which can only be added. Each row is a line of JSON."""

    def __init__(self, rows: Iterable[PersonRow] = ()) -> None:
        self._lines = bytearray()
        self._starts = array("Q")
        for row in rows:
            self.append(row)

    @classmethod
    def from_bytes(cls, lines: bytes) -> "KeptRows":
        """What `content` gave."""
        kept = cls()
        kept._lines = bytearray(lines)
        place = 0
        while place < len(lines):
            kept._starts.append(place)
            place = lines.index(b"\n", place) + 1
        return kept

    def content(self) -> memoryview:
        """All rows, to be stored. As long as somebody has it, none can be added."""
        return memoryview(self._lines)

    def append(self, row: PersonRow) -> None:
        """Add a row at the end."""
        self._starts.append(len(self._lines))
        self._lines += json.dumps(asdict(row), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[PersonRow]:
        for index in range(len(self)):
            yield self[index]

    @overload
    def __getitem__(self, index: int) -> PersonRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PersonRow]: ...
    def __getitem__(self, index: int | slice) -> PersonRow | Sequence[PersonRow]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        start = self._starts[index]
        row = json.loads(self._lines[start : self._lines.index(b"\n", start)])
        groups = row["groups"]
        return PersonRow(**row | {"groups": None if groups is None else tuple(groups)})

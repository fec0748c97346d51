"""Who is in which groups, as bits: one place for each person, so that a group of thousands is counted in microseconds."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Members(NamedTuple):
    """A group's people: `bits` from the place `first` on."""

    first: int
    bits: int


NOBODY = Members(0, 0)


class Directory:
    """The people of a company and their groups.

    People of small groups lie side by side, so that a small group is few bytes however many people there are. Those of no
    group come last.
    """

    def __init__(self, people: int, joined: Iterable[tuple[int, str]]) -> None:
        """`people`: how many there are. `joined`: a group and a person, for each person of each group."""
        people_of: defaultdict[int, list[str]] = defaultdict(list)
        for group, person in joined:
            people_of[group].append(person)
        places: dict[str, int] = {}
        self.groups: dict[int, Members] = {}
        for group in sorted(people_of, key=lambda one: (len(people_of[one]), one)):
            taken = [places.setdefault(person, len(places)) for person in people_of.pop(group)]
            self.groups[group] = _as_bits(taken)
        self.everybody = Members(0, (1 << max(people, len(places))) - 1)

    def members(self, group: int) -> Members:
        """The people of a group."""
        return self.groups.get(group, NOBODY)

    def reached(self, groups: Iterable[int]) -> int:
        """Bits of those who are in any of the groups."""
        found = 0
        for first, bits in map(self.members, groups):
            found |= bits << first
        return found


@dataclass
class Counts:
    """How many times each person was reached: bit n of somebody's number is at their place in `_digits[n]`."""

    _digits: list[int] = field(default_factory=list)

    def add(self, reached: int) -> None:
        """Count each of them once more. `reached`: bits."""
        for place, bits in enumerate(self._digits):
            self._digits[place], reached = bits ^ reached, bits & reached
        if reached:
            self._digits.append(reached)

    def among(self, members: Members) -> Counter[int]:
        """How many of the members were reached how many times."""
        parts = {0: members.bits}
        for place, digit in enumerate(self._digits):
            here = digit >> members.first
            split = [(count, part, part & here) for count, part in parts.items()]
            parts = {count: part ^ more for count, part, more in split}
            parts |= {count + (1 << place): more for count, _part, more in split}
            parts = {count: part for count, part in parts.items() if part}
        return Counter({count: part.bit_count() for count, part in parts.items()})


def _as_bits(places: Sequence[int]) -> Members:
    first = min(places)
    octets = bytearray((max(places) - first) // 8 + 1)
    for place in places:
        octets[(place - first) >> 3] |= 1 << ((place - first) & 7)
    return Members(first, int.from_bytes(octets, "little"))

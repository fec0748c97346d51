"""An attack on figures: what can be told about few people from sums over many?

A cell is the set of people whom a shown figure is a sum over. Where figures count different acts of the same person, it is a
set of `Act`s. Whoever sees several cells of one campaign and signal can add and subtract them as they like. The attack looks
for a combination that is about fewer people than any cell may be about.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

PRIME = 2**61 - 1
"""Sums are taken modulo this. No cell of the tests is so large that a combination would vanish by it."""

Cell = frozenset[Hashable]
Signature = tuple[frozenset[int], ...]
"""For each act of a person, the numbers of the cells that count it."""


@dataclass(frozen=True)
class Act:
    """What a person can do that a figure counts: one of these links."""

    person: Hashable
    links: frozenset[str]


def person_of(counted: Hashable) -> Hashable:
    """Whom a member of a cell is about."""
    return counted.person if isinstance(counted, Act) else counted


def small_differences(cells: Iterable[Cell], minimum: int) -> Iterator[frozenset[Hashable]]:
    """Cells, and differences of two cells, that are about fewer than `minimum` people."""
    distinct = set(cells)
    yield from (people for cell in distinct if 0 < len(people := frozenset(map(person_of, cell))) < minimum)
    for one, other in itertools.combinations(distinct, 2):
        people = frozenset(map(person_of, one ^ other))
        if len(people) < minimum:
            yield people


def small_combination(cells: Iterable[Cell], minimum: int) -> frozenset[Hashable] | None:
    """Fewer than `minimum` people whom some linear combination of the cells is about, and nobody else; or None.

    Exact: people whose acts are in the same cells cannot be told apart by any combination, so they are taken together; a
    combination is about the set U alone when the cells without U have a lower rank than the cells.
    """
    rows = sorted(set(cells), key=lambda cell: sorted(map(str, cell)))
    together = _together(rows)
    full = _rank(_matrix(rows, _columns(together)))
    for chosen in _few(list(together.items()), minimum - 1):
        rest = [signature for signature in together if signature not in chosen]
        if _rank(_matrix(rows, _columns(rest))) < full:
            return frozenset().union(*(together[signature] for signature in chosen))
    return None


def _together(rows: Sequence[Cell]) -> dict[Signature, frozenset[Hashable]]:
    """People by the numbers of the cells that count their acts."""
    places: dict[Hashable, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        for counted in row:
            places[counted].add(number)
    acts: dict[Hashable, list[frozenset[int]]] = defaultdict(list)
    for counted, numbers in places.items():
        acts[person_of(counted)].append(frozenset(numbers))
    together: dict[Signature, set[Hashable]] = defaultdict(set)
    for person, found in acts.items():
        together[tuple(sorted(found, key=sorted))].add(person)
    return {signature: frozenset(people) for signature, people in together.items()}


def _columns(signatures: Iterable[Signature]) -> list[frozenset[int]]:
    return list(dict.fromkeys(itertools.chain.from_iterable(signatures)))


def _few(sets: list[tuple[Signature, frozenset[Hashable]]], most: int) -> Iterator[set[Signature]]:
    """All choices of such sets with at most `most` people together."""
    small = [one for one in sets if len(one[1]) <= most]
    for count in range(1, most + 1):
        for chosen in itertools.combinations(small, count):
            if sum(len(people) for _signature, people in chosen) <= most:
                yield {signature for signature, _people in chosen}


def _matrix(rows: Sequence[object], columns: Sequence[frozenset[int]]) -> list[list[int]]:
    return [[int(number in column) for column in columns] for number in range(len(rows))]


def _rank(matrix: list[list[int]]) -> int:
    """By Gauss's elimination, modulo `PRIME`."""
    rows, rank = [row[:] for row in matrix], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((index for index in range(rank, len(rows)) if rows[index][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        inverse = pow(rows[rank][column], -1, PRIME)
        for index in range(rank + 1, len(rows)):
            if factor := rows[index][column] * inverse % PRIME:
                rows[index] = [
                    (value - factor * above) % PRIME
                    for value, above in zip(rows[index], rows[rank], strict=True)
                ]
        rank += 1
    return rank

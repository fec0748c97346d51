"""An attack on figures: what can be told about few people from sums over many?

A cell is the set of people whom a shown figure is a sum over. Whoever sees several cells of one campaign and signal can add
and subtract them as they like. The attack looks for a combination that is about fewer people than any cell may be about.
"""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TypeVar

Person = TypeVar("Person", bound=Hashable)

PRIME = 2**61 - 1
"""Sums are taken modulo this. No cell of the tests is so large that a combination would vanish by it."""


def small_differences(cells: Iterable[frozenset[Person]], minimum: int) -> Iterator[frozenset[Person]]:
    """Cells, and differences of two cells, that are about fewer than `minimum` people."""
    distinct = set(cells)
    yield from (cell for cell in distinct if 0 < len(cell) < minimum)
    for one, other in itertools.combinations(distinct, 2):
        if len(one ^ other) < minimum:
            yield one ^ other


def small_combination(cells: Iterable[frozenset[Person]], minimum: int) -> frozenset[Person] | None:
    """Fewer than `minimum` people whom some linear combination of the cells is about, and nobody else; or None.

    Exact: people who are in the same cells cannot be told apart by any combination, so they are taken together; a
    combination is about the set U alone when the cells without U have a lower rank than the cells.
    """
    rows = sorted(set(cells), key=sorted)
    together = _together(rows)
    full = _rank(_matrix(rows, list(together)))
    for chosen in _few(list(together.items()), minimum - 1):
        rest = [cells_of for cells_of in together if cells_of not in chosen]
        if _rank(_matrix(rows, rest)) < full:
            return frozenset().union(*(together[cells_of] for cells_of in chosen))
    return None


def _together(rows: Sequence[frozenset[Person]]) -> dict[frozenset[int], frozenset[Person]]:
    """People by the numbers of the cells that they are in."""
    places: dict[Person, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        for person in row:
            places[person].add(number)
    together: dict[frozenset[int], set[Person]] = defaultdict(set)
    for person, numbers in places.items():
        together[frozenset(numbers)].add(person)
    return {numbers: frozenset(people) for numbers, people in together.items()}


def _few(sets: list[tuple[frozenset[int], frozenset[Person]]], most: int) -> Iterator[set[frozenset[int]]]:
    """All choices of such sets with at most `most` people together."""
    small = [one for one in sets if len(one[1]) <= most]
    for count in range(1, most + 1):
        for chosen in itertools.combinations(small, count):
            if sum(len(people) for _numbers, people in chosen) <= most:
                yield {numbers for numbers, _people in chosen}


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

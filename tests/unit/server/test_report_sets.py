"""How people are put together for reports: cohorts of the directory, blocks of those who share, and the estimate for all."""

import itertools
import math
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.reports.blocks import split
from server.reports.cohorts import SMALLEST, USUAL, partition
from server.reports.intervals import wilson
from tests.support.server.differencing import small_combination, small_differences

directories = st.builds(
    lambda groups: {UUID(int=number): frozenset(names) for number, names in enumerate(groups)},
    st.lists(st.sets(st.sampled_from("ABCDE"), max_size=3), max_size=120),
)
minima = st.integers(5, 9)


@given(directories, minima)
def test_everybody_is_in_one_cohort_or_all_wait(people: dict[UUID, frozenset[str]], minimum: int) -> None:
    cohorts = partition(people, minimum)
    members = [person for cohort in cohorts for person in cohort]
    enough = len(people) >= SMALLEST * minimum
    assert sorted(members) == (sorted(people) if enough else [])


@given(directories, minima)
def test_a_cohort_is_large_and_not_much_larger_than_it_must_be(
    people: dict[UUID, frozenset[str]], minimum: int
) -> None:
    for cohort in partition(people, minimum):
        assert SMALLEST * minimum <= len(cohort) < 2 * USUAL * minimum


@given(directories, directories, minima)
def test_people_of_dissolved_cohorts_are_with_enough_others_wherever_they_come(
    people: dict[UUID, frozenset[str]], left_over: dict[UUID, frozenset[str]], minimum: int
) -> None:
    others = {UUID(int=1000 + person.int): groups for person, groups in left_over.items()}
    cohorts = partition(people, minimum, others)
    enough = len(people) >= SMALLEST * minimum
    assert sorted(itertools.chain(*cohorts)) == (sorted({**people, **others}) if enough else [])
    assert all(len(cohort & people.keys()) >= SMALLEST * minimum for cohort in cohorts)


@given(directories, minima)
def test_people_of_the_same_groups_come_together(people: dict[UUID, frozenset[str]], minimum: int) -> None:
    cohorts = partition(people, minimum)
    for groups in set(people.values()):
        alike = {person for person, names in people.items() if names == groups}
        if len(alike) >= USUAL * minimum and cohorts:
            purely = [cohort for cohort in cohorts if cohort <= alike]
            assert sum(map(len, purely)) > 0


def test_who_of_the_same_groups_is_in_which_cohort_is_drawn() -> None:
    people = {UUID(int=number): frozenset[str]() for number in range(60)}
    drawn = {frozenset(map(frozenset, partition(people, 5))) for _try in range(5)}
    assert len(drawn) == 5


@given(st.sets(st.text(st.characters(codec="ascii"), max_size=4), max_size=60), minima, st.integers(-5, 80))
def test_blocks_hold_whom_there_is_room_for_once_and_have_the_right_size(
    waiting: set[str], minimum: int, room: int
) -> None:
    blocks = split(waiting, minimum, room)
    members = list(itertools.chain(*blocks))
    fitting = min(len(waiting), max(room, 0))
    assert len(members) == (fitting if fitting >= minimum else 0)
    assert len(set(members) & waiting) == len(members)
    assert all(minimum <= len(block) < 2 * minimum for block in blocks)


# --- The estimate for all -----------------------------------------------------------------------------


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int]:
    assigned = draw(st.integers(1, 3_000))
    counted = draw(st.integers(1, assigned))
    return draw(st.integers(0, counted)), counted, assigned


@given(counts())
def test_the_interval_holds_the_share_of_the_counted_and_what_is_certain(
    figures: tuple[int, int, int],
) -> None:
    did, counted, assigned = figures
    interval = wilson(*figures)
    assert 0 <= interval.low <= interval.high <= 1
    assert interval.low - 1e-12 <= did / counted <= interval.high + 1e-12
    assert interval.low * assigned >= did - 1e-9
    assert (1 - interval.high) * assigned >= counted - did - 1e-9


def test_the_interval_is_wilsons_where_the_counted_are_few_of_many() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263.
    interval = wilson(81, 263, 10**12)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.2553, 0.3662)


def test_where_all_are_counted_nothing_is_estimated() -> None:
    interval = wilson(3, 7, 7)
    assert math.isclose(interval.low, 3 / 7)
    assert math.isclose(interval.high, 3 / 7)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Exactly, by the hypergeometric distribution: 60 of 150 people are counted, whoever did it."""
    assigned, counted = 150, 60
    for did_it in range(15, 136, 15):
        ways = {
            did: math.comb(did_it, did) * math.comb(assigned - did_it, counted - did)
            for did in range(max(0, counted - (assigned - did_it)), min(counted, did_it) + 1)
        }
        holding = sum(
            count
            for did, count in ways.items()
            if (interval := wilson(did, counted, assigned)).low <= did_it / assigned <= interval.high
        )
        assert 0.93 <= holding / sum(ways.values()) <= 0.99


@pytest.mark.parametrize("figures", [(-1, 5, 10), (6, 5, 10), (5, 10, 9), (0, 0, 5)])
def test_impossible_counts_are_refused(figures: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="of"):
        wilson(*figures)


# --- The attack itself --------------------------------------------------------------------------------


def test_the_attack_sees_one_person_behind_a_chain_of_cells() -> None:
    one, two, three, four = map(frozenset, ("abcde", "fghij", "klmno", "pqrst"))
    chain = [one | two, two | three, three | four]
    assert small_combination([*chain, one | four], 5) is None
    # The first less the second plus the third is about the first and the fourth set: "x" is what remains.
    assert small_combination([*chain, one | four | {"x"}], 5) == {"x"}
    assert list(small_differences([*chain, one | four | {"x"}], 5)) == []
    assert list(small_differences([one, one | {"x"}], 5)) == [{"x"}]


@given(st.lists(st.integers(5, 9), min_size=1, max_size=6), st.data())
def test_sums_over_whole_sets_of_five_are_never_broken(sizes: list[int], data: st.DataObject) -> None:
    numbers = itertools.count()
    blocks = [frozenset(itertools.islice(numbers, size)) for size in sizes]
    chosen = data.draw(st.lists(st.sets(st.sampled_from(blocks), min_size=1), min_size=1, max_size=8))
    cells = [frozenset[int]().union(*some) for some in chosen]
    assert small_combination(cells, 5) is None
    assert list(small_differences(cells, 5)) == []

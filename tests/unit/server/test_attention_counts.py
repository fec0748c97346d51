"""What is counted by bits is what one would count person by person."""

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from server.attention.people import Counts, Directory
from server.attention.planned import Planned

GROUPS = range(1, 7)
SETS = st.frozensets(st.sampled_from(GROUPS))


@given(people=st.lists(SETS, max_size=40), audiences=st.lists(SETS, max_size=12))
def test_counting_by_groups_is_counting_person_by_person(
    people: list[frozenset[int]], audiences: list[frozenset[int]]
) -> None:
    joined = [(group, f"p{number}") for number, groups in enumerate(people) for group in groups]
    directory, counts = Directory(len(people), joined), Counts()
    for audience in audiences:  # an empty one stands for everybody
        counts.add(directory.reached(audience) if audience else directory.everybody.bits)
    gets = [sum(not audience or bool(audience & groups) for audience in audiences) for groups in people]
    assert counts.among(directory.everybody) == Counter(gets)
    for group in GROUPS:
        of_group = [got for got, groups in zip(gets, people, strict=True) if group in groups]
        assert counts.among(directory.members(group)) == Counter(of_group)


@given(
    people=st.lists(SETS, max_size=40),
    audiences=st.lists(st.tuples(st.booleans(), SETS, SETS), max_size=12),
    smallest=st.integers(1, 6),
    bound=st.none() | SETS,
)
def test_a_figure_is_made_of_groups_large_enough_that_the_reader_may_see(
    people: list[frozenset[int]],
    audiences: list[tuple[bool, frozenset[int], frozenset[int]]],
    smallest: int,
    bound: frozenset[int] | None,
) -> None:
    joined = [(group, f"p{number}") for number, groups in enumerate(people) for group in groups]
    week = Planned(date(2026, 11, 30), smallest, Directory(len(people), joined), Counter(audiences))
    week.count()
    large = {group for group in GROUPS if sum(group in groups for groups in people) >= smallest}
    told = large if bound is None else large & bound
    gets = [
        sum(
            (everyone or bool(named & told & one)) and not without & told & one
            for everyone, named, without in audiences
        )
        for one in people
    ]
    seen = week.seen_by(bound)
    assert seen.of_everybody().counts == Counter(gets)
    for group in GROUPS:
        of_group = [got for got, groups in zip(gets, people, strict=True) if group in groups]
        assert seen.of_group(group).counts == Counter(of_group)

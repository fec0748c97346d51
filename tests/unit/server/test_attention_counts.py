"""What is counted by bits is what one would count person by person."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from server.attention.people import Counts, Directory

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

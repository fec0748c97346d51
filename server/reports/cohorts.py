"""Lasting sets of people, so that whom a campaign addresses tells nothing about who shares.

A campaign counts people of those cohorts only that its audience holds as a whole. If it counted whoever shares, two campaigns
whose audiences differ in one person would tell whether that person shares.
"""

import secrets
import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db.models import Count

from server import clock
from server.database.lookups import as_text
from server.directory.models import Company, Person
from server.reports.models import Block, CohortMember, Suppression, dissolve

ROWS_AT_ONCE = 500

SMALLEST = 2
"""A cohort has at least this many times as many people as must stand behind a figure, ..."""

USUAL = 6
"""... and this many times as many where enough people belong to the same groups."""

Groups = frozenset[str]

_random = secrets.SystemRandom()


def partition(
    people: Mapping[UUID, Groups], minimum: int, others: Mapping[UUID, Groups] | None = None
) -> list[set[UUID]]:
    """Put people, who are given with their groups, into sets of at least `SMALLEST * minimum`.

    People of the same groups come together as far as possible; then those who have most groups in common. Who of them is in
    which set is drawn at random. Fewer people than that make no set and wait. `others` join the sets of whom they have most
    groups in common with: each set has at least `SMALLEST * minimum` people besides them.
    """
    least = SMALLEST * minimum
    by_groups: dict[Groups, list[UUID]] = defaultdict(list)
    for person, groups in people.items():
        by_groups[groups].append(person)
    merged = _merged(by_groups, least)
    joining: list[list[UUID]] = [[] for _one in merged]
    for person, groups in others.items() if merged and others else ():
        sizes = (
            len(members) + len(joined) for (_groups, members), joined in zip(merged, joining, strict=True)
        )
        likeness = [
            (len(common & groups), -size) for (common, _members), size in zip(merged, sizes, strict=True)
        ]
        joining[likeness.index(max(likeness))].append(person)
    sets: list[set[UUID]] = []
    for (_groups, members), joined in zip(merged, joining, strict=True):
        _random.shuffle(members)
        _random.shuffle(joined)
        count = max(1, min((len(members) + len(joined)) // (USUAL * minimum), len(members) // least))
        sets += [{*members[start::count], *joined[start::count]} for start in range(count)]
    return sets


def _merged(by_groups: Mapping[Groups, list[UUID]], least: int) -> list[tuple[Groups, list[UUID]]]:
    """Sets of at least `least` people with the groups that all of them have. None when there are fewer people."""
    large = [(groups, people) for groups, people in by_groups.items() if len(people) >= least]
    small = [(groups, people) for groups, people in by_groups.items() if len(people) < least]
    while small:
        small.sort(key=lambda one: (len(one[1]), sorted(one[0])))
        groups, people = small.pop(0)
        others = small or large
        if not others:
            return []
        nearest = max(range(len(others)), key=lambda index: len(others[index][0] & groups))
        other_groups, other_people = others.pop(nearest)
        together = (other_groups & groups, other_people + people)
        (large if len(together[1]) >= least else small).append(together)
    return large


def assign(company: Company, newcomers: Collection[UUID], too_small: Sequence[UUID]) -> None:
    """Form cohorts of people who have none. People of cohorts that are too small join them. Within a transaction.

    What these can count is known from earlier figures, and the people who are left of a cohort are suppressed no longer. So
    each new cohort has enough people of whom nothing is known. The blocks of those cohorts leave the figures, since whoever
    is erased from now on is replaced by people who were in other ones.
    """
    if len(newcomers) < SMALLEST * company.smallest_group:
        return
    left_over = {person for members in cohorts_of(company, too_small).values() for person in members}
    for start in range(0, len(too_small), ROWS_AT_ONCE):
        some = too_small[start : start + ROWS_AT_ONCE]
        dissolve(Block.objects.filter(cohort__in=some))
        Suppression.objects.filter(person__cohort_member__cohort__in=some).delete()
        CohortMember.objects.filter(cohort__in=some).delete()
    groups, now = groups_of(company), clock.now()
    known, unknown = (
        {person: groups.get(person, frozenset()) for person in people} for people in (left_over, newcomers)
    )
    for members in partition(unknown, company.smallest_group, known):
        cohort, mixed_at = uuid.uuid4(), None if left_over.isdisjoint(members) else now
        rows = [
            CohortMember(person_id=person, cohort=cohort, mixed_at=mixed_at) for person in sorted(members)
        ]
        CohortMember.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE)


def too_small_cohorts(company: Company) -> list[UUID]:
    """The cohorts that are counted in nothing new. They never grow."""
    members = CohortMember.objects.filter(person__company=company).order_by()
    sizes = members.values("cohort").annotate(size=Count("pk"))
    too_small = sizes.filter(size__lt=SMALLEST * company.smallest_group)
    return list(too_small.values_list("cohort", flat=True))


def cohorts_of(company: Company, named: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """The people of each of these cohorts, with those that have become too small."""
    cohorts: dict[UUID, set[UUID]] = defaultdict(set)
    members = CohortMember.objects.filter(person__company=company, cohort__in=named)
    for cohort, person in members.values_list("cohort", "person_id"):
        cohorts[cohort].add(person)
    return cohorts


def people_of(cohorts: Collection[UUID]) -> dict[UUID, set[str]]:
    """The people of each of these cohorts, as texts: as many objects would take as long as all else about them."""
    people: dict[str, set[str]] = defaultdict(set)
    members = CohortMember.objects.filter(cohort__in=cohorts)
    for cohort, person in members.values_list(as_text("cohort"), as_text("person_id")).iterator():
        people[cohort].add(person)
    return {UUID(cohort): members for cohort, members in people.items()}


def common_groups(sizes: Mapping[UUID, int]) -> dict[UUID, list[str]]:
    """The names of the groups that hold these cohorts as a whole. `sizes`: how many people each has."""
    members = Person.groups.through.objects.filter(person__cohort_member__cohort__in=sizes)
    numbers = members.values_list("person__cohort_member__cohort", "group__name").annotate(Count("person"))
    common: dict[UUID, list[str]] = {cohort: [] for cohort in sizes}
    for cohort, group, number in numbers.order_by():
        if number == sizes[cohort]:
            common[cohort].append(group)
    return {cohort: sorted(groups) for cohort, groups in common.items()}


def groups_of(company: Company, cohorts: Collection[UUID] | None = None) -> dict[UUID, Groups]:
    """The names of the groups of each person who has any; of everybody, or of the people of these cohorts."""
    names: dict[UUID, set[str]] = defaultdict(set)
    rows = Person.groups.through.objects.filter(person__company=company)
    if cohorts is not None:
        rows = rows.filter(person__cohort_member__cohort__in=cohorts)
    for person, group in rows.values_list("person_id", "group__name"):
        names[person].add(group)
    return {person: frozenset(groups) for person, groups in names.items()}


def are_enough_waiting(company: Company) -> bool:
    """Whether so many people have no cohort that `assign` forms one."""
    return company.people.filter(cohort_member=None).count() >= SMALLEST * company.smallest_group

"""Lasting sets of people, so that whom a campaign addresses tells nothing about who shares.

A campaign counts people of those cohorts only that its audience holds as a whole. If it counted whoever shares, two campaigns
whose audiences differ in one person would tell whether that person shares.
"""

import secrets
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db.models import Count

from server.directory.models import Company, Person
from server.reports.models import CohortMember

SMALLEST = 2
"""A cohort has at least this many times as many people as must stand behind a figure, ..."""

USUAL = 6
"""... and this many times as many where enough people belong to the same groups."""

Groups = frozenset[str]

_random = secrets.SystemRandom()


def partition(people: Mapping[UUID, Groups], minimum: int) -> list[set[UUID]]:
    """Put people, who are given with their groups, into sets of at least `SMALLEST * minimum`.

    People of the same groups come together as far as possible; then those who have most groups in common. Who of them is in
    which set is drawn at random. Fewer people than that make no set and wait.
    """
    by_groups: dict[Groups, list[UUID]] = defaultdict(list)
    for person, groups in people.items():
        by_groups[groups].append(person)
    sets: list[set[UUID]] = []
    for _groups, members in _merged(by_groups, SMALLEST * minimum):
        _random.shuffle(members)
        count = max(1, len(members) // (USUAL * minimum))
        sets += [set(members[start::count]) for start in range(count)]
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


def assign(company: Company, newcomers: Iterable[UUID]) -> None:
    """Form cohorts of people who have none, and of those whose cohort has become too small. Within a transaction."""
    least = SMALLEST * company.smallest_group
    sizes = Counter(CohortMember.objects.filter(person__company=company).values_list("cohort", flat=True))
    too_small = [cohort for cohort, size in sizes.items() if size < least]
    dissolved = CohortMember.objects.filter(cohort__in=too_small)
    waiting = set(newcomers) | set(dissolved.values_list("person_id", flat=True))
    if len(waiting) < least:
        return
    dissolved.delete()
    groups = groups_of(company)
    for members in partition(
        {person: groups.get(person, frozenset()) for person in waiting}, company.smallest_group
    ):
        cohort = uuid.uuid4()
        CohortMember.objects.bulk_create(
            [CohortMember(person_id=person, cohort=cohort) for person in sorted(members)], batch_size=500
        )


def cohorts_of(company: Company, named: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """The people of each of these cohorts, with those that have become too small."""
    cohorts: dict[UUID, set[UUID]] = defaultdict(set)
    members = CohortMember.objects.filter(person__company=company, cohort__in=named)
    for cohort, person in members.values_list("cohort", "person_id"):
        cohorts[cohort].add(person)
    return cohorts


def groups_of(company: Company, cohorts: Collection[UUID] | None = None) -> dict[UUID, Groups]:
    """The names of the groups of each person who has any; of everybody, or of the people of these cohorts."""
    names: dict[UUID, set[str]] = defaultdict(set)
    rows = Person.groups.through.objects.filter(person__company=company)
    if cohorts is not None:
        rows = rows.filter(person__cohort_member__cohort__in=cohorts)
    for person, group in rows.values_list("person_id", "group__name"):
        names[person].add(group)
    return {person: frozenset(groups) for person, groups in names.items()}


def is_anybody_waiting(company: Company) -> bool:
    """Whether somebody has no cohort, or one that has become too small: then `assign` may change something."""
    if company.people.filter(cohort_member=None).exists():
        return True
    sizes = CohortMember.objects.filter(person__company=company).values("cohort").annotate(size=Count("pk"))
    return sizes.filter(size__lt=SMALLEST * company.smallest_group).exists()

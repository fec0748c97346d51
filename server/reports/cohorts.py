"""Lasting sets of people, so that whom a campaign addresses tells nothing about who shares.

A campaign counts people of those cohorts only that its audience holds as a whole. If it counted whoever shares, two campaigns
whose audiences differ in one person would tell whether that person shares.
"""

import itertools
import secrets
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from server.core import clock
from server.database.bulk import insert
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
    joining = _joining(merged, others or {}) if merged else []
    sets: list[set[UUID]] = []
    for (_groups, members), joined in zip(merged, joining, strict=True):
        _random.shuffle(members)
        _random.shuffle(joined)
        count = max(1, min((len(members) + len(joined)) // (USUAL * minimum), len(members) // least))
        sets += [{*members[start::count], *joined[start::count]} for start in range(count)]
    return sets


def _joining(merged: Sequence[tuple[Groups, list[UUID]]], others: Mapping[UUID, Groups]) -> list[list[UUID]]:
    """Who of the others joins which set: the smallest of those with most groups in common."""
    joining: list[list[UUID]] = [[] for _one in merged]
    sizes = [len(members) for _groups, members in merged]
    nearest: dict[Groups, list[int]] = {}
    for person, groups in others.items():
        if groups not in nearest:
            common = [len(of_all & groups) for of_all, _members in merged]
            most = max(common)
            nearest[groups] = [place for place, number in enumerate(common) if number == most]
        place = min(nearest[groups], key=sizes.__getitem__)
        joining[place].append(person)
        sizes[place] += 1
    return joining


def _merged(by_groups: Mapping[Groups, list[UUID]], least: int) -> list[tuple[Groups, list[UUID]]]:
    """Sets of at least `least` people with groups that all of them have. None when there are fewer people.

    Too few people of the same groups join those who have the same ones but for the smallest; too few of these, those who have
    the same but for the two smallest, and so on: a tree as of Han, Pei and Yin (SIGMOD 2000), which is linear.
    """
    merged = [(groups, list(people)) for groups, people in by_groups.items() if len(people) >= least]
    people_in: Counter[str] = Counter()
    for groups, people in by_groups.items():
        for group in groups:
            people_in[group] += len(people)
    few: dict[int, dict[tuple[str, ...], list[UUID]]] = defaultdict(lambda: defaultdict(list))
    for groups, people in by_groups.items():
        if len(people) < least:
            path = tuple(sorted(groups, key=lambda group: (-people_in[group], group)))
            few[len(path)][path] += people
    for depth in range(max(few, default=0), -1, -1):
        for path, people in few[depth].items():
            if len(people) >= least:
                merged.append((frozenset(path), people))
            elif path:
                few[depth - 1][path[:-1]] += people
    rest = few[0][()]
    if merged and len(rest) < least:
        _groups, people = max(merged, key=lambda one: len(one[1]))
        people += rest
    return merged


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
    rows: list[tuple[str, str, Any]] = []
    for members in partition(unknown, company.smallest_group, known):
        cohort, mixed_at = uuid.uuid4().hex, None if left_over.isdisjoint(members) else now
        mixed = connection.ops.adapt_datetimefield_value(mixed_at)
        rows += [(person.hex, cohort, mixed) for person in sorted(members)]
    insert(CohortMember, ("person_id", "cohort", "mixed_at"), rows)


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


def groups_of(company: Company) -> dict[UUID, Groups]:
    """The names of the groups of each person who has any. People of the same groups share one set."""
    names = dict(company.groups.values_list("pk", "name"))
    rows = Person.groups.through.objects.filter(group__company=company)
    pairs: Iterator[tuple[str, int]] = (
        rows.order_by("person_id").values_list(as_text("person_id"), "group_id").iterator()
    )
    sets: dict[tuple[int, ...], Groups] = {}
    found: dict[UUID, Groups] = {}
    for person, of_person in itertools.groupby(pairs, key=lambda pair: pair[0]):
        numbers = tuple(sorted(group for _person, group in of_person))
        if numbers not in sets:
            sets[numbers] = frozenset(names[number] for number in numbers if number in names)
        found[UUID(person)] = sets[numbers]
    return found


def are_enough_waiting(company: Company) -> bool:
    """Whether so many people have no cohort that `assign` forms one."""
    least = SMALLEST * company.smallest_group
    if (
        Person.objects.count() - CohortMember.objects.count() < least
    ):  # of all companies, without looking anybody up
        return False
    return company.people.filter(cohort_member=None).count() >= least

"""Whom a campaign is for, and who of them shares."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from server.campaigns.models import Campaign
from server.database.lookups import as_text
from server.directory.models import Company, Person
from server.reports.models import CohortMember, Suppression
from server.signals.models import Consent, SignalName
from server.signals.queries import not_ended

ROWS_AT_ONCE = 500


def addressed(campaign: Campaign) -> QuerySet[Person]:
    """The people whom the campaign is for, each once, as the directory is today."""
    people = Person.objects.filter(company_id=campaign.company_id).exclude(pk__in=_left_out(campaign))
    if campaign.to_everyone:
        return people
    return people.filter(Q(pk__in=_in_groups(campaign)) | Q(pk__in=_by_name(campaign)))


def _in_groups(campaign: Campaign) -> QuerySet[Any, Any]:
    """The ids of the people of its groups."""
    return Person.groups.through.objects.filter(group__campaigns=campaign).values("person")


def _by_name(campaign: Campaign) -> QuerySet[Any, Any]:
    """The ids of the people whom it names."""
    return Campaign.audience_people.through.objects.filter(campaign=campaign).values("person")


def _left_out(campaign: Campaign) -> QuerySet[Any, Any]:
    """The ids of the people of the groups that it excludes."""
    return Person.groups.through.objects.filter(group__campaigns_without=campaign).values("person")


def audience(campaign: Campaign) -> set[UUID]:
    """Their ids."""
    return set(addressed(campaign).values_list("pk", flat=True))


def audience_sizes(company: Company) -> dict[int, int]:
    """How many people each of the company's campaigns is for today, by the campaign's primary key.

    With as few queries for 20,000 campaigns as for one. People are bits of a number: a union takes a microsecond.
    """
    everyone = company.people.count()
    campaigns = Campaign.objects.filter(company=company)
    sizes = {pk: everyone if to_all else 0 for pk, to_all in campaigns.values_list("pk", "to_everyone")}
    groups: dict[int, list[int]] = defaultdict(list)
    in_groups = Campaign.audience_groups.through.objects.filter(
        campaign__company=company, campaign__to_everyone=False
    )
    for campaign, group in in_groups.values_list("campaign_id", "group_id"):
        groups[campaign].append(group)
    named: dict[int, list[UUID]] = defaultdict(list)
    by_name = Campaign.audience_people.through.objects.filter(
        campaign__company=company, campaign__to_everyone=False
    )
    for campaign, person in by_name.values_list("campaign_id", "person_id"):
        named[campaign].append(person)
    left_out: dict[int, list[int]] = defaultdict(list)
    excluded = Campaign.excluded_groups.through.objects.filter(campaign__company=company)
    for campaign, group in excluded.values_list("campaign_id", "group_id"):
        left_out[campaign].append(group)
    if all(len(one) == 1 for one in groups.values()) and not (named or left_out):
        memberships = Person.groups.through.objects.filter(group__company=company)
        of_group = dict(memberships.values_list("group_id").annotate(Count("pk")))
        return sizes | {campaign: of_group.get(one[0], 0) for campaign, one in groups.items()}
    bits = {person: place for place, person in enumerate(company.people.values_list("pk", flat=True))}
    sets = _sets(company, bits)
    to_all = {campaign for campaign, size in sizes.items() if size}
    for campaign in groups.keys() | named.keys() | left_out.keys():
        union = (1 << len(bits)) - 1 if campaign in to_all else _union(sets, groups[campaign])
        without = _union(sets, left_out[campaign])
        places = [bits[person] for person in named[campaign] if person in bits]
        sizes[campaign] = _with(union & ~without, [place for place in places if not without >> place & 1])
    return sizes


def _union(sets: dict[int, int], groups: list[int]) -> int:
    union = 0
    for group in groups:
        union |= sets.get(group, 0)
    return union


def _sets(company: Company, bits: dict[UUID, int]) -> dict[int, int]:
    """Who is in each group."""
    sets: dict[int, bytearray] = defaultdict(lambda: bytearray(len(bits) // 8 + 1))
    rows = Person.groups.through.objects.filter(group__company=company).values_list("group_id", "person_id")
    for group, person in rows.iterator():
        if person in bits:
            sets[group][bits[person] // 8] |= 1 << bits[person] % 8
    return {group: int.from_bytes(members, "little") for group, members in sets.items()}


def _with(union: int, places: list[int]) -> int:
    """How many bits are set in the union and these places."""
    return union.bit_count() + sum(not union >> place & 1 for place in set(places))


def countable_cohorts(campaign: Campaign) -> dict[UUID, int]:
    """How many people each cohort has that the campaign may count, if somebody of it is in the audience today."""
    members = CohortMember.objects.filter(person__company=campaign.company_id).order_by()
    members = members.filter(Q(mixed_at=None) | Q(mixed_at__lte=campaign.starts))
    if campaign.to_everyone:
        return dict(members.values_list("cohort").annotate(Count("pk")))
    # Without looking at anybody else: of the others there may be a hundred thousand.
    named = CohortMember.objects.filter(person__in=_in_groups(campaign).union(_by_name(campaign)))
    concerned = list(named.values_list("cohort", flat=True).distinct())
    sizes: dict[UUID, int] = {}
    for start in range(0, len(concerned), ROWS_AT_ONCE):
        some = members.filter(cohort__in=concerned[start : start + ROWS_AT_ONCE])
        sizes |= dict(some.values_list("cohort").annotate(Count("pk")))
    return sizes


def partly_addressed(campaign: Campaign, cohorts: Collection[UUID]) -> set[UUID]:
    """Those of these cohorts of which somebody is not in the campaign's audience, as the directory is today."""
    # Looked up for each person: some cohorts at a time, the whole audience would be read again and again.
    in_groups, by_name, left_out = (
        Exists(ids.filter(person=OuterRef("person")))
        for ids in (_in_groups(campaign), _by_name(campaign), _left_out(campaign))
    )
    if not campaign.to_everyone:
        others = CohortMember.objects.filter(Q(left_out) | Q(~in_groups, ~by_name), cohort__in=cohorts)
    elif campaign.excluded_groups.exists():
        others = CohortMember.objects.filter(left_out, cohort__in=cohorts)
    else:
        return set()
    return set(others.values_list("cohort", flat=True).distinct())


def sharing(campaign: Campaign, cohorts: Collection[UUID]) -> dict[str, set[str]]:
    """Who of these cohorts can be counted, by signal: under the notice in force when the campaign was published, or a later.

    Whoever agreed to an older one only was asked afresh and did not answer: nothing can come from them. People are texts, as
    `cohorts.people_of` has them.
    """
    given = _of(cohorts).filter(notice_version__gte=campaign.notice_version)
    suppressed = Suppression.objects.filter(
        notice_version__lt=campaign.notice_version, person__cohort_member__cohort__in=cohorts
    )
    found = {signal: set[str]() for signal in SignalName.values}
    for signal, person in given.values_list("signal", as_text("person_id")).iterator():
        found[signal].add(person)
    for signal, person in suppressed.values_list("signal", as_text("person_id")):
        found[signal].discard(person)
    return found


def numbers_sharing(campaign: Campaign, cohorts: Sequence[UUID]) -> Counter[tuple[UUID, str]]:
    """How many people of each of these cohorts share each signal, as in `sharing`, with those who are suppressed."""
    found: Counter[tuple[UUID, str]] = Counter()
    for start in range(0, len(cohorts), ROWS_AT_ONCE):
        given = _of(cohorts[start : start + ROWS_AT_ONCE]).filter(notice_version__gte=campaign.notice_version)
        by_cohort = given.values_list("person__cohort_member__cohort", "signal")
        for cohort, signal, number in by_cohort.annotate(Count("person", distinct=True)):
            found[cohort, signal] = number
    return found


def _of(cohorts: Collection[UUID]) -> QuerySet[Consent]:
    """The standing consents of the people of these cohorts, found without looking at all people of the company."""
    members = CohortMember.objects.filter(cohort__in=cohorts)
    return not_ended(Consent.objects.filter(person__in=members.values("person"))).order_by()


def agreed(cohorts: Collection[UUID]) -> dict[str, dict[UUID, int]]:
    """The newest notice under which each person of these cohorts shares and can be counted, by signal.

    Also of signals that the company does not allow at present, which it may allow again.
    """
    newest = _of(cohorts).values_list("signal", "person_id").annotate(Max("notice_version"))
    found: dict[str, dict[UUID, int]] = {signal: {} for signal in SignalName.values}
    for signal, person, version in newest:
        found[signal][person] = version
    suppressed = Suppression.objects.filter(person__cohort_member__cohort__in=cohorts)
    for signal, person, version in suppressed.values_list("signal", "person_id", "notice_version"):
        if person in found[signal]:
            found[signal][person] = min(found[signal][person], version)
    return found

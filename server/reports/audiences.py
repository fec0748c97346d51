"""Whom a campaign is for, and who of them shares."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, Max

from server.campaigns.models import Campaign
from server.directory.models import Company, Person
from server.reports.models import Suppression
from server.signals.consents import standing
from server.signals.models import SignalName


def audience(campaign: Campaign) -> set[UUID]:
    """The people whom the campaign is for, as the directory is today."""
    if campaign.to_everyone:
        people = Person.objects.filter(company_id=campaign.company_id)
        return set(people.values_list("pk", flat=True))
    in_groups = Person.objects.filter(groups__campaigns=campaign).values_list("pk", flat=True)
    by_name = Person.objects.filter(campaigns=campaign).values_list("pk", flat=True)
    return set(in_groups) | set(by_name)


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
    if all(len(one) == 1 for one in groups.values()) and not named:
        memberships = Person.groups.through.objects.filter(group__company=company)
        of_group = dict(memberships.values_list("group_id").annotate(Count("pk")))
        return sizes | {campaign: of_group.get(one[0], 0) for campaign, one in groups.items()}
    bits = {person: place for place, person in enumerate(company.people.values_list("pk", flat=True))}
    sets = _sets(company, bits)
    for campaign in groups.keys() | named.keys():
        union = 0
        for group in groups[campaign]:
            union |= sets.get(group, 0)
        sizes[campaign] = _with(union, [bits[person] for person in named[campaign] if person in bits])
    return sizes


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


def sharing(campaign: Campaign, cohorts: Collection[UUID]) -> dict[str, set[UUID]]:
    """Who of these cohorts can be counted, by signal: under the notice in force when the campaign was published, or a later.

    Whoever agreed to an older one only was asked afresh and did not answer: nothing can come from them.
    """
    return {
        signal: {person for person, version in versions.items() if version >= campaign.notice_version}
        for signal, versions in agreed(campaign.company_id, cohorts).items()
    }


def agreed(company_id: str, cohorts: Collection[UUID]) -> dict[str, dict[UUID, int]]:
    """The newest notice under which each person of these cohorts shares and can be counted, by signal.

    Also of signals that the company does not allow at present, which it may allow again.
    """
    consents = standing(company_id).filter(person__cohort_member__cohort__in=cohorts)
    newest = consents.order_by().values_list("signal", "person_id").annotate(Max("notice_version"))
    found: dict[str, dict[UUID, int]] = {signal: {} for signal in SignalName.values}
    for signal, person, version in newest:
        found[signal][person] = version
    suppressed = Suppression.objects.filter(person__cohort_member__cohort__in=cohorts)
    for signal, person, version in suppressed.values_list("signal", "person_id", "notice_version"):
        if person in found[signal]:
            found[signal][person] = min(found[signal][person], version)
    return found

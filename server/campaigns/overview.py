"""All campaigns of a company, a page at a time: title, state, and for how many people each is."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from cachetools import LRUCache
from django.db.models import BooleanField, Count, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from server.campaigns.models import Campaign
from server.campaigns.reach import Chosen, Reach, reach
from server.directory.models import Company, Person

MOST_COMPANIES = 20
"""Whose titles are kept in memory."""
NEWEST_FIRST = ("-starts", "-ends", "-status", "-pk")
"""As the index `campaign_times` lies, read from its end: nothing is sorted."""


class State(StrEnum):
    """What a campaign is at a moment."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    OVER = "over"
    RECALLED = "recalled"


@dataclass(frozen=True)
class Line:
    """One campaign. `title` is empty once it is recalled: its texts are gone. `reach`: of the audience, today."""

    campaign_id: str
    title: str
    state: State
    urgency: Campaign.Urgency
    acknowledge: bool
    starts: datetime
    ends: datetime
    everyone: bool
    groups: Sequence[str]
    excluded: Sequence[str]
    named: int
    reach: Reach


def state_of(campaign: Campaign, now: datetime) -> State:
    """The campaign's state."""
    if campaign.status == Campaign.Status.RECALLED:
        return State.RECALLED
    if now < campaign.starts:
        return State.SCHEDULED
    return State.LIVE if now < campaign.ends else State.OVER


def in_state(campaigns: QuerySet[Campaign], state: State, now: datetime) -> QuerySet[Campaign]:
    """Those of the campaigns that are in this state."""
    if state is State.RECALLED:
        return campaigns.filter(status=Campaign.Status.RECALLED)
    found = campaigns.exclude(status=Campaign.Status.RECALLED)
    if state is State.SCHEDULED:
        return found.filter(starts__gt=now)
    return found.filter(starts__lte=now, ends__gt=now) if state is State.LIVE else found.filter(ends__lte=now)


def title_of(content: dict[str, Any], language: str = "") -> str:
    """The title in this language where there is one, else in the campaign's own; empty once it is recalled."""
    variants = content.get("variants", {})
    variant = variants.get(language) or variants.get(content.get("default_language"), {})
    return str(variant.get("title", ""))


def titled(company: Company, words: str) -> list[int]:
    """The numbers of the campaigns with these words in a title, in any language, however they are capitalised."""
    folded = words.casefold()
    return [number for number, text in _titles.of(company).items() if folded in text]


def read_ahead(company: Company) -> None:
    """Have the titles in memory, before anybody searches."""
    _titles.of(company)


class _Titles:
    """The titles of a company's campaigns, in memory: no column has them, and to read all documents takes too long.

    Only documents that were signed since are read again: each has a higher counter than those before it.
    """

    def __init__(self) -> None:
        self._known: LRUCache[str, tuple[int, dict[int, str]]] = LRUCache(MOST_COMPANIES)
        self._lock = threading.Lock()

    def of(self, company: Company) -> dict[int, str]:
        """By the campaigns' numbers, with lower-case letters."""
        with self._lock:
            seen, titles = self._known.get(company.pk, (-1, {}))
            if seen > company.counter:  # a backup was restored
                seen, titles = -1, {}
            fresh = Campaign.objects.filter(company=company, counter__gt=seen)
            for number, counter, content in fresh.values_list("pk", "counter", "content").iterator():
                variants = content.get("variants", {}).values()
                titles[number] = "\n".join(str(variant.get("title", "")) for variant in variants).casefold()
                seen = max(seen, counter)
            self._known[company.pk] = (seen, titles)
            return dict(titles)


_titles = _Titles()


def lines_of(
    company: Company, campaigns: QuerySet[Campaign], now: datetime, language: str = ""
) -> list[Line]:
    """A line for each campaign, in their order. Five queries, however many there are."""
    found = list(campaigns.defer("document", "result", "counted"))
    groups = _groups(found)
    named = _named(found)
    chosen = {campaign.pk: _chosen(campaign, groups) for campaign in found}
    asked = dict.fromkeys(one for each in chosen.values() for one in (each, *each.alone))
    _sizes(company, asked)  # in one query, from which most is known then
    return [
        Line(
            campaign.campaign_id,
            title_of(campaign.content, language),
            state_of(campaign, now),
            Campaign.Urgency(campaign.urgency),
            campaign.acknowledge,
            campaign.starts,
            campaign.ends,
            campaign.to_everyone,
            sorted(name for _number, name, is_left_out in groups[campaign.pk] if not is_left_out),
            sorted(name for _number, name, is_left_out in groups[campaign.pk] if is_left_out),
            named.get(campaign.pk, 0),
            reach(chosen[campaign.pk], named.get(campaign.pk, 0), partial(_sizes, company)),
        )
        for campaign in found
    ]


SIZES: LRUCache[tuple[str, int, Chosen], int] = LRUCache(10_000)
"""By company and revision of its feeds, which is another one as soon as somebody joins or leaves a group."""
_sizes_lock = threading.Lock()


_Groups = dict[int, list[tuple[int, str, bool]]]
"""By campaign: the number and the name of each group, and whether it is left out."""


def _chosen(campaign: Campaign, found: _Groups) -> Chosen:
    groups, excluded = (
        tuple(sorted(number for number, _name, is_left_out in found[campaign.pk] if is_left_out is which))
        for which in (False, True)
    )
    return Chosen(campaign.to_everyone, () if campaign.to_everyone else groups, excluded)


def _groups(campaigns: Sequence[Campaign]) -> _Groups:
    """In one query."""
    named, excluded = (
        through.objects.filter(campaign__in=campaigns).values_list(
            "campaign", "group", "group__name", Value(is_left_out, BooleanField())
        )
        for through, is_left_out in (
            (Campaign.audience_groups.through, False),
            (Campaign.excluded_groups.through, True),
        )
    )
    found: _Groups = {campaign.pk: [] for campaign in campaigns}
    for campaign, number, name, is_left_out in named.union(excluded, all=True):
        found[campaign].append((number, name, bool(is_left_out)))
    return found


def starting_or_ending(company: Company, now: datetime, within: timedelta) -> QuerySet[Campaign]:
    """What begins or ends soon, in the order of that; recalled ones are over."""
    soon = Q(starts__range=(now, now + within)) | Q(ends__range=(now, now + within))
    found = Campaign.objects.filter(soon, company=company).exclude(status=Campaign.Status.RECALLED)
    return found.order_by("starts", "pk")


def began(company: Company, since: datetime, now: datetime) -> QuerySet[Campaign]:
    """What began from then to now, the newest first; without those that were recalled."""
    found = Campaign.objects.filter(company=company, starts__gte=since, starts__lte=now)
    return found.exclude(status=Campaign.Status.RECALLED).order_by("-starts", "-pk")


def _named(campaigns: Sequence[Campaign]) -> dict[int, int]:
    """How many people each campaign names; those that name none are not in it."""
    rows: QuerySet[Any, Any] = Campaign.audience_people.through.objects.filter(campaign__in=campaigns)
    return dict(rows.values("campaign").annotate(size=Count("pk")).values_list("campaign", "size"))


def _sizes(company: Company, chosen: Collection[Chosen]) -> dict[Chosen, int]:
    """How many people each is: what is not known yet in one query."""
    with _sizes_lock:
        known = {one: SIZES.get((company.pk, company.feed_revision, one)) for one in chosen}
    sizes = {one: size for one, size in known.items() if size is not None}
    unknown = [one for one, size in known.items() if size is None]
    if unknown:
        counts = (Coalesce(_count_of(company, one), 0) for one in unknown)
        row = Company.objects.filter(pk=company.pk).values_list(*counts)
        counted = dict(zip(unknown, row.get(), strict=True))
        sizes |= counted
        with _sizes_lock:
            SIZES.update({(company.pk, company.feed_revision, one): size for one, size in counted.items()})
    return sizes


def _count_of(company: Company, chosen: Chosen) -> "Subquery":
    memberships: QuerySet[Any, Any] = Person.groups.through.objects.filter(group__in=chosen.groups)
    if not (chosen.everyone or chosen.excluded):  # over the memberships alone
        counted = memberships.values(all=Value(1)).annotate(size=Count("person", distinct=True))
        return Subquery(counted.values("size"))
    people: QuerySet[Any, Any] = Person.objects.filter(company=company)
    if chosen.excluded:
        left_out = Person.groups.through.objects.filter(group__in=chosen.excluded)
        people = people.exclude(pk__in=left_out.values("person"))
    if not chosen.everyone:
        people = people.filter(pk__in=memberships.values("person"))
    return Subquery(people.values(all=Value(1)).annotate(size=Count("pk")).values("size"))

"""All campaigns of a company, a page at a time: title, state, and for how many people each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from server.campaigns.models import Campaign
from server.directory.models import Company, Person


class State(StrEnum):
    """What a campaign is at a moment."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    OVER = "over"
    RECALLED = "recalled"


@dataclass(frozen=True)
class Line:
    """One campaign. `title` is empty once it is recalled: its texts are gone. `people`: of the audience, today."""

    campaign_id: str
    title: str
    state: State
    urgency: Campaign.Urgency
    acknowledge: bool
    starts: datetime
    ends: datetime
    everyone: bool
    groups: Sequence[str]
    named: int
    people: int


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


def lines_of(
    company: Company, campaigns: QuerySet[Campaign], now: datetime, language: str = ""
) -> list[Line]:
    """A line for each campaign, in their order. Five queries, however many there are."""
    found = list(campaigns.defer("document", "result", "counted").prefetch_related("audience_groups"))
    named = _named(found)
    keys = {campaign.pk: _audience_key(campaign, named) for campaign in found}
    sizes = _sizes(company, list(dict.fromkeys(keys.values())))
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
            sorted(group.name for group in campaign.audience_groups.all()),
            named.get(campaign.pk, 0),
            sizes[keys[campaign.pk]],
        )
        for campaign in found
    ]


@dataclass(frozen=True)
class _Audience:
    """What makes the size of an audience. `named`: the campaign that names people; 0 for none."""

    everyone: bool
    groups: tuple[int, ...]
    named: int


def _audience_key(campaign: Campaign, named: dict[int, int]) -> _Audience:
    if campaign.to_everyone:
        return _Audience(True, (), 0)
    groups = tuple(sorted(group.pk for group in campaign.audience_groups.all()))
    return _Audience(False, groups, campaign.pk if campaign.pk in named else 0)


def _named(campaigns: Sequence[Campaign]) -> dict[int, int]:
    """How many people each campaign names; those that name none are not in it."""
    rows: QuerySet[Any, Any] = Campaign.audience_people.through.objects.filter(campaign__in=campaigns)
    return dict(rows.values("campaign").annotate(size=Count("pk")).values_list("campaign", "size"))


def _sizes(company: Company, audiences: Sequence[_Audience]) -> dict[_Audience, int]:
    """How many people each is for, in one query."""
    if not audiences:
        return {}
    row = Company.objects.filter(pk=company.pk).values_list(
        *(Coalesce(_count_of(company, audience), 0) for audience in audiences)
    )
    return dict(zip(audiences, row.get(), strict=True))


def _count_of(company: Company, audience: _Audience) -> "Subquery":
    memberships: QuerySet[Any, Any] = Person.groups.through.objects.filter(group__in=audience.groups)
    if not (audience.everyone or audience.named):  # over the table of memberships alone
        counted = memberships.values(all=Value(1)).annotate(size=Count("person", distinct=True))
        return Subquery(counted.values("size"))
    people: QuerySet[Any, Any] = Person.objects.filter(company=company)
    if not audience.everyone:
        named = Campaign.audience_people.through.objects.filter(campaign=audience.named)
        people = people.filter(Q(pk__in=memberships.values("person")) | Q(pk__in=named.values("person")))
    return Subquery(people.values(all=Value(1)).annotate(size=Count("pk")).values("size"))

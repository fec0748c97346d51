"""How a campaign was received, of those who share it.

The denominator is the people who share a signal now, not the audience: those who do not share are not counted as
having not seen. A figure with fewer than `MINIMUM` sharing people behind it is not worked out at all.
"""

from dataclasses import dataclass
from uuid import UUID

from server.campaigns.models import Campaign
from server.directory.models import Person
from server.signals.consents import not_withdrawn
from server.signals.keys import person_key
from server.signals.models import CampaignKey, Signal, SignalName

MINIMUM = 5


@dataclass(frozen=True)
class Figure:
    """`people` of `sharing` people did it. Both are None where fewer than `MINIMUM` share."""

    name: str
    sharing: int | None
    people: int | None


@dataclass(frozen=True)
class Report:
    """The figures of one campaign. `assigned` counts people in its audience, whoever they are."""

    campaign_id: str
    title: str
    status: str
    assigned: int
    figures: tuple[Figure, ...]
    links: tuple[Figure, ...]


def audience(campaign: Campaign) -> set[UUID]:
    """The people whom the campaign is for, as the directory is today."""
    if campaign.to_everyone:
        people = Person.objects.filter(company_id=campaign.company_id)
        return set(people.values_list("pk", flat=True))
    in_groups = Person.objects.filter(groups__campaigns=campaign).values_list("pk", flat=True)
    by_name = Person.objects.filter(campaigns=campaign).values_list("pk", flat=True)
    return set(in_groups) | set(by_name)


def report(campaign: Campaign) -> Report:
    """Work out the figures from what is stored now."""
    people = audience(campaign)
    sharing = {signal: _keys_of_sharing(campaign, signal, people) for signal in SignalName.values}
    links = campaign.links.order_by("link_id").values_list("link_id", "label")
    return Report(
        campaign_id=campaign.campaign_id,
        title=_title(campaign),
        status=campaign.status,
        assigned=len(people),
        figures=tuple(
            _figure(signal, sharing[signal], _did(campaign, signal)) for signal in SignalName.values
        ),
        links=tuple(
            _figure(label or link_id, sharing["click"], _clicked(campaign, link_id))
            for link_id, label in links
        ),
    )


def _figure(name: str, sharing: set[str], did: set[str]) -> Figure:
    if len(sharing) < MINIMUM:
        return Figure(name, None, None)
    return Figure(name, len(sharing), len(did & sharing))


def _keys_of_sharing(campaign: Campaign, signal: str, people: set[UUID]) -> set[str]:
    key = CampaignKey.objects.filter(campaign=campaign).values_list("key", flat=True).first()
    if key is None:
        return set()
    consents = not_withdrawn(campaign.company).filter(signal=signal)
    sharing = people & set(consents.values_list("person_id", flat=True))
    return {person_key(key, person) for person in sharing}


def _did(campaign: Campaign, signal: str) -> set[str]:
    rows = Signal.objects.filter(campaign=campaign, signal=signal)
    if signal != SignalName.LIKE:
        return set(rows.values_list("person_key", flat=True))
    latest = dict(rows.order_by("seq").values_list("person_key", "value"))
    return {person for person, value in latest.items() if value == 1}


def _clicked(campaign: Campaign, link_id: str) -> set[str]:
    rows = Signal.objects.filter(campaign=campaign, signal=SignalName.CLICK, link_id=link_id)
    return set(rows.values_list("person_key", flat=True))


def _title(campaign: Campaign) -> str:
    content = campaign.content
    variant = content.get("variants", {}).get(content.get("default_language", ""), {})
    return str(variant.get("title", ""))

"""How much a feed holds, and whether one more campaign fits into the feeds of its audience.

Whatever does not fit into a feed is in nobody's sight, and nobody would be told. So its author is told before it is
published. Emergencies have room of their own, and go before all others where that is used up too.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Length

from server.campaigns.audience import Audience
from server.campaigns.models import Campaign
from server.campaigns.reach import Reach
from server.directory.models import Company, Person
from server.signing.digests import canonical_json

MOST_CAMPAIGNS = 1000
LARGEST_FEED_BYTES = 4 * 1024 * 1024
"""What an agent reads."""
LARGEST_DOCUMENT_BYTES = 256 * 1024
"""Of the company's document, and of a campaign's."""
OWN_BYTES = 4 * 1024
"""At most, of what is the person's own (354 characters of up to 4 bytes), the frame, and a statement that lists nothing."""
LISTED_BYTES = 103
"""At most, of one campaign's line in the statement, as base64, and of what is around its document."""
ENVELOPE_BYTES = 1024
"""At most, of a signed document without its content."""


@dataclass(frozen=True)
class Room:
    """What may be in a feed: documents with `LISTED_BYTES` each, and how many of them."""

    bytes: int
    count: int


FOR_ALL = Room(LARGEST_FEED_BYTES - LARGEST_DOCUMENT_BYTES - OWN_BYTES, MOST_CAMPAIGNS)
FOR_OTHERS = Room(FOR_ALL.bytes - 4 * LARGEST_DOCUMENT_BYTES, FOR_ALL.count - 50)
"""What others than emergencies may take: four of the largest emergencies, or 50 small ones, have room beside them."""


class Entry(NamedTuple):
    """A campaign in feeds: when, and how many bytes of them it takes."""

    starts: datetime
    ends: datetime
    bytes: int


def room_taken(document_bytes: int) -> int:
    """What a campaign takes of a feed, in bytes. Signed documents are ASCII."""
    return document_bytes + LISTED_BYTES


def document_bytes(content: dict[str, Any]) -> int:
    """How long the signed document of this content is at most."""
    return ENVELOPE_BYTES + -(-len(canonical_json(content).encode()) * 4 // 3)


def full_from(campaigns: QuerySet[Campaign], audience: Audience, added: Entry, room: Room) -> datetime | None:
    """When somebody of the audience would first have too much of these campaigns and one more; None if all always fit."""
    overlapping = campaigns.filter(starts__lt=added.ends, ends__gt=added.starts)
    return next(_overflows(overlapping, audience, [added], room), None)


def overfull_from(company: Company, now: datetime) -> datetime | None:
    """When a feed of somebody of the company first holds not all that is due, as people and campaigns are now. None if never.

    What fitted when it was published need not fit for ever: an import brings people into further groups.
    """
    everyone = Audience(company, everyone=True, groups=(), people=(), reach=Reach(0, 0))
    current = Campaign.objects.filter(company=company, ends__gt=now)
    first = min(_overflows(current, everyone, [], room_of(company)), default=None)
    return first and max(first, now)


def room_of(company: Company) -> Room:
    """What may be in a feed of this company."""
    return Room(LARGEST_FEED_BYTES - len(company.document) - OWN_BYTES, MOST_CAMPAIGNS)


def _overflows(
    campaigns: QuerySet[Campaign], audience: Audience, everyones: list[Entry], room: Room
) -> Iterator[datetime]:
    """For each different set of the campaigns that somebody of the audience gets and that is too much: from when it is.

    Whoever a campaign leaves out is counted as if they got it: rather too little room than too much.
    """
    entries: dict[int, Entry] = {}
    rows = campaigns.values_list("pk", "starts", "ends", Length("document"), "to_everyone")
    for key, starts, ends, length, to_everyone in rows.iterator():
        entry = Entry(starts, ends, room_taken(length))
        if to_everyone:
            everyones.append(entry)
        else:
            entries[key] = entry
    if _first_overflow([*everyones, *entries.values()], room) is None:
        return  # not even somebody who gets everything has too much
    for keys in _combinations(audience, campaigns.filter(to_everyone=False)):
        moment = _first_overflow([*everyones, *(entries[key] for key in keys)], room)
        if moment is not None:
            yield moment


def _first_overflow(entries: Sequence[Entry], room: Room) -> datetime | None:
    if len(entries) <= room.count and sum(entry.bytes for entry in entries) <= room.bytes:
        return None  # not even if all were at one time
    changes = sorted(
        (moment, sign * entry.bytes, sign)
        for entry in entries
        for moment, sign in ((entry.starts, 1), (entry.ends, -1))
    )
    held, count = 0, 0
    for moment, change, sign in changes:  # at one moment those that end come first
        held, count = held + change, count + sign
        if held > room.bytes or count > room.count:
            return moment
    return None


def _combinations(audience: Audience, campaigns: QuerySet[Campaign]) -> Iterator[set[int]]:
    """The different sets of these campaigns that people of the audience get, each once; first that of who gets none."""
    of_groups = _by(
        Campaign.audience_groups.through.objects.values_list("group_id", "campaign_id"), campaigns
    )
    of_people = _by(
        Campaign.audience_people.through.objects.values_list("person_id", "campaign_id"), campaigns
    )
    yield set()
    known: set[tuple[frozenset[int], UUID | None]] = set()
    for person, groups in _people(audience, of_groups, of_people):
        combination = frozenset(groups & of_groups.keys()), person if person in of_people else None
        if combination not in known:
            known.add(combination)
            yield set().union(*(of_groups[group] for group in combination[0]), of_people.get(person, ()))


def _by(addressed: QuerySet[Any, Any], campaigns: QuerySet[Campaign]) -> dict[Any, set[int]]:
    """The campaigns of each group or person."""
    found: dict[Any, set[int]] = defaultdict(set)
    for key, campaign in addressed.filter(campaign__in=campaigns.values("pk")).iterator():
        found[key].add(campaign)
    return dict(found)


def _people(
    audience: Audience, of_groups: dict[int, set[int]], of_people: dict[UUID, set[int]]
) -> Iterator[tuple[UUID, set[int]]]:
    """People of the audience with their groups. Who has none is named without."""
    named = {group.pk for group in audience.groups}
    listed = {person.pk for person in audience.people}
    memberships = Person.groups.through.objects.filter(group__company=audience.company)
    rows = memberships.order_by("person_id").values_list("person_id", "group_id")
    for person, own in groupby(rows.iterator(), itemgetter(0)):
        groups = {group for _person, group in own}
        if audience.everyone or person in listed or groups & named:
            yield person, groups
    for person in of_people:
        if audience.everyone or person in listed:
            yield person, set()

"""What is assigned to a person now, and the tag by which an unchanged feed is recognised without building it.

Feeds change in two ways. A write (publish, recall, import, another notice) draws a new `Company.feed_revision` in
its own transaction. And time passes: campaigns start and end with no write at all. Between two such moments a person's
feed stays as it is, so the tag is made of the revision, the number of starts and ends that have passed, and the person,
with what the feed says of them: a correction of theirs arrives with their next poll, and troubles nobody else's.

Agents that ask for it get a signed statement of what the feed holds, which lives for a short time (ADR 17). Their tag
changes every `STATED_ANEW` too, at a moment of the person's own, so that an unchanged feed is stated anew long before.
"""

import hashlib
import json
import logging
import threading
from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cachetools import LRUCache, cached
from django.db.models import Case, IntegerField, Q, QuerySet, When
from django.db.models import Value as Constant

from server.campaigns.feed_room import LARGEST_FEED_BYTES, MOST_CAMPAIGNS, OWN_BYTES, room_of, room_taken
from server.campaigns.models import Campaign
from server.core.sparing_log import SparingLog
from server.devices.auth import Caller
from server.devices.tokens import feed_subject
from server.directory.models import Company
from server.feed.trials import documents
from server.signing.checking import own_signer
from server.signing.documents import counter_of, sign_feed

EMERGENCIES_FIRST = Case(
    When(urgency=Campaign.Urgency.EMERGENCY, then=Constant(0)),
    default=Constant(1),
    output_field=IntegerField(),
)
"""Whatever else is published: where a feed is full, none of them makes way."""
STATED_ANEW = timedelta(hours=12)
REMEMBERED_SCHEDULES = 200
REMEMBERED_BODY_BYTES = 64 * 1024 * 1024

_log = SparingLog(logging.getLogger(__name__))


@dataclass(frozen=True)
class Shared:
    """What people with the same campaigns have in common: the feed without the person, and what it holds."""

    body: bytes
    listed: dict[str, Any]


def entity_tag(caller: Caller, now: datetime, *, stated: bool = False, trial: str = "") -> str:
    """The `ETag` of the caller's feed (RFC 9110, section 8.8.3). Queries once for each revision, not for each poll.

    `stated`: of the feed with a statement. `trial`: the id of the test in it, if there is one. A digest, as computers keep
    it: it names nobody, and cannot be guessed without the person's random id.
    """
    schedule = _starts_and_ends(caller.company_id, caller.feed_revision)
    period = _period(caller.person_id, now) if stated else None
    version = caller.feed_revision, bisect_right(schedule, now), period, trial
    person = caller.person_id.hex, caller.email, caller.first_name
    return f'"{hashlib.blake2b(repr((version, person)).encode(), digest_size=16).hexdigest()}"'


def _period(person_id: UUID, now: datetime) -> int:
    """How many times the person's statements came of age. Each person has moments of their own."""
    length = int(STATED_ANEW.total_seconds())
    return (int(now.timestamp()) + person_id.int % length) // length


@cached(LRUCache[Hashable, list[datetime]](REMEMBERED_SCHEDULES), lock=threading.Lock())
def _starts_and_ends(company_id: str, _revision: int) -> list[datetime]:
    spans = Campaign.objects.filter(company_id=company_id).values_list("starts", "ends")
    return sorted(moment for span in spans for moment in span)


def assigned(caller: Caller, now: datetime) -> QuerySet[Campaign]:
    """The campaigns whose audience holds the person, that have started and not ended."""
    current = Campaign.objects.filter(company_id=caller.company_id, starts__lte=now, ends__gt=now)
    return for_person(current, caller.person_id)


def for_person(campaigns: QuerySet[Campaign], person_id: UUID) -> QuerySet[Campaign]:
    """Those of the campaigns whose audience holds the person."""
    groups = Campaign.audience_groups.through.objects.filter(group__people=person_id)
    people = Campaign.audience_people.through.objects.filter(person=person_id)
    left_out = Campaign.excluded_groups.through.objects.filter(group__people=person_id)
    return campaigns.filter(
        Q(to_everyone=True) | Q(pk__in=groups.values("campaign")) | Q(pk__in=people.values("campaign")),
        ~Q(pk__in=left_out.values("campaign")),
    )


def feed(caller: Caller, now: datetime, *, stated: bool = False, trial: str = "") -> bytes:
    """The body of the caller's feed. What is no person's own is built once for all people with the same campaigns.

    `stated`: with a statement. `trial`: with this test, where there is room.

    Raises `EnvironmentFault` when the key for it cannot be used.
    """
    ids = tuple(
        assigned(caller, now)
        .order_by(EMERGENCIES_FIRST, "-starts", "pk")
        .values_list("pk", flat=True)[:MOST_CAMPAIGNS]
    )
    shared = _build(caller, ids)
    own: dict[str, Any] = {"person": {"email": caller.email, "first_name": caller.first_name}}
    if stated:
        own["statement"] = sign_feed(
            own_signer(caller.company_id, "receipt"),
            caller.company_id,
            feed_subject(caller.token_hash),
            shared.listed,
        )
    if trial:
        own["trials"] = documents(caller.person_id, trial, LARGEST_FEED_BYTES - OWN_BYTES - len(shared.body))
    text = json.dumps(own, ensure_ascii=False, separators=(",", ":"))
    return text.encode()[:-1] + b"," + shared.body[1:]


@cached(
    LRUCache[Hashable, Shared](REMEMBERED_BODY_BYTES, lambda shared: len(shared.body)),
    key=lambda caller, ids: (caller.company_id, caller.feed_revision, ids),
    lock=threading.Lock(),
)
def _build(caller: Caller, ids: tuple[int, ...]) -> Shared:
    own_signer(
        caller.company_id, "receipt"
    )  # without its keys a company may be older than what it said since
    company = Company.objects.get(pk=caller.company_id)
    found = Campaign.objects.in_bulk(ids)
    newest_first = [found[key] for key in ids if key in found]
    campaigns = _that_fit(newest_first, room_of(company).bytes)
    if len(campaigns) < len(newest_first):
        _log.warning(
            company.pk,
            f"Feeds of {company.pk} are full: {len(newest_first) - len(campaigns)} campaigns are in some of them no more."
            " Recall what is no longer needed.",
        )
    body = {
        "v": 1,
        "company": company.document,
        "campaigns": [campaign.document for campaign in campaigns],
        "poll_interval_s": company.poll_interval_s,
    }
    listed = {
        "company": counter_of(company.document),
        "campaigns": {campaign.campaign_id: campaign.counter for campaign in campaigns},
    }
    return Shared(json.dumps(body, separators=(",", ":")).encode(), listed)


def _that_fit(campaigns: list[Campaign], most_bytes: int) -> list[Campaign]:
    """The first campaigns, as many as the largest feed may hold with a line for each in its statement."""
    fitting, total = [], 0
    for campaign in campaigns:
        total += room_taken(len(campaign.document))
        if total > most_bytes:
            break
        fitting.append(campaign)
    return fitting

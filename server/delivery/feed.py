"""What is assigned to a person now, and the tag by which an unchanged feed is recognised without building it.

Feeds change in two ways. A write (publish, recall, import, another notice) draws a new `Company.feed_revision` in
its own transaction. And time passes: campaigns start and end with no write at all. Between two such moments a person's
feed stays as it is, so the tag is made of the revision, the number of starts and ends that have passed, and the person,
with what the feed says of them: a correction of theirs arrives with their next poll, and troubles nobody else's.
"""

import json
import threading
import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet

from server.campaigns.models import Campaign
from server.delivery.callers import Caller
from server.directory.models import Company

MOST_CAMPAIGNS = 1000
LARGEST_FEED_BYTES = 4 * 1024 * 1024
REMEMBERED_SCHEDULES = 200
REMEMBERED_BODY_BYTES = 64 * 1024 * 1024

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """A cache that forgets what was used least recently. Keys name a state, so values never go stale.

    It holds `most` by the `weight` of its values, which is 1 each unless told otherwise.
    """

    def __init__(self, most: int, weight: Callable[[Value], int] = lambda _value: 1) -> None:
        self._most = most
        self._weight = weight
        self._held = 0
        self._values: OrderedDict[object, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object, make: Callable[[], Value]) -> Value:
        """The value of `key`, made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._held += self._weight(value)
            while self._held > self._most and self._values:
                self._held -= self._weight(self._values.popitem(last=False)[1])
        return value


_schedules: Remembered[list[datetime]] = Remembered(REMEMBERED_SCHEDULES)
_bodies: Remembered[bytes] = Remembered(REMEMBERED_BODY_BYTES, len)


def entity_tag(caller: Caller, now: datetime) -> str:
    """The `ETag` of the caller's feed (RFC 9110, section 8.8.3). Queries once for each revision, not for each poll."""
    schedule = _schedules.get(
        (caller.company_id, caller.feed_revision), lambda: _starts_and_ends(caller.company_id)
    )
    named = zlib.crc32(f"{caller.email}\n{caller.first_name}".encode())
    return f'"{caller.feed_revision:x}-{bisect_right(schedule, now):x}-{caller.person_id.hex}-{named:x}"'


def _starts_and_ends(company_id: str) -> list[datetime]:
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
    return campaigns.filter(
        Q(to_everyone=True) | Q(pk__in=groups.values("campaign")) | Q(pk__in=people.values("campaign"))
    )


def feed(caller: Caller, now: datetime) -> bytes:
    """The body of the caller's feed. All but the person is built once for all people with the same campaigns."""
    ids = tuple(assigned(caller, now).order_by("-starts", "pk").values_list("pk", flat=True)[:MOST_CAMPAIGNS])
    shared = _bodies.get((caller.company_id, caller.feed_revision, ids), lambda: _build(caller, ids))
    person = json.dumps({"email": caller.email, "first_name": caller.first_name}, separators=(",", ":"))
    return b'{"person":%s,%s' % (person.encode(), shared[1:])


def _build(caller: Caller, ids: tuple[int, ...]) -> bytes:
    company = Company.objects.get(pk=caller.company_id)
    documents = Campaign.objects.in_bulk(ids)
    newest_first = [documents[key].document for key in ids if key in documents]
    body = {
        "v": 1,
        "company": company.document,
        "campaigns": _that_fit(newest_first, LARGEST_FEED_BYTES - len(company.document) - 1024),
        "poll_interval_s": company.poll_interval_s,
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _that_fit(documents: list[str], most_bytes: int) -> list[str]:
    """The first documents, as many as the largest feed may hold."""
    fitting, total = [], 0
    for document in documents:
        total += len(document) + 3
        if total > most_bytes:
            break
        fitting.append(document)
    return fitting

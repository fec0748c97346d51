"""Store a batch of events: each item answered by itself, each effect once, nothing without consent."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from django.db import transaction

from server.campaigns.countable import VIDEO
from server.campaigns.models import Campaign, Link, Media
from server.core import clock
from server.devices.auth import Caller
from server.directory.models import Company
from server.feed.feed import for_person
from server.signals.keys import held_keys, person_key
from server.signals.models import Signal, SignalName
from server.signals.queries import in_force, lock_person

Status = Literal["stored", "duplicate", "dropped_consent", "refused"]


@dataclass(frozen=True)
class Event:
    """One event of a batch. `link_id` is a click's; `value` and `seq` are a like's."""

    signal: str
    event_id: UUID
    campaign_id: str
    date: date
    receipt_id: UUID
    link_id: str = ""
    value: int | None = None
    seq: int | None = None


@dataclass(frozen=True)
class Result:
    """What became of an event. All four are final."""

    event_id: UUID
    status: Status
    reason: str = ""


@dataclass(frozen=True)
class _Target:
    """A campaign that the batch names and that was sent to the person."""

    pk: int
    first_day: date
    last_day: date
    person_key: str
    links: frozenset[str]

    def objection(self, event: Event) -> str:
        """Why the event can never be stored, or nothing."""
        if self.first_day > _tomorrow():
            return "The campaign has not begun."
        if not self.first_day <= event.date <= self.last_day:
            return "The date is not within the campaign's time."
        if event.signal == "click" and event.link_id not in self.links:
            return "The campaign has no such link."
        return ""

    def day_of(self, event: Event) -> date:
        """When it happened: a clock that is days ahead does not put it into the future, nor is it lost for that."""
        if event.date <= _tomorrow():
            return event.date
        return max(self.first_day, _today())


def _today() -> date:
    return clock.now().date()


def _tomorrow() -> date:
    """Where it is tomorrow already, or a clock is hours ahead."""
    return _today() + timedelta(days=1)


def record(caller: Caller, events: list[Event]) -> list[Result]:
    """Store what may be stored, in one transaction. Answers in the order of the events.

    Raises `Problem` (401) when the person is gone.
    """
    addressed = _addressed(caller, events)
    links = _links([campaign.pk for campaign in addressed if any(event.link_id for event in events)])
    with transaction.atomic():
        lock_person(caller.person_id)
        return _record(caller, events, _targets(caller, addressed, links))


def _record(caller: Caller, events: list[Event], targets: dict[str, _Target]) -> list[Result]:
    allowed = _allowed(caller, events)
    held = _Held(targets)
    results = []
    for event in events:
        target = targets.get(event.campaign_id)
        results.append(_judge(event, target, (event.receipt_id, event.signal) in allowed, held))
    held.save()
    return results


def _judge(event: Event, target: _Target | None, allowed: bool, held: "_Held") -> Result:
    if not allowed:
        return Result(event.event_id, "dropped_consent")
    if target is None:
        return Result(event.event_id, "refused", "There is no such campaign for this person.")
    if objection := target.objection(event):
        return Result(event.event_id, "refused", objection)
    row = Signal(
        campaign_id=target.pk,
        event_id=event.event_id,
        person_key=target.person_key,
        signal=event.signal,
        date=target.day_of(event),
        link_id=event.link_id,
        value=event.value,
        seq=event.seq,
    )
    return Result(event.event_id, "stored" if held.add(row) else "duplicate")


def _place(row: Signal) -> tuple[object, ...]:
    """Of a person there is one row in each place: more would say nothing, and could fill the database."""
    if row.signal == SignalName.CLICK:
        return row.campaign_id, row.signal, row.link_id, row.date
    return row.campaign_id, row.signal


def _is_better(row: Signal, held: Signal) -> bool:
    """Whether a row takes the place of the one that is held: the like with the highest number, else the earlier day."""
    if row.signal == SignalName.LIKE:
        return (row.seq or 0) > (held.seq or 0)
    return row.date < held.date


class _Held:
    """What is held of one person in the campaigns of a batch, under their lock, and what the batch adds."""

    def __init__(self, targets: dict[str, _Target]) -> None:
        self._rows: dict[tuple[object, ...], Signal] = {}
        self._new: dict[tuple[object, ...], Signal] = {}
        self._replaced: dict[tuple[object, ...], int] = {}
        rows = Signal.objects.filter(
            campaign__in=[target.pk for target in targets.values()],
            person_key__in=[target.person_key for target in targets.values()],
        )
        self._events = set()
        for row in rows:
            self._events.add((row.campaign_id, row.event_id))
            if (place := _place(row)) not in self._rows or _is_better(row, self._rows[place]):
                self._rows[place] = row

    def add(self, row: Signal) -> bool:
        """Take a row in. False when it is there already, or a better one is in its place."""
        place, event = _place(row), (row.campaign_id, row.event_id)
        held = self._rows.get(place)
        if event in self._events or (held is not None and not _is_better(row, held)):
            return False
        if held is not None and held.pk:
            self._replaced[place] = held.pk
        self._events.add(event)
        self._rows[place] = self._new[place] = row
        return True

    def save(self) -> None:
        """Store what was added, and delete what it replaces."""
        # Another person's event of the same id would be a forged one: the first stays, and no error tells.
        Signal.objects.bulk_create(self._new.values(), ignore_conflicts=True)
        if self._replaced:
            keys = {row.person_key for row in self._new.values()}
            there = set(Signal.objects.filter(person_key__in=keys).values_list("campaign_id", "event_id"))
            gone = [
                pk
                for place, pk in self._replaced.items()
                if (self._new[place].campaign_id, self._new[place].event_id) in there
            ]
            Signal.objects.filter(pk__in=gone).delete()


def _allowed(caller: Caller, events: list[Event]) -> set[tuple[UUID, str]]:
    company = Company.objects.only("signals").get(pk=caller.company_id)
    receipts = in_force(company).filter(
        person_id=caller.person_id, receipt_id__in={event.receipt_id for event in events}
    )
    return set(receipts.values_list("receipt_id", "signal"))


def _addressed(caller: Caller, events: list[Event]) -> list[Campaign]:
    """The campaigns that the batch names and whose audience holds the person."""
    named = Campaign.objects.filter(
        company_id=caller.company_id, campaign_id__in={event.campaign_id for event in events}
    )
    return list(for_person(named, caller.person_id).only("pk", "campaign_id", "starts", "ends"))


def _targets(
    caller: Caller, campaigns: list[Campaign], links: dict[int, frozenset[str]]
) -> dict[str, _Target]:
    # Read under the lock: a campaign without a key is closed, and nothing more can be counted in it.
    keys = held_keys([campaign.pk for campaign in campaigns])
    return {
        campaign.campaign_id: _Target(
            campaign.pk,
            campaign.starts.date(),
            campaign.ends.date(),
            person_key(keys[campaign.pk], caller.person_id),
            links.get(campaign.pk, frozenset()),
        )
        for campaign in campaigns
        if campaign.pk in keys
    }


def _links(campaigns: list[int]) -> dict[int, frozenset[str]]:
    links: dict[int, set[str]] = {pk: set() for pk in campaigns}
    for pk, link_id in Link.objects.filter(campaign__in=campaigns).values_list("campaign_id", "link_id"):
        links[pk].add(link_id)
    videos = Campaign.media.through.objects.filter(campaign__in=campaigns, media__type=Media.Type.MP4)
    for pk in videos.values_list("campaign_id", flat=True):
        links[pk].add(VIDEO)
    return {pk: frozenset(names) for pk, names in links.items()}

"""What the people of each block have done: all that figures are made of.

Counted from the rows for a snapshot, and kept with the block (`Block.counts`) until the next one. A block that somebody left
is no longer there, and what was counted of it neither.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from django.db.models import Case, CharField, Count, F, Max, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Concat

from server.campaigns.models import Campaign
from server.database.lookups import Joined, as_text
from server.reports.models import Block
from server.signals.models import Signal, SignalName
from server.signing.digests import canonical_json

ROWS_AT_ONCE = 5000
DATE = len("2026-01-31")


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of the people of one block, and of others that are alike.

    `days`: who did it first on that UTC date; `links`: who clicked it.
    """

    size: int
    days: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)

    @cached_property
    def did(self) -> int:
        """How many did it on any day."""
        return self.days.total()

    @cached_property
    def text(self) -> str:
        """For `Block.counts`."""
        return canonical_json({"size": self.size, "days": self.days, "links": self.links})


@dataclass(frozen=True)
class Tally:
    """Of `blocks` that are alike."""

    signal: str
    groups: frozenset[str]
    counts: Counts
    blocks: int = 1


@dataclass
class Sums:
    """Of all blocks of a campaign: what a page shows, and few numbers however many blocks there are.

    `people`: by signal and group, or the empty name for all, how many people are counted and how many of them did it.
    """

    people: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)
    days: dict[str, Counter[str]] = field(default_factory=dict)
    links: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, tallies: Iterable[Tally], minimum: int) -> "Sums":
        """Of these blocks. One of fewer than `minimum` was not drawn here, but came with an edited row."""
        people: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        alike: Counter[tuple[str, Counts]] = Counter()
        for one in tallies:
            counts = one.counts
            if counts.size < minimum:
                continue
            alike[one.signal, counts] += one.blocks
            sharing, did = one.blocks * counts.size, one.blocks * counts.did
            of_signal = people[one.signal]
            for group in ("", *one.groups):
                sums = of_signal[group]
                sums[0] += sharing
                sums[1] += did
        days: dict[str, Counter[str]] = defaultdict(Counter)
        links: Counter[str] = Counter()
        for (signal, counts), blocks in alike.items():
            _add(days[signal], counts.days, blocks)
            _add(links, counts.links, blocks)
        pairs = {
            signal: {group: (sharing, did) for group, (sharing, did) in groups.items()}
            for signal, groups in people.items()
        }
        return cls(pairs, dict(days), links)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Sums":
        """Of `Snapshot.sums`."""
        people = {
            signal: {group: (sharing, did) for group, (sharing, did) in groups.items()}
            for signal, groups in stored["people"].items()
        }
        days = {signal: Counter(days) for signal, days in stored["days"].items()}
        return cls(people, days, Counter(stored["links"]))

    def as_json(self) -> dict[str, Any]:
        """For `Snapshot.sums`."""
        days = {signal: dict(days) for signal, days in self.days.items()}
        return {"people": self.people, "days": days, "links": dict(self.links)}

    def of_group(self, signal: str, group: str = "") -> tuple[int, int]:
        """How many of a group, or of all, are counted, and how many of them did it."""
        return self.people.get(signal, {}).get(group, (0, 0))


def _add(sums: Counter[str], counts: Mapping[str, int], times: int) -> None:
    for name, count in counts.items():
        sums[name] += times * count


def kept(campaign: Campaign) -> Sums:
    """As the newest snapshot has it, of the blocks that are still whole. The database adds up those that are alike."""
    blocks = _live(campaign).filter(counts__isnull=False)
    alike = blocks.values_list("signal", as_text("groups"), as_text("counts"), Count("pk")).order_by()
    known: dict[str, frozenset[str]] = {}
    tallies = (
        Tally(signal, _groups(known, groups), _from_json(counts), number)
        for signal, groups, counts, number in alike.iterator(ROWS_AT_ONCE)
    )
    return Sums.of(tallies, campaign.smallest_group)


def now(campaign: Campaign) -> Sums:
    """As it is at this moment, whether a snapshot was made or not."""
    return Sums.of((tally for _pk, tally in counted(campaign)), campaign.smallest_group)


def _groups(known: dict[str, frozenset[str]], text: str) -> frozenset[str]:
    """Many blocks have the same groups."""
    if text not in known:
        known[text] = frozenset(json.loads(text))
    return known[text]


@lru_cache(maxsize=10_000)
def _from_json(text: str) -> Counts:
    counts = json.loads(text)
    return Counts(counts["size"], Counter(counts["days"]), Counter(counts["links"]))


def _live(campaign: Campaign) -> QuerySet[Block]:
    return Block.objects.filter(campaign=campaign, live=True)


def counted(campaign: Campaign) -> Iterator[tuple[int, Tally]]:
    """What the people of each live block have done until now.

    The database joins signals to blocks, a block at a time: of a million signals, few are in memory at once.
    """
    names: dict[str, str] = campaign.counted
    known: dict[str, frozenset[str]] = {}
    for signal in SignalName.values:
        done = Joined(Subquery(ACTS[signal](campaign)), ",")
        blocks = _live(campaign).filter(signal=signal).values("pk").order_by("pk")
        named = blocks.annotate(people=Count("members"), named=Max(as_text("groups")), done=done)
        rows = named.values_list("pk", "people", "named", "done")
        for pk, people, groups, text in rows.iterator(ROWS_AT_ONCE):
            acts = sorted(text.split(",")) if text else []
            is_click = signal == SignalName.CLICK
            counts = _of_clicks(people, acts, names) if is_click else _same(people, tuple(acts), ())
            yield pk, Tally(signal, _groups(known, groups), counts)


def _of_clicks(people: int, acts: Iterable[str], names: Mapping[str, str]) -> Counts:
    """`acts`: of each person who clicked, the clicks, each a date and an id."""
    days: list[str] = []
    links: list[str] = []
    for act in acts:
        clicks = act.split(" ")
        days.append(min(clicks)[:DATE])
        links += {names[click[DATE:]] for click in clicks if click[DATE:] in names}
    return _same(people, tuple(sorted(days)), tuple(sorted(links)))


@lru_cache(maxsize=10_000)
def _same(people: int, days: tuple[str, ...], links: tuple[str, ...]) -> Counts:
    """Most blocks have done what another one has done, too."""
    return Counts(people, Counter(days), Counter(links))


def _of_member(signal: str) -> QuerySet[Signal]:
    """What a member of a block did. A person has another key in each campaign, which need not be named therefore."""
    return Signal.objects.filter(person_key=OuterRef("members__person_key"), signal=signal)


def _seen(_campaign: Campaign) -> QuerySet[Signal, Any]:
    """The date on which a person saw it first."""
    return _of_member(SignalName.SEEN).order_by("date").values(day=as_text("date"))[:1]


def _liked(_campaign: Campaign) -> QuerySet[Signal, Any]:
    """The date of a person's latest word, if it is that they like it."""
    latest = _of_member(SignalName.LIKE).order_by(F("seq").desc(nulls_last=True), "-value", "-date")
    return latest.values(day=Case(When(value=1, then=as_text("date"))))[:1]


def _clicked(campaign: Campaign) -> QuerySet[Signal, Any]:
    """A person's clicks that count: a date and an id each."""
    clicks = _counting(_of_member(SignalName.CLICK), campaign)
    one = Concat(as_text("date"), "link_id", output_field=CharField())
    return clicks.order_by().values("person_key").annotate(clicks=Joined(one, " ")).values("clicks")


def _counting(clicks: QuerySet[Signal], campaign: Campaign) -> QuerySet[Signal]:
    return clicks.filter(link_id__in=sorted(campaign.counted))


ACTS: dict[str, Callable[[Campaign], QuerySet[Signal, Any]]] = {
    SignalName.SEEN: _seen,
    SignalName.CLICK: _clicked,
    SignalName.LIKE: _liked,
}

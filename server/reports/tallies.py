"""What the people of each block have done: all that figures are made of.

Counted from the rows for a snapshot, and kept with the block (`Block.counts`) until the next one. A block that somebody left
is no longer there, and what was counted of it neither.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from server.campaigns.models import Campaign
from server.database.lookups import as_text
from server.reports.models import Block, BlockMember
from server.signals.models import Signal, SignalName

ROWS_AT_ONCE = 5000


@dataclass
class Tally:
    """Of one block, or of `blocks` that are alike. `days`: who did it first on that UTC date; `links`: who clicked it."""

    signal: str
    groups: frozenset[str]
    size: int = 0
    days: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)
    blocks: int = 1

    def as_json(self) -> dict[str, Any]:
        """For `Block.counts`."""
        return {"size": self.size, "days": dict(self.days), "links": dict(self.links)}


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
        days: dict[str, Counter[str]] = defaultdict(Counter)
        links: Counter[str] = Counter()
        for one in tallies:
            if one.size < minimum:
                continue
            sharing, did = one.blocks * one.size, one.blocks * one.days.total()
            for group in ("", *one.groups):
                sums = people[one.signal][group]
                sums[0] += sharing
                sums[1] += did
            _add(days[one.signal], one.days, one.blocks)
            _add(links, one.links, one.blocks)
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
    blocks = Block.objects.filter(campaign=campaign, live=True, counts__isnull=False)
    alike = blocks.values_list("signal", as_text("groups"), as_text("counts"), Count("pk")).order_by()
    known: dict[str, frozenset[str]] = {}
    tallies = (
        _from_json(signal, _groups(known, groups), json.loads(counts), number)
        for signal, groups, counts, number in alike.iterator(ROWS_AT_ONCE)
    )
    return Sums.of(tallies, campaign.smallest_group)


def _groups(known: dict[str, frozenset[str]], text: str) -> frozenset[str]:
    """Many blocks have the same groups."""
    if text not in known:
        known[text] = frozenset(json.loads(text))
    return known[text]


def _from_json(signal: str, groups: frozenset[str], counts: dict[str, Any], blocks: int) -> Tally:
    days, links = Counter(counts["days"]), Counter(counts["links"])
    return Tally(signal, groups, counts["size"], days, links, blocks)


def counted(campaign: Campaign) -> dict[int, Tally]:
    """As it is now, by live block."""
    blocks = Block.objects.filter(campaign=campaign, live=True)
    known: dict[str, frozenset[str]] = {}
    tallies = {
        pk: Tally(signal, _groups(known, groups))
        for pk, signal, groups in blocks.values_list("pk", "signal", as_text("groups")).iterator(ROWS_AT_ONCE)
    }
    names = sorted(set(campaign.counted.values()))
    for signal in SignalName.values:
        block_of = _members(campaign, signal)
        for block in block_of.values():
            tallies[block].size += 1
        if signal != SignalName.CLICK:
            _count_days(tallies, block_of, _days(campaign, signal))
            continue
        first, clicked = _clicks(campaign, block_of)
        _count_days(tallies, block_of, first)
        for key, figures in clicked.items():
            links = tallies[block_of[key]].links
            for name in _named(figures, names):
                links[name] += 1
    return tallies


def _count_days(tallies: Mapping[int, Tally], block_of: Mapping[str, int], first: Mapping[str, str]) -> None:
    for key, day in first.items():
        if key in block_of:
            tallies[block_of[key]].days[day] += 1


def _members(campaign: Campaign, signal: str) -> dict[str, int]:
    rows = BlockMember.objects.filter(block__campaign=campaign, block__signal=signal, block__live=True)
    return dict(rows.values_list("person_key", "block_id").iterator(ROWS_AT_ONCE))


def _days(campaign: Campaign, signal: str) -> dict[str, str]:
    """On which date each person did it first: saw it, likes it by their latest word."""
    if signal == SignalName.LIKE:
        latest: dict[str, tuple[int, int, str]] = {}
        for key, seq, value, day in _rows(campaign, signal, "seq", "value"):
            one = (seq, value, day)
            if key not in latest or one > latest[key]:
                latest[key] = one
        return {key: day for key, (_seq, value, day) in latest.items() if value == 1}
    first: dict[str, str] = {}
    for key, day in _rows(campaign, signal):
        if key not in first or day < first[key]:
            first[key] = day
    return first


def _clicks(campaign: Campaign, block_of: Mapping[str, int]) -> tuple[dict[str, str], dict[str, int]]:
    """Of these people, on which date each first clicked something that is counted, and which figures about links they are
    in: a bit for each, in the order of their names."""
    names = sorted(set(campaign.counted.values()))
    bits = {link_id: 1 << names.index(name) for link_id, name in campaign.counted.items()}
    first: dict[str, str] = {}
    figures: dict[str, int] = {}
    for key, link_id, day in _rows(campaign, SignalName.CLICK, "link_id"):
        if key not in block_of or link_id not in bits:
            continue
        if key not in first or day < first[key]:
            first[key] = day
        figures[key] = figures.get(key, 0) | bits[link_id]
    return first, figures


def _named(figures: int, names: list[str]) -> Iterator[str]:
    return (name for place, name in enumerate(names) if figures >> place & 1)


def _rows(campaign: Campaign, signal: str, *names: str) -> Iterator[tuple[Any, ...]]:
    """The campaign's signals: the key, what is named, and the date as text, which no driver has to read."""
    rows = Signal.objects.filter(campaign=campaign, signal=signal).annotate(day=as_text("date"))
    return iter(rows.values_list("person_key", *names, "day").iterator(ROWS_AT_ONCE))

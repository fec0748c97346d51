"""What the people of each block have done: all that figures are made of.

Counted from the rows for a snapshot, and kept with the block (`Block.counts`) until the next one. A block that somebody left
is no longer there, and what was counted of it neither.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Count
from django.db.models.functions import Cast

from server.campaigns.models import Campaign
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


def kept(campaign: Campaign) -> list[Tally]:
    """As the newest snapshot has it, of the blocks that are still whole. The database adds up those that are alike."""
    blocks = Block.objects.filter(campaign=campaign, live=True, counts__isnull=False)
    alike = blocks.values("signal", "groups", "counts").annotate(blocks=Count("pk")).order_by()
    return [_from_json(row["signal"], row["groups"], row["counts"] or {}, row["blocks"]) for row in alike]


def _from_json(signal: str, groups: list[str], counts: dict[str, Any], blocks: int) -> Tally:
    days, links = Counter(counts["days"]), Counter(counts["links"])
    return Tally(signal, frozenset(groups), counts["size"], days, links, blocks)


def counted(campaign: Campaign) -> dict[int, Tally]:
    """As it is now, by live block."""
    blocks = Block.objects.filter(campaign=campaign, live=True).values_list("pk", "signal", "groups")
    tallies = {pk: Tally(signal, frozenset(groups)) for pk, signal, groups in blocks}
    for signal in SignalName.values:
        block_of = _members(campaign, signal)
        for block in block_of.values():
            tallies[block].size += 1
        for key, day in _days(campaign, signal).items():
            if key in block_of:
                tallies[block_of[key]].days[day] += 1
        if signal == SignalName.CLICK:
            for key, figures in _clicked(campaign, block_of).items():
                tallies[block_of[key]].links.update(figures)
    return tallies


def _members(campaign: Campaign, signal: str) -> dict[str, int]:
    rows = BlockMember.objects.filter(block__campaign=campaign, block__signal=signal, block__live=True)
    return dict(rows.values_list("person_key", "block_id").iterator(ROWS_AT_ONCE))


def _days(campaign: Campaign, signal: str) -> dict[str, str]:
    """On which date each person did it first: saw it, clicked something that is counted, likes it by their latest word."""
    if signal == SignalName.LIKE:
        latest: dict[str, tuple[int, int, str]] = {}
        for key, seq, value, day in _rows(campaign, signal, "seq", "value"):
            latest[key] = max(latest.get(key, (0, 0, "")), (seq, value, day))
        return {key: day for key, (_seq, value, day) in latest.items() if value == 1}
    first: dict[str, str] = {}
    links = campaign.counted.keys()
    for key, link_id, day in _rows(campaign, signal, "link_id"):
        if signal != SignalName.CLICK or link_id in links:
            first[key] = min(first.get(key, day), day)
    return first


def _clicked(campaign: Campaign, keys: Iterable[str]) -> dict[str, set[str]]:
    """Which figures about links each of these people is in."""
    figures: dict[str, set[str]] = defaultdict(set)
    wanted = set(keys)
    for key, link_id, _day in _rows(campaign, SignalName.CLICK, "link_id"):
        if key in wanted and link_id in campaign.counted:
            figures[key].add(campaign.counted[link_id])
    return figures


def _rows(campaign: Campaign, signal: str, *names: str) -> Iterator[tuple[Any, ...]]:
    """The campaign's signals: the key, what is named, and the date as text, which no driver has to read."""
    rows = Signal.objects.filter(campaign=campaign, signal=signal).annotate(day=Cast("date", CharField()))
    return iter(rows.values_list("person_key", *names, "day").iterator(ROWS_AT_ONCE))

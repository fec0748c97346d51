"""How a campaign was received, of those who share it.

The denominator is the people who are counted, not the audience: those who do not share are not counted as having not seen.
Every figure is a sum over whole live blocks (`blocks`); where there is none, nothing is worked out at all.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from server.campaigns.countable import FILM
from server.campaigns.models import Campaign, Media
from server.directory.models import Group, Person
from server.reports.audiences import audience
from server.reports.blocks import form
from server.reports.intervals import wilson
from server.reports.models import Block, BlockMember
from server.signals.models import Signal, SignalName

Why = Literal["", "not-in-every-variant", "confirmed-by-name"]

Did = Mapping[str, date]
"""Who did something, by `person_key`, and on which UTC date first."""


@dataclass(frozen=True)
class Figure:
    """`people` of `sharing` counted people did it. All is None where nothing may be shown.

    `low` and `high`: the 95 % interval (see `intervals`) for the share of all assigned people, from 0 to 1, if those who
    share are like the others. A link has none. `off`: the company does not allow this signal. `why`: the other reason why
    nothing is shown, if there is one besides too few people.
    """

    name: str
    sharing: int | None = None
    people: int | None = None
    low: float | None = None
    high: float | None = None
    off: bool = False
    why: Why = ""


@dataclass(frozen=True)
class GroupFigures:
    """The figures of those blocks whose cohorts are in the group as a whole. `assigned` counts people of both."""

    name: str
    assigned: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Day:
    """How many counted people did it on this UTC date for the first time; a day's figures add up to those of the whole.

    Not shown is None; a figure has the same people behind it as that of the whole.
    """

    date: str
    people: dict[str, int | None]


@dataclass(frozen=True)
class Report:
    """The figures of one campaign. `assigned` counts people in its audience, whoever they are."""

    campaign_id: str
    title: str
    status: str
    minimum: int
    closed: bool
    assigned: int
    figures: tuple[Figure, ...]
    links: tuple[Figure, ...]
    groups: tuple[GroupFigures, ...]
    days: tuple[Day, ...]

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Report":
        """The report that `asdict` was made of, and JSON out of that."""
        groups = [
            GroupFigures(group["name"], group["assigned"], _figures(group["figures"]))
            for group in stored["groups"]
        ]
        parts = {
            "figures": _figures(stored["figures"]),
            "links": _figures(stored["links"]),
            "groups": tuple(groups),
            "days": tuple(Day(**day) for day in stored["days"]),
        }
        return cls(**stored | parts)


def report(campaign: Campaign) -> Report:
    """Form the blocks that can be formed, and work out the figures; those of a closed campaign are kept."""
    if campaign.result is not None:
        return Report.from_json(campaign.result)
    with transaction.atomic():
        form(campaign)
        return _Working(campaign).report()


def final(campaign: Campaign) -> dict[str, Any]:
    """The report as JSON for `Campaign.result`, just before the campaign closes."""
    return asdict(report(campaign)) | {"closed": True}


def _figures(stored: Iterable[dict[str, Any]]) -> tuple[Figure, ...]:
    return tuple(Figure(**one) for one in stored)


@dataclass(frozen=True)
class _Counted:
    """A live block."""

    groups: frozenset[str]
    keys: frozenset[str]


class _Working:
    """What a report is made of, read from the database once."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._audience = audience(campaign)
        self._blocks = {signal: _live_blocks(campaign, signal) for signal in SignalName.values}
        counted = campaign.counted.keys()
        self._did = {
            signal: did(campaign, signal, counted if signal == SignalName.CLICK else None)
            for signal in SignalName.values
        }

    def report(self) -> Report:
        """All figures."""
        campaign = self._campaign
        return Report(
            campaign_id=campaign.campaign_id,
            title=title(campaign),
            status=campaign.status,
            minimum=campaign.minimum,
            closed=False,
            assigned=len(self._audience),
            figures=self._all(len(self._audience), lambda _block: True),
            links=self._links(),
            groups=self._groups(),
            days=self._days(),
        )

    def _all(self, assigned: int, wanted: Callable[[_Counted], bool]) -> tuple[Figure, ...]:
        """The figures of all signals, of the blocks that are wanted."""
        return tuple(
            self._figure(signal, [block for block in blocks if wanted(block)], self._did[signal], assigned)
            for signal, blocks in self._blocks.items()
        )

    def _figure(self, signal: str, blocks: list[_Counted], done: Did, assigned: int) -> Figure:
        if signal not in self._campaign.company.signals:
            return Figure(signal, off=True)
        if why := why_hidden(self._campaign, signal):
            return Figure(signal, why=why)
        keys = frozenset[str]().union(*(block.keys for block in blocks))
        if not keys:
            return Figure(signal)
        people = len(keys & done.keys())
        # Of those who were counted some may have left the audience since.
        expected = wilson(people, len(keys), max(assigned, len(keys)))
        return Figure(signal, len(keys), people, round(expected.low, 4), round(expected.high, 4))

    def _links(self) -> tuple[Figure, ...]:
        """Of what is counted, then of what is not."""
        counted: dict[str, str] = self._campaign.counted
        figures, uncounted = [], []
        for link_id, label in links_of(self._campaign):
            if link_id not in counted:
                uncounted.append(Figure(label or link_id, why="not-in-every-variant"))
            elif counted[link_id] == link_id:
                together = [one for one, figure in counted.items() if figure == link_id]
                clicked = did(self._campaign, SignalName.CLICK, together)
                whole = self._figure(SignalName.CLICK, self._blocks[SignalName.CLICK], clicked, 0)
                figures.append(Figure(label or link_id, whole.sharing, whole.people, off=whole.off))
        return (*figures, *uncounted)

    def _groups(self) -> tuple[GroupFigures, ...]:
        """Of the groups that the campaign names, and of those that have figures."""
        names = {name for blocks in self._blocks.values() for block in blocks for name in block.groups}
        names |= set(self._campaign.audience_groups.values_list("name", flat=True))
        members = _members(self._campaign.company_id, names)
        return tuple(self._group(name, members.get(name, set())) for name in sorted(names))

    def _group(self, name: str, members: set[UUID]) -> GroupFigures:
        assigned = len(members & self._audience)
        return GroupFigures(name, assigned, self._all(assigned, lambda block: name in block.groups))

    def _days(self) -> tuple[Day, ...]:
        counts: dict[str, Counter[date] | None] = {}
        for signal, blocks in self._blocks.items():
            shown = (
                blocks and signal in self._campaign.company.signals and not why_hidden(self._campaign, signal)
            )
            keys = frozenset[str]().union(*(block.keys for block in blocks))
            first = (day for key, day in self._did[signal].items() if key in keys)
            counts[signal] = Counter(first) if shown else None
        days = sorted({day for counter in counts.values() if counter for day in counter})
        return tuple(
            Day(
                day.isoformat(),
                {signal: None if counter is None else counter[day] for signal, counter in counts.items()},
            )
            for day in days
        )


def why_hidden(campaign: Campaign, signal: str) -> Why:
    """Why a signal has no figures, however many share it."""
    if signal == SignalName.CLICK and links_of(campaign) and not campaign.counted:
        return "not-in-every-variant"
    # Whoever confirmed has seen it: with the list of their names, the figure would tell who of the others shares.
    if signal == SignalName.SEEN and campaign.acknowledge:
        return "confirmed-by-name"
    return ""


def _live_blocks(campaign: Campaign, signal: str) -> list[_Counted]:
    keys: dict[int, set[str]] = {}
    rows = BlockMember.objects.filter(block__campaign=campaign, block__signal=signal, block__live=True)
    for block, key in rows.values_list("block", "person_key"):
        keys.setdefault(block, set()).add(key)
    blocks = Block.objects.filter(pk__in=keys).values_list("pk", "groups")
    return [_Counted(frozenset(groups), frozenset(keys[pk])) for pk, groups in blocks]


def did(campaign: Campaign, signal: str, links: Collection[str] | None = None) -> dict[str, date]:
    """Who did it, whether counted or not: saw it, clicked (one of these links), likes it by their latest word."""
    rows = Signal.objects.filter(campaign=campaign, signal=signal)
    if signal == SignalName.LIKE:
        latest = {
            key: (value, day)
            for key, value, day in rows.order_by("seq").values_list("person_key", "value", "date")
        }
        return {key: day for key, (value, day) in latest.items() if value == 1}
    if links is not None:
        rows = rows.filter(link_id__in=links)
    return dict(rows.values("person_key").annotate(first=Min("date")).values_list("person_key", "first"))


def links_of(campaign: Campaign) -> list[tuple[str, str]]:
    """The ids and labels of what can be clicked: links, and the film."""
    links = list(campaign.links.order_by("link_id").values_list("link_id", "label"))
    has_film = campaign.media.filter(type=Media.Type.MP4).exists()
    return [*links, (FILM, FILM)] if has_film else links


def _members(company_id: str, names: Iterable[str]) -> dict[str, set[UUID]]:
    members: dict[str, set[UUID]] = {}
    groups = Group.objects.filter(company_id=company_id, name__in=names)
    rows = Person.groups.through.objects.filter(group__in=groups)
    for name, person in rows.values_list("group__name", "person_id"):
        members.setdefault(name, set()).add(person)
    return members


def title(campaign: Campaign) -> str:
    """In the campaign's default language; empty when it was recalled."""
    content = campaign.content
    variant = content.get("variants", {}).get(content.get("default_language", ""), {})
    return str(variant.get("title", ""))

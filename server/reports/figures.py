"""How a campaign was received, of those who share it.

The denominator is the people who are counted, not the audience: those who do not share are not counted as having not seen.
Every figure is a sum over whole live blocks (`blocks`); where there is none, nothing is worked out at all.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

from django.db.models import Count, Min

from server.campaigns.audience import reach_today
from server.campaigns.countable import VIDEO
from server.campaigns.models import Campaign, Media
from server.campaigns.scopes import Scope
from server.database.transactions import reading
from server.directory.models import SMALLEST_GROUP, Group, Person
from server.reports import tallies
from server.reports.audiences import addressed
from server.reports.blocks import form
from server.reports.intervals import wilson
from server.reports.models import Block
from server.reports.tallies import Sums
from server.signals.models import Signal, SignalName

Why = Literal["", "not-in-every-variant", "confirmed-by-name"]


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
    """The figures of one campaign. `assigned` counts people in its audience, whoever they are.

    `made`: when that was (RFC 3339, UTC); None where nothing was counted yet, and once the campaign is closed.
    """

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
    made: str | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Report":
        """The report that `asdict` was made of, and JSON out of that."""
        groups = [
            GroupFigures(group["name"], group["assigned"], _figures(group["figures"]))
            for group in stored["groups"]
        ]
        figures = _figures(stored["figures"])
        shown = {figure.name for figure in figures if figure.sharing is not None}
        parts = {
            "figures": figures,
            "links": _figures(stored["links"]),
            "groups": tuple(groups),
            "days": tuple(_day(day, shown) for day in stored["days"]),
        }
        return cls(**stored | parts)


def seen_by(found: Report, scope: Scope) -> Report:
    """The same without the groups that somebody is not bound to, and so must not know of."""
    if scope.groups is None:
        return found
    names = set(Group.objects.filter(pk__in=scope.groups).values_list("name", flat=True))
    return replace(found, groups=tuple(group for group in found.groups if group.name in names))


def report(campaign: Campaign, *, formed: bool = False) -> Report:
    """What a snapshot that is made now shows. Blocks that can be formed are formed, unless they are `formed` already."""
    if campaign.result is not None:
        return Report.from_json(campaign.result)
    if not formed:
        form(campaign)
    with reading():
        return report_of(campaign, tallies.now(campaign), sizes_of(campaign))


def final(campaign: Campaign, *, formed: bool = False) -> dict[str, Any]:
    """The report as JSON for `Campaign.result`, just before the campaign closes."""
    return asdict(report(campaign, formed=formed)) | {"closed": True}


def sizes_of(campaign: Campaign) -> dict[str, Any]:
    """How many people the campaign is for today: in all, and of each group that may have a line."""
    return _sizes(campaign, {name for groups in _group_sets(campaign) for name in groups})


def without_figures(campaign: Campaign) -> Report:
    """The report as long as no figure is shown. It names no group but those that the campaign is for."""
    return report_of(campaign, Sums(), _sizes(campaign, set()))


def _sizes(campaign: Campaign, names: set[str]) -> dict[str, Any]:
    names |= set(campaign.audience_groups.values_list("name", flat=True))
    reach = reach_today(campaign)
    members = Person.groups.through.objects.filter(group__company=campaign.company_id, group__name__in=names)
    is_told_whole = reach.named or reach.is_most  # a part of a group would tell who is in it (ADR 61)
    if not is_told_whole and (not campaign.to_everyone or campaign.excluded_groups.exists()):
        members = members.filter(person__in=addressed(campaign))
    numbers = dict(members.order_by().values_list("group__name").annotate(Count("pk")))
    return {
        "assigned": reach.most,
        "groups": {name: numbers.get(name, 0) for name in sorted(names)},
    }


def _group_sets(campaign: Campaign) -> Iterable[list[str]]:
    return (
        Block.objects.filter(campaign=campaign, live=True)
        .order_by()
        .values_list("groups", flat=True)
        .distinct()
    )


def report_of(campaign: Campaign, sums: Sums, sizes: Mapping[str, Any], made: str | None = None) -> Report:
    """All figures that are made of these sums. `sizes`: see `sizes_of`; `made`: when they were counted (RFC 3339, UTC)."""
    working = _Working(campaign, sums)
    return Report(
        campaign_id=campaign.campaign_id,
        title=title(campaign),
        status=campaign.status,
        minimum=campaign.smallest_group,
        closed=False,
        assigned=sizes["assigned"],
        figures=working.all(sizes["assigned"]),
        links=working.links(),
        groups=tuple(
            GroupFigures(name, assigned, working.all(assigned, name))
            for name, assigned in sizes["groups"].items()
        ),
        days=working.days(),
        made=made,
    )


def _figures(stored: Iterable[dict[str, Any]]) -> tuple[Figure, ...]:
    """Those that are kept, unless somebody edited them to be about fewer than five."""
    figures = (Figure(**one) for one in stored)
    return tuple(
        figure if figure.sharing is None or figure.sharing >= SMALLEST_GROUP else Figure(figure.name)
        for figure in figures
    )


def _day(stored: dict[str, Any], shown: Collection[str]) -> Day:
    people = {name: count if name in shown else None for name, count in stored["people"].items()}
    return Day(stored["date"], people)


class _Working:
    """What a report is made of."""

    def __init__(self, campaign: Campaign, sums: Sums) -> None:
        self._campaign, self._sums = campaign, sums
        self._links = links_of(campaign)
        self._why = {signal: why_hidden(campaign, signal, self._links) for signal in SignalName.values}

    def all(self, assigned: int, group: str = "") -> tuple[Figure, ...]:
        """The figures of all signals, of all blocks or those of a group."""
        return tuple(self._figure(signal, assigned, group) for signal in SignalName.values)

    def _figure(self, signal: str, assigned: int, group: str) -> Figure:
        if signal not in self._campaign.company.signals:
            return Figure(signal, off=True)
        if why := self._why[signal]:
            return Figure(signal, why=why)
        sharing, people = self._sums.of_group(signal, group)
        if not sharing:
            return Figure(signal)
        # Of those who were counted some may have left the audience since.
        expected = wilson(people, sharing, max(assigned, sharing))
        return Figure(signal, sharing, people, round(expected.low, 4), round(expected.high, 4))

    def links(self) -> tuple[Figure, ...]:
        """Of what is counted, then of what is not."""
        names: dict[str, str] = self._campaign.counted
        whole = self._figure(SignalName.CLICK, 0, "")
        figures, uncounted = [], []
        for link_id, label in self._links:
            if link_id not in names:
                uncounted.append(Figure(label or link_id, why="not-in-every-variant"))
            elif names[link_id] == link_id:
                shown = None if whole.sharing is None else self._sums.links[link_id]
                figures.append(Figure(label or link_id, whole.sharing, shown, off=whole.off))
        return (*figures, *uncounted)

    def days(self) -> tuple[Day, ...]:
        """Each date on which somebody did something for the first time."""
        counts: dict[str, Counter[str] | None] = {}
        for signal in SignalName.values:
            shown = signal in self._campaign.company.signals and not self._why[signal]
            sharing, _people = self._sums.of_group(signal)
            counts[signal] = self._sums.days[signal] if shown and sharing else None
        return tuple(
            Day(
                day,
                {signal: None if counter is None else counter[day] for signal, counter in counts.items()},
            )
            for day in sorted({day for counter in counts.values() if counter for day in counter})
        )


def why_hidden(campaign: Campaign, signal: str, links: Sequence[tuple[str, str]]) -> Why:
    """Why a signal has no figures, however many share it. `links`: see `links_of`."""
    if signal == SignalName.CLICK and links and not campaign.counted:
        return "not-in-every-variant"
    # Whoever confirmed has seen it: with the list of their names, the figure would tell who of the others shares.
    if signal == SignalName.SEEN and campaign.acknowledge:
        return "confirmed-by-name"
    return ""


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
    """The ids and labels of what can be clicked: links, and the video."""
    links = list(campaign.links.order_by("link_id").values_list("link_id", "label"))
    has_video = campaign.media.filter(type=Media.Type.MP4).exists()
    return [*links, (VIDEO, VIDEO)] if has_video else links


def title(campaign: Campaign) -> str:
    """In the campaign's default language; empty when it was recalled."""
    content = campaign.content
    variant = content.get("variants", {}).get(content.get("default_language", ""), {})
    return str(variant.get("title", ""))

"""How many pop-ups people get in a week as planned: of what is published, whoever receives it or shows it.

A campaign counts in the week in which it first can be on a screen, for everybody of its audience, unless it is silent or was
recalled. What names people is not counted, nor what is for groups too small for a figure: whoever may address them could
find out from a figure what a single other person gets. Who is bound to groups is told of an audience what it has of these.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from itertools import islice
from operator import itemgetter
from typing import Any

from cachetools import LRUCache
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from server.attention.people import Counts, Directory, Members
from server.attention.weeks import WEEK, begins, monday_of
from server.campaigns.models import Campaign
from server.database.lookups import as_text
from server.directory.models import Company, Person

MOST_COMPANIES = 20
MOST_WEEKS = 60
"""Of each company. So much is kept in memory."""
MOST_SCOPES = 8
"""Of each week."""


@dataclass(frozen=True)
class Spread:
    """How many people get how many pop-ups. `smallest`: how many people must stand behind a figure."""

    people: int
    counts: Mapping[int, int]
    smallest: int

    @property
    def busiest(self) -> int | None:
        """What each of the busiest tenth gets at least; these are `smallest` people or more. None where there are fewer."""
        return self._at(max(self.smallest, -(-self.people // 10)))

    @property
    def median(self) -> int | None:
        """What one half gets at least and the other one at most; None where a half is fewer than `smallest` people."""
        return self._at(-(-self.people // 2)) if self.people >= 2 * self.smallest else None

    def _at(self, place: int) -> int | None:
        if self.people < self.smallest:
            return None
        found = 0
        for count in sorted(self.counts, reverse=True):
            found += self.counts[count]
            if found >= place:
                return count
        return 0


@dataclass
class Planned:
    """What is planned in one week. Figures are made when somebody asks for them."""

    monday: date
    smallest: int
    directory: Directory
    alike: Counter["_Alike"] = field(default_factory=Counter)
    _counts: Counts = field(default_factory=Counts)
    _spreads: dict[int | None, Spread] = field(default_factory=dict)
    _seen: "LRUCache[frozenset[int], Planned]" = field(default_factory=partial(LRUCache, MOST_SCOPES))

    def count(self) -> None:
        """Count the campaigns in `alike`."""
        for (everyone, groups, without), times in self.alike.items():
            named = self.directory.everybody.bits if everyone else self._reached(groups)
            reached = named & ~self._reached(without)
            for _time in range(times):
                self._counts.add(reached)

    def seen_by(self, groups: frozenset[int] | None) -> "Planned":
        """What of it may be told to who is bound to these groups; None: to nobody's.

        Of other groups nothing is counted, neither where they are addressed nor where they are left out: a figure would
        tell who of their own people is in them.
        """
        if groups is None:
            return self
        with _lock:
            known = self._seen.get(groups)
        if known is None:
            alike: Counter[_Alike] = Counter()
            for (everyone, named, without), times in self.alike.items():
                alike[everyone, named & groups, without & groups] += times
            known = Planned(self.monday, self.smallest, self.directory, alike)
            known.count()
            with _lock:
                self._seen[groups] = known
        return known

    def is_as(self, other: "Planned") -> bool:
        """Whether the figures of both are the same, without counting."""
        return (
            self.directory is other.directory
            and self.smallest == other.smallest
            and self.alike == other.alike
        )

    def of_everybody(self) -> Spread:
        """Of all people of the company."""
        return self._spread(None, self.directory.everybody)

    def of_group(self, group: int) -> Spread:
        """Of a group's people."""
        return self._spread(group, self.directory.members(group))

    def heaviest(self, groups: Container[int], most: int) -> list[tuple[int, Spread]]:
        """Those of the groups whose busiest tenth gets the most; without those that have no figure."""
        return list(islice((one for one in self._ranked if one[0] in groups), most))

    @cached_property
    def _ranked(self) -> list[tuple[int, Spread]]:
        """Sorted once for everybody who looks at the week."""
        spreads = [(group, self.of_group(group)) for group in self.directory.groups]
        found = [(-busiest, group, spread) for group, spread in spreads if (busiest := spread.busiest)]
        return [(group, spread) for _busiest, group, spread in sorted(found, key=itemgetter(0, 1))]

    def _reached(self, groups: Iterable[int]) -> int:
        """Bits of those who are in any of the groups, but for groups of too few people."""
        members = self.directory.members
        return self.directory.reached(one for one in groups if members(one).bits.bit_count() >= self.smallest)

    def _spread(self, group: int | None, members: Members) -> Spread:
        if group not in self._spreads:
            counts = self._counts.among(members)
            self._spreads[group] = Spread(counts.total(), counts, self.smallest)
        return self._spreads[group]


@dataclass
class _Known:
    """A company's people, and the names of its groups once somebody asked for them. `mark`: tells when that has changed."""

    directory: Directory
    mark: tuple[int, ...]
    names: Mapping[int, str] | None = None


_Alike = tuple[bool, frozenset[int], frozenset[int]]
"""Whom campaigns are for: whether everybody, which groups, and which groups are left out."""
_Of = tuple[object, ...]
"""What a week was counted of."""
_directories: LRUCache[str, tuple[int, _Known]] = LRUCache(MOST_COMPANIES)
_weeks: LRUCache[str, LRUCache[date, tuple[_Of, Planned]]] = LRUCache(MOST_COMPANIES)
_lock = threading.Lock()


def planned(company: Company, mondays: Sequence[date], groups: frozenset[int] | None = None) -> list[Planned]:
    """What is planned in each of these weeks. No query where nothing was published and nobody came or went since.

    `mondays`: in their order. `groups`: to which is bound who is told of it, as a scope has them. Seven queries at most,
    however many weeks there are.
    """
    of = (company.feed_revision, company.time_zone, company.smallest_group)
    with _lock:
        weeks = _weeks.setdefault(company.pk, LRUCache(MOST_WEEKS))
        kept = {monday: weeks[monday] for monday in mondays if monday in weeks}
    known = {monday: week for monday, (counted_of, week) in kept.items() if counted_of == of}
    unknown = [monday for monday in mondays if monday not in known]
    if unknown:
        fresh = _counted(company, unknown, {monday: week for monday, (_of, week) in kept.items()})
        with _lock:
            for monday in [
                one for one, (_of, week) in weeks.items() if week.directory is not fresh[0].directory
            ]:
                del weeks[monday]  # it would hold what is not true any more in memory
            weeks.update({week.monday: (of, week) for week in fresh})
        known |= {week.monday: week for week in fresh}
    return [known[monday].seen_by(groups) for monday in mondays]


def group_names(company: Company) -> Mapping[int, str]:
    """The names of the company's groups by their numbers, in the order of the alphabet."""
    known = _known(company)
    if known.names is None:
        known.names = dict(company.groups.order_by("name").values_list("pk", "name"))
    return known.names


def _counted(company: Company, mondays: Sequence[date], before: Mapping[date, Planned]) -> list[Planned]:
    """`before`: of some weeks what was planned when they were last asked for, to be told again where it has not changed."""
    directory = _known(company).directory
    alike: dict[date, Counter[_Alike]] = {monday: Counter() for monday in mondays}
    _read_campaigns(company, alike)
    found = []
    for monday, audiences in alike.items():
        week = Planned(monday, company.smallest_group, directory, audiences)
        earlier = before.get(monday)
        if earlier is not None and week.is_as(earlier):
            week = earlier
        else:
            week.count()
        found.append(week)
    return found


def _read_campaigns(company: Company, weeks: Mapping[date, Counter[_Alike]]) -> None:
    """Fill the weeks."""
    first, last = begins(company, min(weeks)), begins(company, max(weeks) + WEEK)
    live = Campaign.objects.filter(company=company, status=Campaign.Status.LIVE)
    live = live.exclude(urgency=Campaign.Urgency.SILENT)
    started = Q(starts__gte=first, starts__lt=last)
    came_late = Q(published_at__gte=first, published_at__lt=last, starts__lt=first)
    audiences: dict[int, _Audience] = {}
    mondays: dict[datetime, date] = {}
    left_out = Campaign.excluded_groups.through.objects.filter(campaign=OuterRef("pk"))
    found = live.filter(started | came_late).annotate(has_excluded=Exists(left_out))
    for pk, starts, published_at, to_everyone, group, has_excluded in found.values_list(
        "pk", "starts", "published_at", "to_everyone", "audience_groups", "has_excluded"
    ):
        shown_from = max(starts, published_at)
        if shown_from not in mondays:  # many start at the same moment
            mondays[shown_from] = monday_of(company, shown_from)
        monday = mondays[shown_from]
        if monday in weeks and (to_everyone or group is not None):
            audience = audiences.setdefault(
                pk, _Audience(monday, everyone=to_everyone, leaves_out=has_excluded)
            )
            audience.groups.update(() if group is None else (group,))
    excluded = _excluded(found) if any(one.leaves_out for one in audiences.values()) else {}
    for pk, one in audiences.items():
        weeks[one.monday][one.everyone, frozenset(one.groups), frozenset(excluded.get(pk, ()))] += 1


@dataclass
class _Audience:
    """Of a campaign, without whom it names. `groups`: by their numbers."""

    monday: date
    everyone: bool
    leaves_out: bool
    groups: set[int] = field(default_factory=set)


def _excluded(campaigns: QuerySet[Campaign]) -> Mapping[int, set[int]]:
    """The groups that each campaign leaves out; without those that leave out none."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    rows = Campaign.excluded_groups.through.objects.filter(campaign__in=campaigns.values("pk"))
    for campaign, group in rows.values_list("campaign_id", "group_id"):
        found[campaign].add(group)
    return found


def read_ahead(company: Company) -> None:
    """Have it in memory who is in which groups, before anybody asks."""
    _known(company)


def _known(company: Company) -> _Known:
    """As it is now. It takes long with 100,000 people, and changes far less often than feeds do."""
    with _lock:
        revision, known = _directories.get(company.pk, (-1, None))
    if known is not None and revision == company.feed_revision:
        return known
    mark = _mark(company)  # before the people: who joins meanwhile makes another one
    if known is None or known.mark != mark:
        known = _Known(_read_people(company), mark)
    with _lock:
        _directories[company.pk] = company.feed_revision, known
    return known


def _mark(company: Company) -> tuple[int, ...]:
    """Another one after each change: who joins a group makes a row with a new number, who leaves takes one away.

    Rows of all companies are counted: that looks nothing up, and who joins another company only has this one read again.
    """
    people: QuerySet[Any, Any] = Person.objects.filter(company=company).order_by()
    joined: QuerySet[Any, Any] = Person.groups.through.objects.order_by()
    figures = (
        people.values(one=Value(1)).annotate(figure=Count("pk")).values("figure"),
        joined.values(one=Value(1)).annotate(figure=Count("pk")).values("figure"),
        joined.order_by("-pk").values("pk")[:1],
    )
    row = Company.objects.filter(pk=company.pk).values_list(
        *(Coalesce(Subquery(figure), 0) for figure in figures)
    )
    return tuple(row.get())


def _read_people(company: Company) -> Directory:
    joined: QuerySet[Any, Any] = Person.groups.through.objects.filter(group__company=company).order_by()
    people = Person.objects.filter(company=company).count()
    return Directory(people, joined.values_list("group", as_text("person_id")).iterator(chunk_size=10_000))

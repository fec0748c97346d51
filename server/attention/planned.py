"""How many pop-ups people get in a week as planned: of what is published, whoever receives it or shows it.

A campaign counts in the week in which it first can be on a screen, for everybody of its audience, unless it is silent or was
recalled. People are counted by the groups that they are in: those who are in the same ones get the same. What names people
is not counted, since whoever may name them could find out from a figure what a single one of them gets.
"""

import threading
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import Any

from cachetools import LRUCache
from django.db import connection
from django.db.models import Count, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from server.attention.weeks import WEEK, begins, monday_of
from server.campaigns.models import Campaign
from server.database.lookups import Joined, as_text
from server.directory.models import Company, Person

Groups = frozenset[int]
"""The numbers of the groups that a person is in, or that a campaign is for."""
MOST_COMPANIES = 20
MOST_WEEKS = 500
"""How much is kept in memory."""


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
    """What is planned in one week."""

    monday: date
    smallest: int
    everybody: Counter[int] = field(default_factory=Counter)
    groups: dict[int, Counter[int]] = field(default_factory=dict)
    to_everyone: int = 0
    to_groups: Counter[Groups] = field(default_factory=Counter)

    def of_everybody(self) -> Spread:
        """Of all people of the company."""
        return self._spread(self.everybody)

    def of_group(self, group: int) -> Spread:
        """Of a group's people."""
        return self._spread(self.groups.get(group, Counter()))

    def heaviest(self, groups: Container[int], most: int) -> list[tuple[int, Spread]]:
        """Those of the groups whose busiest tenth gets the most; without those that have no figure."""
        return list(islice((one for one in self._ranked if one[0] in groups), most))

    @cached_property
    def _ranked(self) -> list[tuple[int, Spread]]:
        """Sorted once for everybody who looks at the week."""
        spreads = [(group, self._spread(counts)) for group, counts in self.groups.items()]
        found = [(-busiest, group, spread) for group, spread in spreads if (busiest := spread.busiest)]
        return [(group, spread) for _busiest, group, spread in sorted(found, key=itemgetter(0, 1))]

    def count_for(self, groups: Groups) -> int:
        """What somebody of these groups gets."""
        return self.to_everyone + sum(
            count for audience, count in self.to_groups.items() if not audience.isdisjoint(groups)
        )

    def _spread(self, counts: Counter[int]) -> Spread:
        return Spread(counts.total(), counts, self.smallest)


@dataclass
class _Directory:
    """How many people are in exactly these groups, and the groups' names once somebody asked for them.

    `mark`: tells when that has changed.
    """

    people_in: Mapping[Groups, int]
    mark: tuple[int, ...]
    names: Mapping[int, str] | None = None


_directories: LRUCache[str, tuple[int, _Directory]] = LRUCache(MOST_COMPANIES)
_weeks: LRUCache[tuple[object, ...], Planned] = LRUCache(MOST_WEEKS)
_lock = threading.Lock()


def planned(company: Company, mondays: Sequence[date]) -> list[Planned]:
    """What is planned in each of these weeks. No query where nothing was published and nobody came or went since.

    `mondays`: in their order. Six queries at most, however many weeks there are.
    """
    keys = {monday: _key(company, monday) for monday in mondays}
    with _lock:
        known = {monday: _weeks.get(key) for monday, key in keys.items()}
    unknown = [monday for monday, found in known.items() if found is None]
    if unknown:
        fresh = _counted(company, unknown)
        with _lock:
            _weeks.update({keys[monday]: week for monday, week in fresh.items()})
        known |= fresh
    return [week for week in known.values() if week is not None]


def group_names(company: Company) -> Mapping[int, str]:
    """The names of the company's groups by their numbers, in the order of the alphabet."""
    directory = _directory(company)
    if directory.names is None:
        directory.names = dict(company.groups.order_by("name").values_list("pk", "name"))
    return directory.names


def _key(company: Company, monday: date) -> tuple[object, ...]:
    return company.pk, company.feed_revision, company.time_zone, company.smallest_group, monday


def _counted(company: Company, mondays: Sequence[date]) -> dict[date, Planned]:
    weeks = {monday: Planned(monday, company.smallest_group) for monday in mondays}
    _read_campaigns(company, weeks)
    people_in = _directory(company).people_in
    for week in weeks.values():
        _spread_out(week, people_in)
    return weeks


def _read_campaigns(company: Company, weeks: Mapping[date, Planned]) -> None:
    """Fill the weeks."""
    first, last = begins(company, min(weeks)), begins(company, max(weeks) + WEEK)
    live = Campaign.objects.filter(company=company, status=Campaign.Status.LIVE)
    live = live.exclude(urgency=Campaign.Urgency.SILENT)
    started = Q(starts__gte=first, starts__lt=last)
    came_late = Q(published_at__gte=first, published_at__lt=last, starts__lt=first)
    audiences: dict[int, set[int]] = {}
    of_campaign: dict[int, Planned] = {}
    mondays: dict[datetime, date] = {}
    found = live.filter(started | came_late)
    for pk, starts, published_at, to_everyone, group in found.values_list(
        "pk", "starts", "published_at", "to_everyone", "audience_groups"
    ):
        shown_from = max(starts, published_at)
        if shown_from not in mondays:  # many start at the same moment
            mondays[shown_from] = monday_of(company, shown_from)
        week = weeks.get(mondays[shown_from])
        if week is None:
            continue
        if to_everyone:
            week.to_everyone += 1
        elif group is not None:
            of_campaign[pk] = week
            audiences.setdefault(pk, set()).add(group)
    for pk, week in of_campaign.items():
        week.to_groups[frozenset(audiences[pk])] += 1


def _spread_out(week: Planned, people_in: Mapping[Groups, int]) -> None:
    addressed = frozenset().union(*week.to_groups)
    known: dict[Groups, int] = {}
    for groups, people in people_in.items():
        reached = groups & addressed
        if reached not in known:
            known[reached] = week.count_for(reached)
        _add(week, groups, known[reached], people)


def _add(week: Planned, groups: Groups, count: int, people: int) -> None:
    week.everybody[count] += people
    for group in groups:
        week.groups.setdefault(group, Counter())[count] += people


def read_ahead(company: Company) -> None:
    """Have it in memory who is in which groups, before anybody asks."""
    _directory(company)


def _directory(company: Company) -> _Directory:
    """As it is now. It takes long with 100,000 people, and changes far less often than feeds do."""
    with _lock:
        revision, known = _directories.get(company.pk, (-1, None))
    if known is not None and revision == company.feed_revision:
        return known
    mark = _mark(company)  # before the people: who joins meanwhile makes another one
    if known is None or known.mark != mark:
        known = _Directory(_people_in(company), mark)
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


def _people_in(company: Company) -> dict[Groups, int]:
    """Counted by the database: of 100,000 people it tells few hundred sets of groups."""
    people: QuerySet[Any, Any] = Person.objects.filter(company=company).order_by()
    sets = people.values("pk").annotate(of_each=Joined(as_text("groups"), ",")).values("of_each")
    sql, parameters = sets.query.sql_with_params()
    found: Counter[Groups] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sets.of_each, COUNT(*) FROM ({sql}) sets GROUP BY 1", parameters)
        for groups, count in cursor.fetchall():  # one set may be told in several orders
            found[frozenset(map(int, groups.split(",")) if groups else ())] += count
    return dict(found)

"""The company's budget of pop-ups per person and week, and what a campaign takes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from server.attention.planned import Planned, Spread, planned
from server.attention.weeks import WEEK, monday_of
from server.audit import log
from server.campaigns.audience import Audience
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.directory.models import Company

MOST_POPUPS = 50
"""Of a budget: more than anybody can be asked to look at."""
WEEKS_AHEAD = 8
"""So many weeks after its own one are looked at for room."""
MOST_WITHOUT_FIGURE = 50
"""People by name and in small groups. An audience of more is held to the figure of everybody."""


@dataclass(frozen=True)
class CostLine:
    """What the busiest tenth of some people, and their half, gets with this campaign.

    `group`: empty for everybody, which also stands for many people by name and in small groups.

    `median`: None where it would be about too few.
    """

    group: str
    busiest: int
    median: int | None
    is_over: bool


@dataclass(frozen=True)
class Cost:
    """What a campaign takes of people's attention in the week in which it first can be on a screen.

    `lines`: the most expensive first. People by name, and groups of fewer people than a figure may be about, have none.
    `room`: the Monday of the first week with room for it; None where there is none, or its own week has room.
    """

    monday: date
    budget: int
    rule: Company.OverBudget
    lines: tuple[CostLine, ...]
    is_over: bool
    room: date | None
    is_emergency: bool = False

    @property
    def needs_second_person(self) -> bool:
        """Whether somebody else has to approve it for that."""
        return self._is_bound and self.rule == Company.OverBudget.SECOND_PERSON

    @property
    def is_refused(self) -> bool:
        """Whether it must not be published in its week."""
        return self._is_bound and self.rule == Company.OverBudget.REFUSE

    @property
    def busiest(self) -> int:
        """What its most expensive line says."""
        return self.lines[0].busiest if self.lines else 0

    @property
    def _is_bound(self) -> bool:
        """Emergencies are counted and never held up."""
        return self.is_over and not self.is_emergency


def cost_of(
    audience: Audience, urgency: str, shown_from: datetime, scope: Scope, *, is_counted: bool = False
) -> Cost | None:
    """What a campaign costs; None for a silent one, which comes by itself on no screen.

    `shown_from`: when it first can be on a screen. `scope`: of who is told of it, or publishes it. `is_counted`: it is
    published already, and so among what is planned.
    """
    if urgency == Campaign.Urgency.SILENT:
        return None
    company = audience.company
    monday = monday_of(company, shown_from)
    weeks = planned(company, [monday + number * WEEK for number in range(WEEKS_AHEAD + 1)], scope.groups)
    has_many = _without_figure(audience, weeks[0]) > MOST_WITHOUT_FIGURE
    budget = company.popups_per_week
    added = 0 if is_counted else 1
    lines = sorted(_lines(audience, weeks[0], has_many, budget, added), key=lambda line: -line.busiest)
    is_over = any(line.is_over for line in lines)
    later = (
        week.monday
        for week in weeks[1:]
        if not any(line.is_over for line in _lines(audience, week, has_many, budget, 1))
    )
    return Cost(
        monday,
        budget,
        Company.OverBudget(company.over_budget),
        tuple(lines),
        is_over,
        next(later, None) if is_over else None,
        urgency == Campaign.Urgency.EMERGENCY,
    )


def _without_figure(audience: Audience, week: Planned) -> int:
    """For how many people it is at most by name, or in groups too small for a figure of their own.

    As `reach` counts them, so that it tells of nobody who is named whether they are in a group.
    """
    if audience.everyone:
        return 0
    groups = [week.of_group(group.pk) for group in audience.groups]
    return len(audience.people) + sum(one.people for one in groups if one.busiest is None)


def _lines(audience: Audience, week: Planned, has_many: bool, budget: int, added: int) -> Iterator[CostLine]:
    spreads: list[tuple[str, Spread]] = []
    if audience.everyone or has_many:
        spreads.append(("", week.of_everybody()))
    if not audience.everyone:
        spreads += [(group.name, week.of_group(group.pk)) for group in audience.groups]
    for name, spread in spreads:
        if spread.busiest is not None:
            busiest = spread.busiest + added
            median = None if spread.median is None else spread.median + added
            yield CostLine(name, busiest, median, busiest > budget)


@tried_again
def set_budget(company: Company, popups: int, rule: Company.OverBudget, actor: str) -> None:
    """Say what the company allows itself, on record. Raises `Refused` for a number that is none."""
    if not 1 <= popups <= MOST_POPUPS:
        raise Refused(
            _("That is no budget"),
            _("Give a number of pop-ups per person and week, from 1 to {most}.").format(most=MOST_POPUPS),
        )
    with transaction.atomic():
        locked = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        before = (locked.popups_per_week, locked.over_budget)
        if before == (popups, rule.value):
            return
        locked.popups_per_week, locked.over_budget = popups, rule.value
        locked.save(update_fields=["popups_per_week", "over_budget"])
        detail = {"popups": popups, "over": rule.value, "popups_before": before[0], "over_before": before[1]}
        log.record(company, actor, "set-budget", detail=detail)

"""What is planned and runs, week by week, and what that costs people's attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from server.access.roles import Right
from server.accounts.models import Account
from server.attention.budget import MOST_POPUPS
from server.attention.planned import Planned, Spread, group_names, planned
from server.attention.weeks import DAY, WEEK, begins, monday_of
from server.campaigns.models import Campaign
from server.campaigns.overview import NEWEST_FIRST, lines_of
from server.console.access import READING, AccountRequest, page
from server.console.posted import number
from server.console.words import OVER_BUDGET
from server.core import clock
from server.core.errors import Refused
from server.directory.models import Company
from server.drafts.approval import change_budget

A_PAGE = 50
MOST_PAGES = 1_000
WEEKS = 6
"""Shown at once: the one before, the chosen one, and those after it."""
MOST_GROUPS = 12
MOST_GROUPS_TODAY = 4
MOST_LISTED_GROUPS = 2_000


@dataclass(frozen=True)
class Attention:
    """What some people get in a week. `name`: of the group; empty for everybody."""

    name: str
    spread: Spread
    budget: int

    @property
    def is_over(self) -> bool:
        """Whether the busiest tenth gets more than the company wants."""
        return (self.spread.busiest or 0) > self.budget


@page(Right.READ_CAMPAIGNS)
def calendar(request: AccountRequest) -> HttpResponse:
    """Six weeks in a list, and one of them as a whole; of one group where that is asked for."""
    company, now = request.user.company, clock.now()
    this_week = monday_of(company, now)
    chosen = _monday(request.GET.get("week", ""), this_week)
    names = _names(request.user)
    group = number(request.GET.get("group", ""))
    group = group if group in names else 0
    weeks = planned(company, [chosen + (step - 1) * WEEK for step in range(WEEKS)], request.user.scope.groups)
    found = (
        request.user.scope.those_of(Campaign.objects.all())
        .filter(company=company, starts__lt=begins(company, chosen + WEEK), ends__gt=begins(company, chosen))
        .exclude(status=Campaign.Status.RECALLED)
    )
    if group:
        of_group = Campaign.audience_groups.through.objects.filter(group=group).values("campaign")
        left_out = Campaign.excluded_groups.through.objects.filter(group=group).values("campaign")
        found = found.filter(Q(to_everyone=True) | Q(pk__in=of_group), ~Q(pk__in=left_out))
    place = max(1, min(number(request.GET.get("page", "")), MOST_PAGES))
    rows = found.order_by(*NEWEST_FIRST)[(place - 1) * A_PAGE : place * A_PAGE + 1]
    lines = lines_of(company, rows, now, get_language() or "")
    words = {
        "lines": lines[:A_PAGE],
        "newer": place - 1,
        "older": place + 1 if len(lines) > A_PAGE and place < MOST_PAGES else 0,
        "weeks": [_week_line(request.user, week, names, group, chosen) for week in weeks],
        "attention": _attention_in(request.user, weeks[1], names, MOST_GROUPS, group),
        "groups": list(names.items())[:MOST_LISTED_GROUPS],
        "group": group,
        "chosen": chosen,
        "sunday": chosen + 6 * DAY,
        "this_week": this_week,
        "filter": urlencode({"week": chosen.isoformat()} | ({"group": group} if group else {})),
    }
    return render(request, "pages/calendar.html", words)


@page(Right.READ_CAMPAIGNS)
def attention(request: AccountRequest) -> HttpResponse:
    """What this week and the next one cost people, where anything comes: a part of the start page."""
    company = request.user.company
    monday = monday_of(company, clock.now())
    found = (
        (week.monday, _attention_in(request.user, week, _names(request.user), MOST_GROUPS_TODAY))
        for week in planned(company, [monday, monday + WEEK], request.user.scope.groups)
    )
    weeks = [{"monday": monday, "lines": lines} for monday, lines in found if lines]
    return render(request, "parts/attention_today.html", {"weeks": weeks})


@page(Right.SET_BUDGET, methods=(*READING, "POST"))
def budget(request: AccountRequest) -> HttpResponse:
    """How many pop-ups a week the company allows itself, and what happens beyond that."""
    company, refused = request.user.company, None
    popups, rule = company.popups_per_week, company.over_budget
    if request.method == "POST":
        popups, rule = number(request.POST.get("popups", "")), request.POST.get("over", "")
        try:
            known = Company.OverBudget(rule) if rule in OVER_BUDGET else Company.OverBudget.NOTE
            change_budget(company, popups, known, request.user.actor)
        except Refused as wrong:
            refused = wrong
        else:
            return redirect("calendar")
    words = {"popups": popups, "rule": rule, "rules": list(OVER_BUDGET.items()), "most": MOST_POPUPS}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return render(request, "pages/budget.html", words | {"refused": refused}, status=status)


def _names(account: Account) -> Mapping[int, str]:
    """The groups that the account sees."""
    scope = account.scope
    return {number: name for number, name in group_names(account.company).items() if scope.has_group(number)}


def _attention_in(
    account: Account, week: Planned, names: Mapping[int, str], most: int, group: int = 0
) -> Sequence[Attention]:
    """What everybody gets in the week, and the groups that get the most; or one group alone. `names`: of those to be seen."""
    if group:
        spreads = [(names[group], week.of_group(group))]
    else:
        spreads = [] if account.is_bound else [("", week.of_everybody())]
        spreads += [(names[one], spread) for one, spread in week.heaviest(names, most)]
    told = (Attention(name, spread, account.company.popups_per_week) for name, spread in spreads)
    return [one for one in told if one.spread.busiest]


def _week_line(
    account: Account, week: Planned, names: Mapping[int, str], group: int, chosen: date
) -> dict[str, object]:
    """A week, the heaviest of the groups that are shown, and whether it is the one that is looked at."""
    found = _attention_in(account, week, names, 1, group)
    return {
        "monday": week.monday,
        "sunday": week.monday + 6 * DAY,
        "heaviest": max(found, key=lambda one: one.spread.busiest or 0, default=None),
        "is_chosen": week.monday == chosen,
    }


def _monday(text: str, this_week: date) -> date:
    """The Monday of a day in an address; of this week where it is none that the calendar shows."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return this_week
    return day - day.weekday() * DAY if 2000 <= day.year <= 2100 else this_week

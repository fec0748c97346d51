"""All campaigns: which there are, for whom, and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language

from server.access.roles import Right
from server.accounts.models import Account
from server.campaigns.models import Campaign
from server.campaigns.overview import NEWEST_FIRST, State, in_state, lines_of, titled
from server.console.access import AccountRequest, page
from server.console.navigation import waiting_at
from server.console.table_files import FileKind, table_file
from server.core import clock
from server.directory.models import Company

A_PAGE = 50
IN_ONE_QUERY = 500
COLUMNS = (
    "campaign",
    "title",
    "state",
    "urgency",
    "starts",
    "ends",
    "everyone",
    "groups",
    "except_groups",
    "named",
    "people",
    "confirmed",
)


@dataclass(frozen=True)
class Filter:
    """What the list shows. `state`: None for all."""

    state: State | None
    title: str

    @classmethod
    def of(cls, request: AccountRequest) -> "Filter":
        """As the address says; what it says wrongly is left out."""
        state = request.GET.get("state", "")
        return cls(State(state) if state in set(State) else None, request.GET.get("title", "").strip()[:200])

    @property
    def words(self) -> str:
        """The filter in an address, for its other pages."""
        given = {"state": self.state or "", "title": self.title}
        return urlencode({name: value for name, value in given.items() if value})


@page(Right.READ_CAMPAIGNS)
def campaigns(request: AccountRequest) -> HttpResponse:
    """The list, newest first."""
    company, now = request.user.company, clock.now()
    chosen = Filter.of(request)
    found = _found(request.user, chosen, now)
    shown: Page[Campaign] = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    lines = lines_of(company, shown.object_list, now, get_language() or "")  # type: ignore[arg-type]
    words = {"page": shown, "lines": lines, "filter": chosen, "states": list(State), "now": now}
    words["alone"] = waiting_at(request, request.user)["campaigns"]
    return render(request, "pages/campaigns.html", words)


@page(Right.READ_CAMPAIGNS, on_record=True)
def campaigns_file(request: AccountRequest, kind: FileKind) -> HttpResponseBase:
    """The same list, all of it, for a spreadsheet."""
    company, now = request.user.company, clock.now()
    rows = _rows(company, _found(request.user, Filter.of(request), now), now)
    return table_file(kind, f"{company.pk}-campaigns", COLUMNS, rows)


def _found(account: Account, chosen: Filter, now: datetime) -> QuerySet[Campaign]:
    """Those that the account sees, and that the filter leaves."""
    company = account.company
    found = account.scope.those_of(Campaign.objects.filter(company=company)).order_by(*NEWEST_FIRST)
    if chosen.state:
        found = in_state(found, chosen.state, now)
    return found.filter(pk__among=titled(company, chosen.title)) if chosen.title else found


def _rows(company: Company, found: QuerySet[Campaign], now: datetime) -> Iterator[Sequence[object]]:
    """As `COLUMNS` has it. Each campaign is named once at the beginning: what is published meanwhile moves nothing."""
    numbers = list(found.values_list("pk", flat=True))
    for start in range(0, len(numbers), IN_ONE_QUERY):
        some = Campaign.objects.filter(pk__among=numbers[start : start + IN_ONE_QUERY]).order_by(
            *NEWEST_FIRST
        )
        for line in lines_of(company, some, now, get_language() or ""):
            yield (
                line.campaign_id,
                line.title,
                line.state.value,
                line.urgency.value,
                line.starts,
                line.ends,
                "yes" if line.everyone else "no",
                "; ".join(line.groups),
                "; ".join(line.excluded),
                line.named,
                line.reach.most,
                "yes" if line.acknowledge else "no",
            )

"""All campaigns: which there are, for whom, and when."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from server.access.roles import Right
from server.campaigns.models import Campaign
from server.campaigns.overview import NEWEST_FIRST, State, in_state, lines_of, titled
from server.console.access import AccountRequest, page
from server.console.navigation import waiting_at
from server.core import clock

A_PAGE = 50


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
    found = Campaign.objects.filter(company=company).order_by(*NEWEST_FIRST)
    if chosen.state:
        found = in_state(found, chosen.state, now)
    if chosen.title:
        found = found.filter(pk__among=titled(company, chosen.title))
    shown: Page[Campaign] = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    lines = lines_of(company, shown.object_list, now, get_language() or "")  # type: ignore[arg-type]
    words = {"page": shown, "lines": lines, "filter": chosen, "states": list(State), "now": now}
    words["alone"] = waiting_at(request, request.user)["campaigns"]
    return render(request, "pages/campaigns.html", words)

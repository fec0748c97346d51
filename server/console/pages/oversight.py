"""For the works council: who looked at what, what was decided and changed in a month. No figure of any campaign."""

from collections import Counter
from datetime import date

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from server.access.models import AccessToken
from server.access.roles import Right, Role
from server.accounts.invitations import accounts_of
from server.audit.oversight import COLUMNS, Kind, acts_of, last_of, month_after, month_named
from server.audit.verifying import noted_breaks
from server.console.access import AccountRequest, page
from server.console.table_files import FileKind, table_file
from server.core import clock
from server.directory.models import Company, Notice

MOST_LINES = 300
"""Of each kind on the page; the file has all."""


@page(Right.READ_OVERSIGHT, on_record=True)
def oversight(request: AccountRequest) -> HttpResponse:
    """One month, to be read and printed."""
    company, month = request.user.company, _month(request)
    this_month = clock.now().date().replace(day=1)
    words: dict[str, object] = {
        "month": month,
        "month_query": f"month={month:%Y-%m}",
        "before": month_after(month, -1),
        "after": month_after(month) if month < this_month else None,
        "made": clock.now(),
        "faults": noted_breaks(company),
        "roles": _roles(company),
        "notices": Notice.objects.filter(company=company).order_by("-version"),
        "most": MOST_LINES,
    }
    # One more than is shown tells that there are more.
    words |= {kind.value: last_of(company, month, kind, MOST_LINES + 1) for kind in Kind}
    return render(request, "pages/oversight.html", words)


@page(Right.READ_OVERSIGHT, on_record=True)
def oversight_file(request: AccountRequest, kind: FileKind) -> HttpResponseBase:
    """The month's acts, for a spreadsheet."""
    company, month = request.user.company, _month(request)
    rows = (line.row for line in acts_of(company, month))
    return table_file(kind, f"{company.pk}-oversight-{month:%Y-%m}", COLUMNS, rows)


def _month(request: AccountRequest) -> date:
    """As the address says; this one where it says none, or one that has not begun."""
    this_month = clock.now().date().replace(day=1)
    named = month_named(request.GET.get("month", ""))
    return named if named and named <= this_month else this_month


def _roles(company: Company) -> list[tuple[str, int, int]]:
    """How many accounts and how many tokens have each role."""
    roles = accounts_of(company).values_list("roles", flat=True)
    accounts = Counter(role for several in roles for role in several)
    tokens = Counter(
        AccessToken.objects.filter(company=company, expires_at__gt=clock.now()).values_list("role", flat=True)
    )
    return [(role, accounts[role], tokens[role]) for role in Role]

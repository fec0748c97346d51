"""The company's groups, and how large they are: what an audience is made of."""

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render

from server.access.roles import Right
from server.console.access import AccountRequest, page
from server.directory.listing import LONGEST_SEARCH, groups_by_size
from server.directory.models import Group

A_PAGE = 100


@page(Right.READ_GROUPS)
def groups(request: AccountRequest) -> HttpResponse:
    """By name. Who is in them, the list of people says to those who may see it."""
    text = request.GET.get("find", "").strip()[:LONGEST_SEARCH]
    scope, found = request.user.scope, groups_by_size(request.user.company, text)
    if scope.groups is not None:
        found = found.filter(pk__in=scope.groups)
    shown: Page[Group] = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "pages/groups.html", {"page": shown, "find": text})

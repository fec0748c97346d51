"""Today: what waits for the person, and nothing else."""

from django.http import HttpResponse
from django.shortcuts import render

from server.console.access import AccountRequest, page
from server.core import clock


@page(None)
def today(request: AccountRequest) -> HttpResponse:
    """The start."""
    return render(request, "pages/today.html", {"now": clock.now()})

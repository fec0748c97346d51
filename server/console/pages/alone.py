"""What somebody published alone, for a second person to look at afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from server.access.roles import Right
from server.accounts.models import Account
from server.audit import log
from server.campaigns.models import Campaign
from server.campaigns.overview import lines_of
from server.console.access import READING, AccountRequest, page
from server.console.announcement import of_campaigns
from server.core import clock
from server.published_alone.looks import look, to_look_at

MOST_AT_ONCE = 10


@page(Right.APPROVE_CAMPAIGNS, methods=(*READING, "POST"))
def alone(request: AccountRequest) -> HttpResponse:
    """Each with all that it says, and the button that says that one has looked."""
    account = request.user
    if request.method == "POST":
        try:
            look(account, request.POST.get("campaign", ""))
        except Campaign.DoesNotExist as unknown:
            raise Http404 from unknown
        return redirect("campaigns-alone")
    found = to_look_at(account)
    campaigns = list(found[: MOST_AT_ONCE + 1])
    lines = lines_of(account.company, found[:MOST_AT_ONCE], clock.now(), get_language() or "")
    names = _named(account, campaigns[:MOST_AT_ONCE])
    words = {
        "found": [
            (line, campaign, texts, names[campaign.pk])
            for line, campaign, texts in zip(
                lines, campaigns, of_campaigns(campaigns[:MOST_AT_ONCE]), strict=False
            )
        ],
        "has_more": len(campaigns) > MOST_AT_ONCE,
    }
    return render(request, "pages/alone.html", words)


def _named(account: Account, campaigns: Sequence[Campaign]) -> Mapping[int, Sequence[str]]:
    """The addresses of those whom each campaign names, by its number. That they are shown is on record."""
    found: dict[int, list[str]] = {campaign.pk: [] for campaign in campaigns}
    rows: QuerySet[Any, Any] = Campaign.audience_people.through.objects.filter(campaign__in=campaigns)
    for number, email in rows.order_by("person__email").values_list("campaign", "person__email"):
        found[number].append(email)
    for campaign in campaigns:
        if found[campaign.pk]:
            detail = {"campaign": campaign.campaign_id}
            log.record(account.company, account.actor, str(Right.READ_PEOPLE), detail=detail)
    return found

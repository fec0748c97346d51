"""A campaign is taken back, after asking once."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from server.access.roles import Right
from server.campaigns.models import Campaign
from server.campaigns.overview import State, lines_of, state_of
from server.console.access import READING, AccountRequest, denied, page
from server.core import clock
from server.publishing.recall import EmergencyKept, recall


@page(Right.RECALL_CAMPAIGNS, methods=(*READING, "POST"))
def recall_campaign(request: AccountRequest, campaign_id: str) -> HttpResponse:
    """Say what will happen to how many people, and do it."""
    account = request.user
    found = Campaign.objects.filter(company=account.company, campaign_id=campaign_id)
    if request.method == "POST":
        try:
            emergencies = Right.PUBLISH_EMERGENCIES in account.rights
            recall(account.company, campaign_id, account.actor, emergencies=emergencies)
        except EmergencyKept as kept:
            raise denied(account, Right.PUBLISH_EMERGENCIES, kept.message, campaign=campaign_id) from kept
        return redirect("campaigns-report", campaign_id)
    now = clock.now()
    campaign = found.get()
    if state_of(campaign, now) is State.RECALLED:
        return redirect("campaigns-report", campaign_id)
    line = lines_of(account.company, found, now, get_language() or "")[0]
    return render(request, "pages/recall.html", {"campaign": campaign, "line": line})

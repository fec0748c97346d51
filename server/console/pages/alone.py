"""What somebody published alone, for a second person to look at afterwards."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language

from server.access.roles import Right
from server.campaigns.models import Campaign
from server.campaigns.overview import lines_of
from server.console.access import READING, AccountRequest, page
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
    texts = [one.alone_texts or one.content["variants"] for one in campaigns]
    words = {
        "found": list(zip(lines, campaigns, texts, strict=False)),
        "has_more": len(campaigns) > MOST_AT_ONCE,
    }
    return render(request, "pages/alone.html", words)

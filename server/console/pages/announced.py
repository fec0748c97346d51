"""Pictures, films and captions of what was published, for those who see the campaign."""

import contextlib

from django.http import Http404
from django.http.response import HttpResponseBase

from server.access.roles import Right
from server.accounts.models import Account
from server.campaigns.models import Campaign, Media
from server.console.access import AccountRequest, page
from server.console.announcement import digests_in
from server.core import ranges
from server.media.files import path_of
from server.published_alone.looks import to_look_at


@page(Right.READ_CAMPAIGNS)
def media(request: AccountRequest, campaign_id: str, sha256: str) -> HttpResponseBase:
    """A file that the campaign shows, or the range of it that a player asks for."""
    row = Media.objects.filter(company=request.user.company_id, sha256=sha256).first()
    if row is None or not _shows(request.user, request.campaign, sha256):
        raise Http404
    with contextlib.ExitStack() as resources:
        try:
            file = resources.enter_context(path_of(row.company_id, row.sha256).open("rb"))
        except OSError as error:
            raise Http404 from error
        return ranges.answer(request.META, file, ranges.Described(row.sha256, row.size, row.type), resources)


def _shows(account: Account, campaign: Campaign, sha256: str) -> bool:
    """Whether it is in what the campaign says; or said, for whoever is to look at that after a recall."""
    if sha256 in digests_in(campaign.content["variants"]):
        return True
    kept = campaign.alone_texts
    return (
        kept is not None
        and sha256 in digests_in(kept)
        and to_look_at(account).filter(pk=campaign.pk).exists()
    )

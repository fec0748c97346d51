"""Files of campaigns, whole or in ranges, to those who may see the campaign."""

import contextlib
from datetime import datetime
from typing import BinaryIO

from django.http.response import HttpResponseBase

from server.campaigns.models import Campaign, Media
from server.core import concurrency, problems, ranges
from server.devices.auth import Caller, CallerRequest
from server.directory.models import Company
from server.feed.feed import assigned
from server.feed.trials import file_of_trial
from server.media.files import path_of

CACHE_CONTROL = "private, max-age=31536000, immutable"


def visible_media(caller: Caller, sha256: str, now: datetime) -> Media:
    """The file's description, if a campaign or test in the person's feed names it or it is the logo.

    Raises `Problem` (404).
    """
    media = Media.objects.filter(company_id=caller.company_id, sha256=sha256).first()
    if media is not None and (_is_assigned(caller, media, now) or _is_logo(media)):
        return media
    tried = file_of_trial(caller, sha256, now)
    if tried is None:
        raise problems.not_found()
    return tried


def _is_assigned(caller: Caller, media: Media, now: datetime) -> bool:
    campaigns = assigned(caller, now).filter(status=Campaign.Status.LIVE)
    return media.campaigns.filter(pk__in=campaigns).exists()


def _is_logo(media: Media) -> bool:
    logo = Company.objects.values_list("logo", flat=True).get(pk=media.company_id)
    return logo is not None and logo.get("sha256") == media.sha256


def answer(request: CallerRequest, media: Media) -> HttpResponseBase:
    """The file, or the range asked for (RFC 9110, section 14). Raises `Problem` (404, 503)."""
    with contextlib.ExitStack() as resources:
        caller = request.auth
        resources.enter_context(
            concurrency.downloads.held(concurrency.Holder(caller.device_id, caller.company_id))
        )
        file = resources.enter_context(_open(media))
        described = ranges.Described(media.sha256, media.size, media.type)
        answered = ranges.answer(request.META, file, described, resources)
    answered["Cache-Control"] = CACHE_CONTROL
    answered["X-Content-Type-Options"] = "nosniff"
    return answered


def _open(media: Media) -> BinaryIO:
    try:
        return path_of(media.company_id, media.sha256).open("rb")
    except FileNotFoundError as error:
        raise problems.not_found() from error

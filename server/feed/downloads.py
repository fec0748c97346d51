"""Files of campaigns, whole or in ranges, to those who may see the campaign."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from django.http import HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

from server.campaigns.models import Campaign, Media
from server.core import concurrency, problems
from server.devices.auth import Caller, CallerRequest
from server.directory.models import Company
from server.feed.feed import assigned
from server.feed.trials import file_of_trial
from server.media.files import path_of

CHUNK_BYTES = 64 * 1024
CACHE_CONTROL = "private, max-age=31536000, immutable"


class _Download:
    """Chunks of an answer; frees the file and the download slot when the answer is over, however it ends."""

    def __init__(self, chunks: Iterator[bytes], resources: contextlib.ExitStack) -> None:
        self._chunks = chunks
        self._resources = resources

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._resources.close()


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
        response = _conditional(request, media, file)
        if response.status_code == 304:
            answered: HttpResponseBase = HttpResponseNotModified()
        elif response.status_code == 416:
            answered = HttpResponse(status=416)
        else:
            # Closed by Django together with the response, not at the end of this block.
            answered = StreamingHttpResponse(
                _Download(response.iter_encoded(), resources.pop_all()), status=response.status_code
            )
    for name in ("Content-Type", "Content-Length", "Content-Range"):
        if name in response.headers:
            answered[name] = response.headers[name]
    answered["ETag"] = f'"{media.sha256}"'
    answered["Accept-Ranges"] = "bytes"
    answered["Cache-Control"] = CACHE_CONTROL
    answered["X-Content-Type-Options"] = "nosniff"
    return answered


def _open(media: Media) -> BinaryIO:
    try:
        return path_of(media.company_id, media.sha256).open("rb")
    except FileNotFoundError as error:
        raise problems.not_found() from error


def _conditional(request: CallerRequest, media: Media, file: BinaryIO) -> Response:
    response = Response(
        wrap_file(request.META, file, CHUNK_BYTES), mimetype=media.type, direct_passthrough=True
    )
    response.content_length = media.size
    response.set_etag(media.sha256)
    try:
        return response.make_conditional(request.META, accept_ranges=True, complete_length=media.size)
    except RequestedRangeNotSatisfiable:
        unsatisfiable = Response(status=416)
        unsatisfiable.headers["Content-Range"] = f"bytes */{media.size}"
        return unsatisfiable

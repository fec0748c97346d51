"""Videos in pieces: the tus protocol 1.0 (https://tus.io/protocols/resumable-upload): creation, expiration, termination."""

import base64
import binascii
from collections.abc import Callable
from http import HTTPStatus
from pathlib import PurePath

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import get_language

from server.access.roles import Right
from server.console.access import AccountRequest, page
from server.console.pages.drafts import draft_of, shown_conversions
from server.core import clock
from server.core.errors import EnvironmentFault, Refused
from server.drafts import conversions, uploads
from server.drafts.models import DraftUpload
from server.media.checks import BadFile, Convertible
from server.media.converting import is_there
from server.media.video import MAX_BYTES

VERSION = "1.0.0"
PIECE_TYPE = "application/offset+octet-stream"
LONGEST_NAME = 100


@page(Right.DRAFT_CAMPAIGNS, methods=("OPTIONS", "POST"))
def begin(request: AccountRequest, draft_id: str) -> HttpResponse:
    """Say what is understood here, or begin an upload."""
    draft = draft_of(request, draft_id)
    if request.method == "OPTIONS":
        words = {"Tus-Version": VERSION, "Tus-Extension": "creation,expiration,termination"}
        return _answer(HTTPStatus.NO_CONTENT, words | {"Tus-Max-Size": str(MAX_BYTES)})
    if refusal := _other_version(request):
        return refusal
    length, name = _number(request, "Upload-Length"), _name(request)
    if length is None or name is None or draft.campaign is not None:
        return _answer(HTTPStatus.BAD_REQUEST)
    return _begun(lambda: uploads.begin(draft, request.user, name, length))


@page(Right.DRAFT_CAMPAIGNS, methods=("POST",))
def begin_archive(request: AccountRequest) -> HttpResponse:
    """Begin a draft, and the upload of the ZIP file that it is to become."""
    if refusal := _other_version(request):
        return refusal
    length, name = _number(request, "Upload-Length"), _name(request)
    if length is None or name is None:
        return _answer(HTTPStatus.BAD_REQUEST)
    language = get_language() or "en"
    return _begun(lambda: uploads.begin_archive(request.user, language, name, length))


def _begun(begin: Callable[[], DraftUpload]) -> HttpResponse:
    try:
        upload = begin()
    except Refused as refused:
        return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text=f"{refused.title}. {refused.message}")
    except uploads.NoRoom as fault:
        return _answer(HTTPStatus.INSUFFICIENT_STORAGE, text=f"{fault.title}. {fault.message}")
    place = reverse("drafts-video", args=[upload.draft.draft_id, upload.upload_id])
    return _answer(HTTPStatus.CREATED, _expiry(upload) | {"Location": place})


@page(Right.DRAFT_CAMPAIGNS, methods=("HEAD", "PATCH", "DELETE", "POST"))
def video(request: AccountRequest, draft_id: str, upload_id: str) -> HttpResponse:
    """Ask how much has come, send a piece, give up; or, which is ours, have the video that has come checked and kept."""
    draft = draft_of(request, draft_id)
    found = DraftUpload.objects.filter(draft=draft, account=request.user, upload_id=upload_id)
    upload = found.select_related("draft__company").first()
    if upload is None:
        raise Http404
    if uploads.expires_at(upload) <= clock.now():
        uploads.give_up(upload)
        return _answer(HTTPStatus.GONE)
    if request.method != "POST" and (refusal := _other_version(request)):
        return refusal
    if upload.stage != DraftUpload.Stage.COMING and request.method != "DELETE":
        return _converted_later() if request.method == "POST" else _answer(HTTPStatus.CONFLICT)
    acts = {"HEAD": _offset, "PATCH": _piece, "DELETE": _give_up, "POST": _finish}
    return _carried_out(acts[request.method or ""], request, upload)


def _carried_out(
    act: Callable[[AccountRequest, DraftUpload], HttpResponse], request: AccountRequest, upload: DraftUpload
) -> HttpResponse:
    try:
        return act(request, upload)
    except uploads.WrongOffset:
        return _answer(HTTPStatus.CONFLICT)
    except uploads.Locked:
        return _answer(HTTPStatus.LOCKED)
    except uploads.TooLong:
        return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except (BadFile, Refused) as refused:
        told = (
            f"{refused.what}; {refused.what_to_do}."
            if isinstance(refused, BadFile)
            else f"{refused.title}. {refused.message}"
        )
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, text=told)
    except EnvironmentFault as fault:
        return _answer(HTTPStatus.INSUFFICIENT_STORAGE, text=f"{fault.title}. {fault.message}")
    except FileNotFoundError as error:  # after a restored backup of the database alone
        uploads.drop(upload)
        raise Http404 from error


def _offset(_request: AccountRequest, upload: DraftUpload) -> HttpResponse:
    words = {"Upload-Offset": str(uploads.offset_of(upload)), "Upload-Length": str(upload.length)}
    return _answer(HTTPStatus.OK, _expiry(upload) | words)


def _piece(request: AccountRequest, upload: DraftUpload) -> HttpResponse:
    if request.content_type != PIECE_TYPE:
        return _answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    offset = _number(request, "Upload-Offset")
    if offset is None:
        return _answer(HTTPStatus.BAD_REQUEST)
    end = uploads.append(upload, offset, request)
    return _answer(HTTPStatus.NO_CONTENT, _expiry(upload) | {"Upload-Offset": str(end)})


def _give_up(_request: AccountRequest, upload: DraftUpload) -> HttpResponse:
    uploads.give_up(upload)
    return _answer(HTTPStatus.NO_CONTENT)


def _finish(request: AccountRequest, upload: DraftUpload) -> HttpResponse:
    if upload.becomes_draft:
        draft = uploads.finish_archive(upload, request.user)
        return JsonResponse({"draft": reverse("drafts-compose", args=[draft.draft_id])})
    try:
        kept, poster = uploads.finish(upload)
    except Convertible as bad:
        if not is_there():
            uploads.drop(upload)
            raise
        try:
            conversions.begin(upload, bad.what, get_language() or "en")
        except Refused:
            uploads.drop(upload)
            raise
        return _converted_later()
    return JsonResponse({"video": kept.name, "poster": poster.name})


def _converted_later() -> HttpResponse:
    """The page of the draft says how far it has come."""
    return _answer(HTTPStatus.ACCEPTED)


@page(Right.DRAFT_CAMPAIGNS)
def converted(request: AccountRequest, draft_id: str) -> HttpResponse:
    """How far the conversions of this person in the draft have come: a part of its page."""
    draft = draft_of(request, draft_id)
    conversions.wake()
    return render(request, "parts/conversions.html", {"draft": draft} | shown_conversions(request, draft))


def _answer(status: HTTPStatus, words: dict[str, str] | None = None, text: str = "") -> HttpResponse:
    headers = {"Tus-Resumable": VERSION} | (words or {})
    return HttpResponse(text, status=status, headers=headers, content_type="text/plain; charset=utf-8")


def _other_version(request: AccountRequest) -> HttpResponse | None:
    if request.headers.get("Tus-Resumable") == VERSION:
        return None
    return _answer(HTTPStatus.PRECONDITION_FAILED, {"Tus-Version": VERSION})


def _expiry(upload: DraftUpload) -> dict[str, str]:
    return {"Upload-Expires": http_date(uploads.expires_at(upload).timestamp())}


def _number(request: AccountRequest, header: str) -> int | None:
    text = request.headers.get(header, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _name(request: AccountRequest) -> str | None:
    """What `Upload-Metadata` calls the file; None where it cannot be read."""
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        key, _blank, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                name = base64.b64decode(value, validate=True).decode().replace("\0", "")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return PurePath(name).name[-LONGEST_NAME:] or "video"
    return "video"

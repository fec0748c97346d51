"""How every error is answered: `application/problem+json` (RFC 9457), with the codes of `docs/protocol`."""

import json
import logging
import math
import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from server.core import connection_limits
from server.core.errors import EnvironmentFault
from server.core.sparing_log import SparingLog

CONTENT_TYPE = "application/problem+json"
LARGEST_DETAIL = 500
KEPT_HEADERS = {"Allow", "Content-Range"}
SPREAD = 3.0
"""Who is sent away by a 503 comes back after one to so many times the wait, so that they do not come together."""

_log = SparingLog(logging.getLogger(__name__))


class Problem(Exception):
    """An answer other than the one hoped for. `retry_after_s` goes into `Retry-After` (RFC 9110, 10.2.3)."""

    def __init__(
        self, code: str, status: int, title: str, detail: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{status} {code}")
        self.code = code
        self.status = status
        self.title = title
        self.detail = detail
        self.retry_after_s = retry_after_s

    def response(self) -> HttpResponse:
        """The answer to send."""
        body = {
            "type": f"tidings:{self.code}",
            "title": self.title,
            "detail": self.detail,
            "status": self.status,
        }
        response = HttpResponse(json.dumps(body), status=self.status, content_type=CONTENT_TYPE)
        response["Cache-Control"] = "no-store"
        if self.retry_after_s is not None:
            response["Retry-After"] = str(max(1, math.ceil(self.retry_after_s)))
        if self.status == HTTPStatus.UNAUTHORIZED:
            response["WWW-Authenticate"] = "Bearer"
        return response


def invalid(detail: str, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> Problem:
    """The request cannot be understood or is against the schema."""
    return Problem("invalid-request", status, "The request is not valid", detail[:LARGEST_DETAIL])


def unreadable(detail: str, status: int = HTTPStatus.BAD_REQUEST) -> Problem:
    """The request did not arrive as anybody sent it. Not final: agents send it again."""
    return Problem("unreadable-request", status, "The request could not be read", detail[:LARGEST_DETAIL])


def head_too_large() -> Problem:
    """The request's line and headers together are longer than `MOST_HEADER_BYTES`."""
    detail = f"Line and headers may have {connection_limits.MOST_HEADER_BYTES} bytes together."
    return unreadable(detail, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


def too_large(dpo_email: str) -> Problem:
    """What is held about the person does not fit into one answer."""
    detail = f"It is more than one answer can hold. Ask for a copy: {dpo_email}"
    title = "This is too much for one answer"
    return Problem("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, title, detail)


def invalid_code() -> Problem:
    """One answer for unknown, used and expired codes, so that codes cannot be probed."""
    detail = "It is unknown, used or expired. Ask for a new invitation."
    return Problem("invalid-code", HTTPStatus.NOT_FOUND, "This code cannot be used", detail)


def wrong_region(theirs: str, own: str) -> Problem:
    """The code's company keeps its data with servers of the region `theirs`. The protocol fixes the form of `detail`."""
    detail = f"region {theirs}, not {own}"
    title = "This server is in another region"
    return Problem("wrong-region", HTTPStatus.MISDIRECTED_REQUEST, title, detail)


def unauthorized() -> Problem:
    """No token, or one that is unknown or revoked."""
    detail = "The device token is missing, unknown or revoked."
    return Problem("unauthorized", HTTPStatus.UNAUTHORIZED, "This computer is not connected", detail)


def token_reused() -> Problem:
    """A token was used after another one had replaced it: there is a copy of it somewhere."""
    detail = "A replaced token of this computer was used, so all of them were revoked. Enrol it again."
    return Problem("token-reused", HTTPStatus.UNAUTHORIZED, "This computer was disconnected", detail)


def forbidden(role: str) -> Problem:
    """The caller is known, and their role has no right to this."""
    detail = f"The role {role} may not do this."
    return Problem("forbidden", HTTPStatus.FORBIDDEN, "Not allowed", detail)


def not_found() -> Problem:
    """There is no such thing, or it is none of the caller's business."""
    detail = "There is nothing at this address for this computer."
    return Problem("not-found", HTTPStatus.NOT_FOUND, "Not found", detail)


def notice_changed(version: int) -> Problem:
    """A consent to a notice that is no longer in force."""
    detail = f"Version {version} is in force. Ask the person afresh."
    return Problem("notice-changed", HTTPStatus.CONFLICT, "The notice has changed", detail)


def too_many_requests(retry_after_s: float) -> Problem:
    """One computer asks more often than it may."""
    detail = "Wait as long as Retry-After says."
    title = "Too many requests"
    return Problem("too-many-requests", HTTPStatus.TOO_MANY_REQUESTS, title, detail, retry_after_s)


def overloaded(retry_after_s: float) -> Problem:
    """The server, or its database, cannot keep up or cannot be reached. The wait is spread (`SPREAD`)."""
    detail = "Wait as long as Retry-After says."
    wait_s = retry_after_s * random.uniform(1, SPREAD)
    return Problem("overloaded", HTTPStatus.SERVICE_UNAVAILABLE, "The server is busy", detail, wait_s)


def database_unavailable(error: Exception) -> Problem:
    """The database is locked or cannot be reached; the log says what it said."""
    _log.warning("database", f"503, database: {type(error).__name__}: {str(error).strip()}")
    return overloaded(5)


def surroundings_faulty(fault: EnvironmentFault) -> Problem:
    """Something that the request needs is missing or broken, as a company's key; the log says what."""
    _log.warning(fault.title, f"503: {fault.title}. {fault.message}")
    return overloaded(60)


def _of_status(status: int) -> Problem:
    if status == HTTPStatus.NOT_FOUND:
        return not_found()
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return unreadable("This address does not know this method. See the Allow header.", status)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return unreadable(HTTPStatus(status).description or HTTPStatus(status).phrase, status)
    detail = "The fault is on our side and has been logged."
    return Problem("server-error", status, "The server failed", detail)


def _of_http_error(error: Exception) -> Problem:
    """Ninja answers whatever the parser raises with a 400; the parser's own status says more."""
    if isinstance(error.__cause__, Problem):
        return error.__cause__
    told = error.__cause__ if isinstance(error.__cause__, HttpError) else error
    return _of_status(getattr(told, "status_code", HTTPStatus.BAD_REQUEST))


def _first_error(error: ValidationError) -> str:
    first = error.errors[0]
    place = ".".join(str(part) for part in first["loc"][2:])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def answer_all_errors(api: NinjaAPI) -> None:
    """Make the API answer each exception with its problem. What is not named here is a bug, and a 500."""
    answers: dict[type[Exception], Callable[[Exception], Problem]] = {
        Problem: lambda error: error,  # type: ignore[dict-item,return-value]
        ValidationError: lambda error: invalid(_first_error(error)),  # type: ignore[arg-type]
        AuthenticationError: lambda _: unauthorized(),
        HttpError: _of_http_error,
        Http404: lambda _: not_found(),
        BadRequest: lambda error: unreadable(str(error)),
        RequestDataTooBig: lambda _: _of_status(HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        OperationalError: database_unavailable,
        InterfaceError: database_unavailable,
        EnvironmentFault: surroundings_faulty,  # type: ignore[dict-item]
    }
    for kind, to_problem in answers.items():
        api.add_exception_handler(kind, _handler(to_problem))


def _handler(to_problem: Callable[[Exception], Problem]) -> Callable[[HttpRequest, Any], HttpResponse]:
    def handle(_request: HttpRequest, error: Exception) -> HttpResponse:
        return to_problem(error).response()

    return handle


class ProblemMiddleware:
    """Turns the errors that Django itself answers (no such address, wrong method, a bug) into problem documents.

    What does not say who may keep it, nobody may (RFC 9111, section 5.2.2.5).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._as_problem(self._get_response(request))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _as_problem(self, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code < HTTPStatus.BAD_REQUEST or response.get("Content-Type") == CONTENT_TYPE:
            return response
        problem = _of_status(response.status_code).response()
        for name in KEPT_HEADERS & set(response.headers):
            problem[name] = response[name]
        response.close()
        return problem

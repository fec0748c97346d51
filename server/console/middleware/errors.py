"""Errors that have a title and a message for people become pages."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from server.console.access import WrongMethod
from server.console.pages.errors import page_of, without_database
from server.core.errors import EnvironmentFault, Refused

_log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ErrorMiddleware:
    """The last of all."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A page for what was refused, and for a fault of the machine or the database. Other errors are bugs."""
        if isinstance(error, WrongMethod):
            answer = page_of(
                request,
                HTTPStatus.METHOD_NOT_ALLOWED,
                _("This page cannot be asked that way"),
                _("Open it from the start page."),
            )
            answer.headers["Allow"] = str(error)
            return answer
        if isinstance(error, Refused):
            return page_of(request, HTTPStatus.CONFLICT, error.title, error.message)
        if isinstance(error, EnvironmentFault):
            return page_of(request, HTTPStatus.SERVICE_UNAVAILABLE, error.title, error.message)
        if isinstance(error, OperationalError | InterfaceError):
            _log.warning("503, database: %s: %s", type(error).__name__, str(error).strip())
            return without_database()
        return None

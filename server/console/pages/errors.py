"""What a page says when it cannot be shown, in words, with what to do."""

import sys
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.console.kept_forms import answer_out_of_date


def page_of(request: HttpRequest, status: HTTPStatus, title: str, message: str) -> HttpResponse:
    """An error in the console's frame."""
    return render(request, "pages/error.html", {"title": title, "message": message}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, and 413 for a form that is too large."""
    if isinstance(exception, RequestDataTooBig):
        return page_of(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, *_too_large())
    return _bare(HTTPStatus.BAD_REQUEST, *_not_understood())


def unread(status: HTTPStatus) -> HttpResponse:
    """For a request that did not come whole, or got no turn: nothing was looked up, nor changed."""
    texts = {
        HTTPStatus.REQUEST_TIMEOUT: _late,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _too_large,
        HTTPStatus.SERVICE_UNAVAILABLE: _busy,
    }
    return _bare(status, *texts.get(status, _not_understood)())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: no right, or another site asked."""
    return page_of(
        request,
        HTTPStatus.FORBIDDEN,
        _("This is not yours to open"),
        str(exception)
        or _("Your roles do not include it. Ask an administrator of your company if you need it."),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: of another company, or nothing at all."""
    return page_of(
        request,
        HTTPStatus.NOT_FOUND,
        _("There is no such page"),
        _("The address is wrong, or what was here is gone. Open the start page, and look for it from there."),
    )


def without_database() -> HttpResponse:
    """503: it cannot be used just now, so that this asks it nothing."""
    return _bare(
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The server cannot use its database just now"),
        _(
            "Its disk may be full, or the database away or busy. What you sent may not be stored: look before you try "
            "again. If it stays so, tell whoever looks after the server."
        ),
    )


def failed(request: HttpRequest) -> HttpResponse:
    """500: a bug, or 503 where the database was away before any view was asked.

    Whatever failed may fail again, so this needs nothing.
    """
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return without_database()
    return _bare(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _("Something went wrong in the console"),
        _(
            "It is noted in the server's log. Try again; if it stays, tell who runs the server at what time it happened."
        ),
    )


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429: of one address on the network, or of one account."""
    return page_of(
        request,
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Too many requests"),
        _("Nothing was changed. Wait for a minute, and try again."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that this browser did not get from the console, or got before signing in anew."""
    if answer := answer_out_of_date(request):
        return answer
    return page_of(
        request,
        HTTPStatus.FORBIDDEN,
        _("This form is out of date"),
        _(
            "Nothing was changed. Go back, reload the page, and send the form again. The console needs cookies."
        ),
    )


def _too_large() -> tuple[str, str]:
    return (
        _("That was too much"),
        _(
            "The form holds more than the console takes. Shorten the texts, or send files where the page asks for them."
        ),
    )


def _not_understood() -> tuple[str, str]:
    return (
        _("The console did not understand that"),
        _("The address or the form is not one of its own. Open the start page, and go on from there."),
    )


def _late() -> tuple[str, str]:
    return (
        _("The form did not come in time"),
        _("Nothing was changed. Look at your network connection, go back, and send the form again."),
    )


def _busy() -> tuple[str, str]:
    return (
        _("The console is busy"),
        _("Nothing was changed. Wait for some seconds, and try again."),
    )


def _bare(status: HTTPStatus, title: str, message: str) -> HttpResponse:
    words = {"title": title, "message": message, "language": get_language()}
    return HttpResponse(render_to_string("pages/bare_error.html", words), status=status)

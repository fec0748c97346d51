"""A long form that cannot be taken is shown again with all that was typed: it was on that page, and nowhere else."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils.translation import gettext as _

SHOWN = ("title", "body")
"""What the person sees of it, and may change; everything else is sent along as it came."""
NEVER_KEPT = "csrfmiddlewaretoken"


def is_by_script(request: HttpRequest) -> bool:
    """Whether a page asked by itself, and nobody would see a page that answers."""
    return "HX-Request" in request.headers


def answer_unsigned(request: HttpRequest, *, keeps_form: bool) -> HttpResponse | None:
    """What somebody gets who is not signed in, in place of the way to the sign-in; None where that is right."""
    if is_by_script(request):
        return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
    if not keeps_form or request.method != "POST":
        return None
    return kept_form(
        request,
        HTTPStatus.UNAUTHORIZED,
        _("You are signed out"),
        _(
            "What you wrote is on this page, and not saved yet. "
            "Sign in in another window, come back to this one, and press “Save”."
        ),
    )


def answer_out_of_date(request: HttpRequest) -> HttpResponse | None:
    """The same for a form that was made before the last sign-in of this browser, which changes the token of all forms."""
    if is_by_script(request):
        return HttpResponse(status=HTTPStatus.FORBIDDEN, headers={"Tidings-Token": get_token(request)})
    match = request.resolver_match
    if match is None or not getattr(match.func, "keeps_form", False) or not _is_of_the_console(request):
        return None
    if not request.user.is_authenticated:
        return answer_unsigned(request, keeps_form=True)
    return kept_form(
        request,
        HTTPStatus.FORBIDDEN,
        _("You signed in since you opened this"),
        _("What you wrote is on this page, and not saved yet. Press “Save”."),
    )


def kept_form(request: HttpRequest, status: HTTPStatus, title: str, message: str) -> HttpResponse:
    """The page. Its button sends to the same address what was sent now."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in SHOWN and name != NEVER_KEPT
    ]
    words = {
        "title": title,
        "message": message,
        "fields": fields,
        "typed": request.POST,
        "is_signed_out": not request.user.is_authenticated,
    }
    return render(request, "pages/kept_form.html", words, status=status)


def _is_of_the_console(request: HttpRequest) -> bool:
    """What another site made somebody send is not shown to them as their own."""
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"

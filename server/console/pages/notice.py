"""The privacy notice: its versions, and how another one comes into force."""

from collections.abc import Mapping
from http import HTTPStatus

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.companies.company_file import MOST_NOTICE
from server.console.access import READING, AccountRequest, page, to_confirm
from server.console.posted import number
from server.core.errors import Refused
from server.notices.models import NoticeProposal
from server.notices.proposing import (
    checked,
    difference,
    effect_of,
    may_put_in_force,
    needs_two,
    others_decide,
    propose,
    put_in_force,
    seal_of,
    take_back,
    waiting,
)
from server.signing.digests import notice_digest

ALWAYS = ("en", "fr")
"""Languages that are offered, whether the notice has them or not."""
FIELD = "text-"


@page(Right.READ_RECORD)
def notice(request: AccountRequest) -> HttpResponse:
    """What employees are told, in each version that there was."""
    company = request.user.company
    versions = list(company.notices.order_by("-version"))
    wanted = number(request.GET.get("version", "")) or versions[0].version
    shown = next((one for one in versions if one.version == wanted), None)
    if shown is None:
        raise Http404
    words = {
        "versions": versions,
        "shown": shown,
        "digest": notice_digest(shown.text),
        "is_in_force": shown == versions[0],
        "proposal": waiting(company),
        "may_edit": Right.EDIT_NOTICE in request.user.rights,
    }
    return render(request, "pages/notice.html", words)


@page(Right.EDIT_NOTICE, keeps_form=True, methods=(*READING, "POST"))
def write(request: AccountRequest) -> HttpResponse:
    """Write another version: look at what it changes, then have it wait for whoever puts it in force."""
    company = request.user.company
    if waiting(company):
        return redirect("notice-proposal")
    current = company.current_notice()
    if request.method != "POST":
        return _form(request, dict.fromkeys(ALWAYS, "") | current.text, current.version)
    typed = {
        name.removeprefix(FIELD): text
        for name, text in request.POST.items()
        if isinstance(text, str) and name.startswith(FIELD)
    }
    instead_of = number(request.POST.get("instead_of", ""))
    if request.POST.get("go") == "add":
        language = request.POST.get("language", "").strip()
        return _form(request, {language: "", **typed} if language else typed, instead_of)
    try:
        if request.POST.get("go") == "propose":
            propose(request.user, typed, instead_of)
            return redirect("notice-proposal")
        kept = checked(typed)
    except Refused as refused:
        note = f"{refused.title}. {refused.message}"
        return _form(request, typed, instead_of, {"note": note}, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _form(request, typed, instead_of, _what_it_does(request, kept))


@page(Right.EDIT_NOTICE)
def proposal(request: AccountRequest) -> HttpResponse:
    """What waits, what it changes, and what can be done about it."""
    found = waiting(request.user.company)
    return _proposal(request, found) if found else redirect("notice")


@page(Right.EDIT_NOTICE, methods=("POST",))
def put_proposal_in_force(request: AccountRequest) -> HttpResponseBase:
    """Make it the notice, after a fresh second factor."""
    if not did_recently_reauthenticate(request):
        return to_confirm(reverse("notice-proposal"))
    found = waiting(request.user.company)
    if found and "sure" not in request.POST:
        note = _("Tick that you have read it, and that everybody is asked again.")
        return _proposal(request, found, note, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        put_in_force(request.user, request.POST.get("seal", ""))
    except Refused as refused:
        return _refused(request, refused)
    return redirect("notice")


@page(Right.EDIT_NOTICE, methods=("POST",))
def take_proposal_back(request: AccountRequest) -> HttpResponse:
    """Leave the notice as it is."""
    try:
        take_back(request.user, request.POST.get("seal", ""))
    except Refused as refused:
        return _refused(request, refused)
    return redirect("notice")


def _refused(request: AccountRequest, refused: Refused) -> HttpResponse:
    found = waiting(request.user.company)
    if found is None:
        raise refused
    return _proposal(request, found, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)


def _form(
    request: AccountRequest,
    typed: Mapping[str, str],
    instead_of: int,
    more: Mapping[str, object] = {},
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    words = {"typed": sorted(typed.items()), "instead_of": instead_of, "most": MOST_NOTICE, **more}
    return render(request, "pages/notice_new.html", words, status=status)


def _what_it_does(request: AccountRequest, text: Mapping[str, str]) -> dict[str, object]:
    company = request.user.company
    now = company.current_notice().text
    return {
        "effect": effect_of(company, text),
        "differences": [
            (language, difference(now.get(language, ""), text.get(language, "")))
            for language in sorted(now.keys() | text.keys())
        ],
        "texts": sorted(text.items()),
    }


def _proposal(
    request: AccountRequest, found: NoticeProposal, note: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    words = {
        "proposal": found,
        "note": note,
        "seal": seal_of(found),
        "version": found.instead_of + 1,
        "may_decide": may_put_in_force(request.user, found),
        "needs_two": needs_two(found.company),
        "has_second": others_decide(request.user, found),
        **_what_it_does(request, found.text),
    }
    return render(request, "pages/notice_proposal.html", words, status=status)

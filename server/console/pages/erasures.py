"""People are erased by two: one asks for it, another one looks at whom, and has it carried out."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.accounts.two_people import others_with
from server.console import erasing
from server.console.access import READING, AccountRequest, page
from server.console.posted import LARGEST
from server.core import clock
from server.core.errors import Refused
from server.erasure.address_lists import read_addresses
from server.erasure.erasure import find_people
from server.erasure.models import ErasureRequest
from server.erasure.requests import (
    ask,
    decide,
    is_being_carried_out,
    is_under_way,
    may_decide,
    others_decide,
    people_of,
    seal_of,
    take_back,
    waiting,
)

MOST_SHOWN = 100
LATE = timedelta(minutes=1)
"""Then it is done, or a process holds it."""


@page(Right.ERASE_PEOPLE, methods=(*READING, "POST"))
def erasures(request: AccountRequest) -> HttpResponse:
    """What waits; and whom to ask for: first who is found is shown, then it is asked for."""
    typed = request.POST.get("addresses", request.GET.get("address", "")).replace("\0", "")
    if request.method != "POST":
        return _page(request, {"typed": typed})
    try:
        people, unknown = _found(request, typed)
    except Refused as refused:
        note = f"{refused.title}. {refused.message}"
        return _page(request, {"typed": typed, "note": note}, HTTPStatus.UNPROCESSABLE_ENTITY)
    seal = seal_of(people.values())
    if people and request.POST.get("go") == "ask" and request.POST.get("seal") == seal:
        return redirect("erasures-request", ask(request.user, list(people.values())).pk)
    shown: dict[str, object] = {
        "typed": typed,
        "found": sorted(people)[:MOST_SHOWN],
        "count": len(people),
        "unknown": unknown[:MOST_SHOWN],
        "more_unknown": max(0, len(unknown) - MOST_SHOWN),
        "seal": seal,
        "is_found": True,
    }
    return _page(request, shown)


@page(Right.ERASE_PEOPLE)
def erasure_request(request: AccountRequest, number: int) -> HttpResponse:
    """Whom it is about, who asked for it, and what can be done about it."""
    return _request_page(request, _request_of(request, number))


@page(Right.ERASE_PEOPLE, methods=("POST",), fresh=True)
def carry_out(request: AccountRequest, number: int) -> HttpResponse:
    """Have it carried out, as the second person."""
    found = _request_of(request, number)
    if "sure" not in request.POST and not is_under_way(found):
        note = _("Tick that everything about them shall be erased.")
        return _request_page(request, found, note, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        decide(found, request.user, request.POST.get("seal", ""))
    except Refused as refused:
        return _request_page(request, found, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)
    erasing.carry_out(found)
    return redirect("erasures")


@page(Right.ERASE_PEOPLE, methods=("POST",))
def take_request_back(request: AccountRequest, number: int) -> HttpResponse:
    """Erase nobody after all."""
    found = _request_of(request, number)
    try:
        take_back(found, request.user)
    except Refused as refused:
        return _request_page(request, found, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)
    return redirect("erasures")


def _found(request: AccountRequest, typed: str) -> tuple[dict[str, UUID], Sequence[str]]:
    """Who has these addresses, and what nobody has. Raises `Refused` for what is no list of addresses."""
    if not typed.strip():
        raise Refused(_("No address was given"), _("Type or paste addresses, one on each line."))
    addresses = read_addresses(typed)
    people, unknown = find_people(request.user.company, [one.email for one in addresses if not one.fault])
    faults = [f"{one.line}: {one.fault}" for one in addresses if one.fault]
    return people, [*unknown, *faults]


def _request_of(request: AccountRequest, number: int) -> ErasureRequest:
    """Raises `Http404` for one of another company, as for one that is done."""
    found = ErasureRequest.objects.select_related("asked_by", "company")
    if (
        number > LARGEST
        or (asked := found.filter(company=request.user.company_id, pk=number).first()) is None
    ):
        raise Http404
    return asked


def _is_late(found: ErasureRequest) -> bool:
    """Whether it was decided some time ago, and nobody does it."""
    decided = found.decided_at
    return decided is not None and decided < clock.now() - LATE and not is_being_carried_out(found)


def _page(
    request: AccountRequest, shown: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    asked = [(one, is_under_way(one)) for one in waiting(request.user.company)]
    words = {"asked": asked, "has_second": bool(others_with(Right.ERASE_PEOPLE, request.user)), **shown}
    return render(request, "pages/erasures.html", words, status=status)


def _request_page(
    request: AccountRequest, found: ErasureRequest, note: str = "", status: HTTPStatus = HTTPStatus.OK
) -> HttpResponse:
    people = people_of(found)
    shown = {
        "asked": found,
        "asker": found.asker_words,
        "note": note,
        "page": Paginator(people.values_list("email", flat=True), MOST_SHOWN).get_page(
            request.GET.get("page")
        ),
        "count": people.count(),
        "seal": seal_of(people.order_by().values_list("pk", flat=True)),
        "may_decide": may_decide(request.user, found),
        "has_second": others_decide(request.user, found),
        "is_under_way": is_under_way(found),
        "is_late": _is_late(found),
    }
    return render(request, "pages/erasure_request.html", shown, status=status)

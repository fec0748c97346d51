"""Who processes data for the company, from when to when: a part of the record of processing."""

from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, render

from server.access.roles import Right
from server.console.access import READING, AccountRequest, page
from server.console.posted import LARGEST
from server.core import clock
from server.core.errors import Refused
from server.processing_record.processors import add, end, is_over, listed


@page(Right.READ_RECORD)
def processors(request: AccountRequest) -> HttpResponse:
    """All that there are, and those that were."""
    return _page(request)


@page(Right.EDIT_RECORD, methods=(*READING, "POST"))
def add_processor(request: AccountRequest) -> HttpResponse:
    """Add one."""
    if request.method != "POST":
        return redirect("record-processors")
    typed = {name: text for name, text in request.POST.items() if isinstance(text, str)}
    try:
        add(request.user, typed, is_outside="outside" in request.POST)
    except Refused as refused:
        return _page(request, refused, typed)
    return redirect("record-processors")


@page(Right.EDIT_RECORD, methods=("POST",))
def end_processor(request: AccountRequest, number: int) -> HttpResponse:
    """Say which day is its last."""
    try:
        end(request.user, min(number, LARGEST), request.POST.get("until", ""))
    except Refused as refused:
        return _page(request, refused)
    return redirect("record-processors")


def _page(
    request: AccountRequest, refused: Refused | None = None, typed: Mapping[str, str] = {}
) -> HttpResponse:
    found = listed(request.user.company)
    words = {
        "note": f"{refused.title}. {refused.message}" if refused else "",
        "typed": typed,
        "now": [one for one in found if not is_over(one)],
        "over": [one for one in found if is_over(one)],
        "may_edit": Right.EDIT_RECORD in request.user.rights,
        "today": clock.now().date(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK
    return render(request, "pages/processors.html", words, status=status)

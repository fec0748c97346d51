"""What people want corrected in the directory's fields, and the decision about each."""

import json
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.console import words
from server.console.access import AccountRequest, page
from server.console.posted import number
from server.core import clock
from server.core.errors import Refused
from server.data_subject.decisions import ANSWER_WITHIN, accept, decline, waiting
from server.data_subject.models import CorrectionRequest

A_PAGE = 100


@dataclass(frozen=True)
class Line:
    """One wish. `seen`: the value that is decided about, as JSON."""

    number: int
    email: str
    field: str
    now: str
    wanted: str
    seen: str
    due: datetime
    is_late: bool


@page(Right.READ_CORRECTIONS, on_record=True)
def corrections(request: AccountRequest) -> HttpResponse:
    """Those that wait, the oldest first."""
    return _page(request)


@page(Right.DECIDE_CORRECTIONS, methods=("POST",))
def decide(request: AccountRequest) -> HttpResponse:
    """Do as the person asks, or leave it; the button says which."""
    company, actor = request.user.company, request.user.actor
    pk = number(request.POST.get("number", ""))
    try:
        if request.POST.get("go") == "accept":
            accept(company, pk, actor, seen=request.POST.get("seen", ""))
        elif request.POST.get("go") == "decline":
            decline(company, pk, actor, seen=request.POST.get("seen", ""))
    except Refused as refused:
        return _page(request, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)
    return redirect("corrections")


def _page(request: AccountRequest, note: str = "", status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    found = list(waiting(request.user.company)[: A_PAGE + 1])
    shown = {
        "lines": [_line(each) for each in found[:A_PAGE]],
        "has_more": len(found) > A_PAGE,
        "note": note,
        "may_decide": Right.DECIDE_CORRECTIONS in request.user.rights,
    }
    return render(request, "pages/corrections.html", shown, status=status)


def _line(asked: CorrectionRequest) -> Line:
    due = asked.requested_at + ANSWER_WITHIN
    return Line(
        asked.pk,
        asked.person.email,
        str(words.FIELDS[asked.field]),
        _shown(getattr(asked.person, asked.field)),
        _shown(asked.value),
        json.dumps(asked.value),
        due,
        due < clock.now(),
    )


def _shown(value: object) -> str:
    text = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return text or _("nothing")

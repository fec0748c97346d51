"""The audit log: who did what, and who read personal data. Whoever looks at it is in it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.audit import log
from server.audit.log import ACTION
from server.audit.models import Entry
from server.audit.verifying import end_faults, what_to_do
from server.console import words
from server.console.access import READING, AccountRequest, page
from server.console.audit_verification import VERIFICATIONS, is_cut_off
from server.console.posted import number
from server.console.table_files import FileKind, table_file

A_PAGE = 100
MOST_TAKEN = 50_000
COLUMNS = ("number", "time", "actor", "action", "subject", "detail", "previous", "digest")
DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Line:
    """One entry. `details`: names and values, as texts."""

    number: int
    time: datetime
    actor: str
    act: str
    is_about_somebody: bool
    details: Sequence[tuple[str, str]]
    digest: str


@page(Right.READ_AUDIT_LOG, on_record=True)
def audit(request: AccountRequest) -> HttpResponse:
    """The newest entries first, a page at a time by number: what is added meanwhile moves nothing."""
    return _page(request)


@page(Right.READ_AUDIT_LOG)
def audit_file(request: AccountRequest, kind: FileKind) -> HttpResponseBase:
    """The newest entries, or those of one act, for a spreadsheet. The command takes all, however many."""
    company, action = request.user.company, request.GET.get("action", "")
    found = Entry.objects.filter(company=company).order_by("-number")
    if ACTION.fullmatch(action):
        found = found.filter(action=action)
    log.record(company, request.user.actor, "export-audit-log", detail={"format": str(kind)})
    return table_file(
        kind, f"{company.pk}-audit", COLUMNS, found.values_list(*COLUMNS)[:MOST_TAKEN].iterator()
    )


@page(Right.READ_AUDIT_LOG, methods=(*READING, "POST"))
def verification(request: AccountRequest) -> HttpResponse:
    """Have every entry read, in the background; how far that has come."""
    if request.method == "POST":
        expected = request.POST.get("expected", "").strip().lower()
        if expected and not DIGEST.fullmatch(expected):
            note = _("A digest has 64 digits, from 0 to 9 and a to f.")
            return _page(request, note, HTTPStatus.UNPROCESSABLE_ENTITY)
        if VERIFICATIONS.begin(request.user, expected, get_language() or "en"):
            return redirect("audit")
        note = _(
            "A verification is under way that does not look for this digest. Wait until it is done, and begin anew."
        )
        return _page(request, note, HTTPStatus.CONFLICT)
    found = VERIFICATIONS.of(request.user.company)
    if "HX-Request" not in request.headers:
        return redirect("audit")
    if not (found and found.is_in_work):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "parts/verification_progress.html", {"verification": found})


def _page(request: AccountRequest, note: str = "", status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    before, action = number(request.GET.get("before", "")) or None, request.GET.get("action", "")
    company = request.user.company
    found = Entry.objects.filter(company=company).order_by("-number")
    if before:
        found = found.filter(number__lt=before)
    if chosen := action if ACTION.fullmatch(action) else "":
        found = found.filter(action=chosen)
    entries = list(found[: A_PAGE + 1])
    lines = [_line(entry) for entry in entries[:A_PAGE]]
    is_whole = not (before or chosen)
    faults = end_faults(company) if is_whole else []
    verified = VERIFICATIONS.of(company)
    return render(
        request,
        "pages/audit.html",
        {
            "lines": lines,
            "newest": lines[0] if is_whole else None,  # the entry of this look
            "older": lines[-1].number if len(entries) > A_PAGE else None,
            "before": before,
            "action": chosen,
            "action_query": f"action={chosen}" if chosen else "",
            "actions": sorted(
                ((name, str(text)) for name, text in words.ACTIONS.items()), key=lambda each: each[1]
            ),
            "faults": faults,
            "what_to_do": what_to_do(),
            "note": note,
            "verification": verified,
            "is_cut_off": verified is None and is_cut_off(company),
        },
        status=status,
    )


def _line(entry: Entry) -> Line:
    return Line(
        entry.number,
        datetime.fromisoformat(entry.time),
        entry.actor,
        str(words.ACTIONS.get(entry.action, entry.action)),
        bool(entry.subject),
        _details(entry.detail),
        entry.digest,
    )


def _details(text: str) -> list[tuple[str, str]]:
    """The detail's names and values. One that was made unreadable is shown as it is."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return [("", text)]
    if not isinstance(found, dict):
        return [("", text)]
    return [(name, _shown(value)) for name, value in found.items()]


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)

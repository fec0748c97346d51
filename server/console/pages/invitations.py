"""Everybody who has no connected computer is invited at once: by e-mail, or as codes to be sent or printed."""

from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import chain

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.db import connections
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.access.roles import Right
from server.console.access import AccountRequest, page, to_confirm
from server.console.posted import number
from server.core import clock
from server.core.csv_export import csv_pieces
from server.core.errors import Refused
from server.devices.counting import people_with_computers
from server.devices.enrolment import LONGEST_VALID_DAYS, VALID_DAYS, invite_all
from server.devices.reach import invited_count, without_computer
from server.directory.models import Company, Group
from server.mail import inviting, outbox, transport

MOST_PRINTED = 500
"""Slips of paper on one page."""

_Codes = list[tuple[str, str]]
"""Addresses and codes."""


@page(Right.MANAGE_PEOPLE)
def invitations(request: AccountRequest) -> HttpResponseBase:
    """How many have no computer, and how many of them were invited."""
    return _page(request)


@page(Right.MANAGE_PEOPLE, methods=("POST",))
def invite_people(request: AccountRequest) -> HttpResponseBase:
    """Make the codes, and hand them out this once: as a file, or on a page to be printed."""
    if not did_recently_reauthenticate(request):
        return to_confirm(reverse("people-invitations"))
    company, days = request.user.company, number(request.POST.get("days", ""))
    if not 1 <= days <= LONGEST_VALID_DAYS:
        note = _("Say for how many days the codes shall work: 1 to {most}.").format(most=LONGEST_VALID_DAYS)
        return _page(request, note, HTTPStatus.UNPROCESSABLE_ENTITY)
    name = request.POST.get("group", "").strip()
    group = Group.objects.filter(company=company, name=name).first() if name and "\0" not in name else None
    if name and group is None:
        note = _("There is no group of that name. Choose one of the list, or leave it empty.")
        return _page(request, note, HTTPStatus.UNPROCESSABLE_ENTITY)
    is_printed = request.POST.get("go") == "print"
    if is_printed and without_computer(company, group).count() > MOST_PRINTED:
        note = _("They are more than {most}, too many to print. Take the file, or choose a group.")
        return _page(request, note.format(most=MOST_PRINTED), HTTPStatus.UNPROCESSABLE_ENTITY)
    if request.POST.get("go") == "mail":
        return _by_mail(request, days, group)
    valid_for = timedelta(days=days)
    until = clock.now() + valid_for
    try:
        made = invite_all(company, valid_for, request.user.actor, group)
        first = next(made, [])
    except Refused as refused:
        return _page(request, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)
    if is_printed:
        shown = {
            "codes": [*first, *chain.from_iterable(made)],
            "until": until,
            "server_url": company.server_url,
        }
        return render(request, "pages/invitations_printed.html", shown)
    return _file(company, first, made, until)


def _by_mail(request: AccountRequest, days: int, group: Group | None) -> HttpResponse:
    company = request.user.company
    try:
        transport.require_on(_("Take the file, or print the codes."))
        count = inviting.invite_by_mail(company, days, request.user.actor, group)
    except Refused as refused:
        return _page(request, f"{refused.title}. {refused.message}", HTTPStatus.CONFLICT)
    done = ngettext("{count} invitation is being sent.", "{count} invitations are being sent.", count)
    return _page(request, done=done.format(count=count))


def _file(
    company: Company, first: _Codes, others: Generator[_Codes], until: datetime
) -> StreamingHttpResponse:
    """The codes of many take minutes to be made: each piece is sent once it is stored."""
    header = (_("E-mail address"), _("Code"), _("Server"), _("Works until"))

    def rows_of(codes: _Codes) -> Iterator[tuple[object, ...]]:
        return ((email, code, company.server_url, until) for email, code in codes)

    lines = csv_pieces(header, map(rows_of, _from_any_thread(first, others)))
    return StreamingHttpResponse(
        # With the mark by which spreadsheet programs know UTF-8.
        chain(["\ufeff"], lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{company.pk}-invitations.csv"'},
    )


def _from_any_thread(first: _Codes, others: Generator[_Codes]) -> Iterator[_Codes]:
    """All of them. Threads that send files ask for them, and keep no connection to the database."""
    with closing(others):
        yield first
        while some := next(others, None):
            connections.close_all()
            yield some
        connections.close_all()


def _page(
    request: AccountRequest, note: str = "", status: HTTPStatus = HTTPStatus.OK, done: str = ""
) -> HttpResponse:
    company = request.user.company
    people = company.people.count()
    shown = {
        "note": note,
        "done": done,
        "sends_mail": transport.is_on(),
        "unsent": outbox.unsent(company) if transport.is_on() else 0,
        "undelivered": outbox.undelivered(company)[:MOST_PRINTED],
        "people": people,
        "without": people - people_with_computers(company),
        "invited": invited_count(company),
        "groups": list(company.groups.order_by("name").values_list("name", flat=True)),
        "days": VALID_DAYS,
        "most_days": LONGEST_VALID_DAYS,
    }
    return render(request, "pages/invitations.html", shown, status=status)

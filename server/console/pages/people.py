"""The company's people: who they are, and whether announcements reach them. What they share is on no page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.audit import log
from server.console import words
from server.console.access import AccountRequest, page
from server.console.posted import number
from server.core import clock
from server.devices.enrolment import LONGEST_VALID_DAYS, VALID_DAYS, invite, revoke
from server.devices.reach import Reach, reach_of, with_reach
from server.directory.listing import LONGEST_SEARCH, groups_of, page_of, people_like
from server.directory.models import Company, Group, Person

A_PAGE = 50
MOST_COMPUTERS = 100


@dataclass(frozen=True)
class Line:
    """One person of the list."""

    person: Person
    groups: list[str]
    reach: Reach


@dataclass(frozen=True)
class Filter:
    """What the list shows. `group`: None for all."""

    text: str
    group: Group | None

    @classmethod
    def of(cls, request: AccountRequest) -> "Filter":
        """As the address says; a group that is not there is left out."""
        pk = number(request.GET.get("group", ""))
        group = Group.objects.filter(company=request.user.company_id, pk=pk).first() if pk else None
        return cls(request.GET.get("find", "").strip()[:LONGEST_SEARCH], group)

    @property
    def words(self) -> str:
        """The filter in an address, for its other pages."""
        given = {"find": self.text, "group": str(self.group.pk) if self.group else ""}
        return urlencode({name: value for name, value in given.items() if value})


@page(Right.READ_PEOPLE, on_record=True)
def people(request: AccountRequest) -> HttpResponse:
    """Looked for by name, address or group, in the order of addresses."""
    company, chosen = request.user.company, Filter.of(request)
    found = with_reach(people_like(company, chosen.text, chosen.group))
    some = page_of(found, A_PAGE + 1, request.GET.get("after", "").replace("\0", ""))
    shown = some[:A_PAGE]
    lines = [Line(each.person, list(each.groups), reach_of(each.person)) for each in shown]
    words_of_page = {
        "lines": lines,
        "filter": chosen,
        "is_first": "after" not in request.GET,
        "after": urlencode({"after": shown[-1].person.email}) if len(some) > A_PAGE else "",
        "count": company.people.count(),
    }
    return render(request, "pages/people.html", words_of_page)


@page(Right.READ_PEOPLE)
def person(request: AccountRequest, person_id: UUID) -> HttpResponse:
    """One person. Looking is on record, and the person can read that."""
    found = _person_of(request, person_id)
    log.record(request.user.company, request.user.actor, str(Right.READ_PEOPLE), found.pk)
    return _page(request, found)


@page(Right.MANAGE_PEOPLE, methods=("POST",))
def invite_person(request: AccountRequest, person_id: UUID) -> HttpResponse:
    """Make a code and show it, this once: only its hash is kept."""
    found, days = _person_of(request, person_id), number(request.POST.get("days", ""))
    if not 1 <= days <= LONGEST_VALID_DAYS:
        note = _("Say for how many days the code shall work: 1 to {most}.").format(most=LONGEST_VALID_DAYS)
        return _page(request, found, {"note": note}, HTTPStatus.UNPROCESSABLE_ENTITY)
    valid_for = timedelta(days=days)
    with transaction.atomic():
        # Before the person, as imports and erasures have it.
        Company.objects.select_for_update(no_key=True).get(pk=request.user.company_id)
        code = invite(_person_of(request, person_id), valid_for)
        log.record(request.user.company, request.user.actor, "invite", found.pk, {"days": days})
    return _page(request, _person_of(request, person_id), {"code": code, "until": clock.now() + valid_for})


@page(Right.MANAGE_PEOPLE, methods=("POST",))
def disconnect(request: AccountRequest, person_id: UUID) -> HttpResponse:
    """End the connection of one computer, from its next request on."""
    found = _person_of(request, person_id)
    computers = found.devices.filter(pk=number(request.POST.get("computer", "")), revoked_at=None)
    with transaction.atomic():
        revoked = revoke(list(computers.values_list("pk", flat=True)))
        if revoked:
            detail = {"devices": revoked}
            log.record(request.user.company, request.user.actor, "revoke-devices", found.pk, detail)
    return redirect("people-person", found.pk)


def _page(
    request: AccountRequest,
    person: Person,
    more: dict[str, object] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    shown = {
        "person": person,
        "details": _details(person),
        "groups": groups_of([person.pk]).get(person.pk, ()),
        "computers": list(person.devices.filter(revoked_at=None).order_by("-enrolled_at")[:MOST_COMPUTERS]),
        "invited_until": reach_of(person).invited_until,
        "days": VALID_DAYS,
        "most_days": LONGEST_VALID_DAYS,
        "server_url": request.user.company.server_url,
    }
    return render(request, "pages/person.html", shown | (more or {}), status=status)


def _details(person: Person) -> Sequence[tuple[str, str, bool]]:
    """What the directory says: the field, its value, and whether the person put it right themselves."""
    own = set(person.own_fields)
    return [
        (str(title), _shown(getattr(person, name)), name in own)
        for name, title in words.FIELDS.items()
        if getattr(person, name)
    ]


def _shown(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _person_of(request: AccountRequest, person_id: UUID) -> Person:
    """Raises `Http404` for people of another company, as for people who are not there."""
    found = with_reach(Person.objects.filter(company=request.user.company_id, pk=person_id))
    if (person := found.select_related("company").first()) is None:
        raise Http404
    return person

"""The frame around every page: who is here, and where they may go. A place is shown to those who may open it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from server.access.roles import Right
from server.accounts import console_address
from server.accounts.models import Account
from server.accounts.review import due_for
from server.data_subject.decisions import waiting
from server.directory.models import Company
from server.erasure.requests import undecided_for
from server.notices.proposing import decidable_by
from server.published_alone.looks import to_look_at


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to. `name`: of its URL; those below it begin with the same word.

    `waiting`: the rows that wait there for the person.
    """

    name: str
    title: Promise | str
    right: Right | None = None
    waiting: Callable[[Account], QuerySet[Any]] | None = None


@dataclass(frozen=True)
class Section:
    """Places under a heading; the first section has none."""

    title: Promise | str
    places: Sequence[Place]


def _corrections(account: Account) -> QuerySet[Any]:
    return waiting(account.company)


SECTIONS = (
    Section(
        "",
        (
            Place("today", _("Today")),
            Place("campaigns", _("Campaigns"), Right.READ_CAMPAIGNS, to_look_at),
            Place("calendar", _("Calendar"), Right.READ_CAMPAIGNS),
            Place("drafts", _("Drafts"), Right.DRAFT_CAMPAIGNS),
        ),
    ),
    Section(
        _("People"),
        (
            Place("people", _("People"), Right.READ_PEOPLE),
            Place("groups", _("Groups"), Right.READ_GROUPS),
        ),
    ),
    Section(
        _("Trust"),
        (
            Place("corrections", _("Corrections"), Right.READ_CORRECTIONS, _corrections),
            Place("erasures", _("Erasures"), Right.ERASE_PEOPLE, undecided_for),
            Place("notice", _("Privacy notice"), Right.READ_RECORD, decidable_by),
            Place("record", _("Record of processing"), Right.READ_RECORD),
            Place("audit", _("Audit log"), Right.READ_AUDIT_LOG),
            Place("access", _("Access"), Right.REVIEW_ACCESS, due_for),
            Place("oversight", _("Works council"), Right.READ_OVERSIGHT),
        ),
    ),
)


def waiting_at(request: HttpRequest, account: Account) -> Mapping[str, int]:
    """How much waits for the person at each place, by its name: counted once for a request, in one query."""
    counts: dict[str, int] | None = getattr(request, "counts", None)
    if counts is None:
        places = [place for section in SECTIONS for place in section.places if place.right in account.rights]
        columns = {place.name: _counted(place.waiting(account)) for place in places if place.waiting}
        company = Company.objects.filter(pk=account.company_id)
        row = company.values_list(*columns.values()).get() if columns else ()
        counts = dict(zip(columns, row, strict=True))
        request.counts = counts  # type: ignore[attr-defined]
    return counts


def _counted(rows: QuerySet[Any]) -> Coalesce:
    """How many rows there are, within another query."""
    counted = rows.order_by().values(one=Value(1)).annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


def frame(request: HttpRequest) -> dict[str, Any]:
    """What the base template needs. Of an error before the sign-in there is no account."""
    found = getattr(request, "user", None)
    account = found if isinstance(found, Account) else None
    return {
        "language": get_language(),
        "account": account,
        "offers_passkeys": console_address.has_name(console_address.in_use()),
        "company": account.company if account else None,
        "sections": _shown(request, account) if account else [],
    }


def _shown(request: HttpRequest, account: Account) -> list[dict[str, Any]]:
    here = request.resolver_match.url_name if request.resolver_match else ""
    rights = account.rights
    # Officers read it on *today*: their pages of the audit log take 12 queries without it.
    counts = waiting_at(request, account) if here == "today" or Right.READ_CORRECTIONS in rights else {}
    shown = []
    for section in SECTIONS:
        places = [
            {
                "address": reverse(place.name),
                "title": place.title,
                "count": counts.get(place.name, 0),
                "is_here": here == place.name or (here or "").startswith(f"{place.name}-"),
            }
            for place in section.places
            if place.right is None or place.right in rights
        ]
        if places:
            shown.append({"title": section.title, "places": places})
    return shown

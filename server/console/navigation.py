"""The frame around every page: who is here, and where they may go. A place is shown to those who may open it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from server.access.roles import Right
from server.accounts.models import Account
from server.console import address
from server.data_subject.decisions import waiting


@dataclass(frozen=True)
class Place:
    """A page that the navigation leads to. `name`: of its URL; those below it begin with the same word."""

    name: str
    title: Promise | str
    right: Right | None = None
    count: Callable[[Account], int] | None = None


@dataclass(frozen=True)
class Section:
    """Places under a heading; the first section has none."""

    title: Promise | str
    places: Sequence[Place]


def _waiting_corrections(account: Account) -> int:
    return waiting(account.company).count()


SECTIONS = (
    Section(
        "",
        (
            Place("today", _("Today")),
            Place("campaigns", _("Campaigns"), Right.READ_CAMPAIGNS),
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
            Place("corrections", _("Corrections"), Right.READ_CORRECTIONS, _waiting_corrections),
            Place("record", _("Record of processing"), Right.READ_RECORD),
            Place("audit", _("Audit log"), Right.READ_AUDIT_LOG),
        ),
    ),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """What the base template needs. Of an error before the sign-in there is no account."""
    found = getattr(request, "user", None)
    account = found if isinstance(found, Account) else None
    return {
        "language": get_language(),
        "account": account,
        "offers_passkeys": address.has_name(address.in_use()),
        "company": account.company if account else None,
        "sections": _shown(request, account) if account else [],
    }


def _shown(request: HttpRequest, account: Account) -> list[dict[str, Any]]:
    here = request.resolver_match.url_name if request.resolver_match else ""
    rights = account.rights
    shown = []
    for section in SECTIONS:
        places = [
            {
                "address": reverse(place.name),
                "title": place.title,
                "count": _count(request, account, place),
                "is_here": here == place.name or (here or "").startswith(f"{place.name}-"),
            }
            for place in section.places
            if place.right is None or place.right in rights
        ]
        if places:
            shown.append({"title": section.title, "places": places})
    return shown


def _count(request: HttpRequest, account: Account, place: Place) -> int:
    """How much waits there; as the page has counted, where it has."""
    counts: Mapping[str, int] = getattr(request, "counts", {})
    if place.name in counts:
        return counts[place.name]
    return place.count(account) if place.count else 0

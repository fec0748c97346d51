"""A month of the audit log for those who watch over it: who looked at what, what was decided, and what was changed.

Days, accounts by number and role, and how often. Nobody who was looked at or who answered is in it, and no figure.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import Substr

from server.audit.models import Entry
from server.directory.models import Company

COLUMNS = ("day", "kind", "who", "act", "about", "reason", "times")
LINES_AT_ONCE = 2_000
MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


class Kind(StrEnum):
    """What an act is to those who watch."""

    LOOK = "look"
    EMERGENCY = "emergency"
    DECISION = "decision"
    CHANGE = "change"


ACTS = {
    **dict.fromkeys(
        (
            "company-export",
            "export-audit-log",
            "read-acknowledgements",
            "read-audit-log",
            "read-corrections",
            "read-devices",
            "read-oversight",
            "read-people",
            "read-record",
            "read-reports",
            "report-named",
            "review-access",
        ),
        Kind.LOOK,
    ),
    **dict.fromkeys(("publish-emergency", "publish-emergencies"), Kind.EMERGENCY),
    **dict.fromkeys(
        (
            "look-afterwards",
            "publish",
            "publish-campaigns",
            "recall",
            "recall-campaigns",
            "return-campaign",
            "submit-campaign",
            "take-back-campaign",
        ),
        Kind.DECISION,
    ),
    **dict.fromkeys(
        (
            "accept-correction",
            "add-processor",
            "ask-erasure",
            "begin-ledger-anew",
            "bind-account",
            "chain-broken",
            "change-company",
            "change-notice",
            "company-import",
            "decide-access",
            "decline-correction",
            "erase-people",
            "end-processor",
            "explain-audit-log",
            "gap",
            "import-people",
            "invite-account",
            "invite-all",
            "keys-replaced",
            "make-company",
            "make-token",
            "propose-notice",
            "refuse-erasure",
            "remove-account",
            "replay-ledger",
            "reset-account",
            "restored",
            "revoke-token",
            "set-budget",
            "sign-afresh",
            "take-back-notice",
            "verify-audit-log",
        ),
        Kind.CHANGE,
    ),
}
"""What is shown, and as what. A test has what is left out on purpose."""
ABOUT = (
    "campaign",
    "draft",
    "account",
    "token",
    "roles",
    "role",
    "notice",
    "processor",
    "people",
    "added",
    "changed",
    "author",
    "kept",
    "taken",
)
"""Names in an entry's detail that say what it is about."""
REASONS = ("reason", "without_second_person")


@dataclass(frozen=True)
class Line:
    """What one actor did on one day (UTC), so many times."""

    day: date
    kind: Kind
    who: str
    act: str
    about: Sequence[tuple[str, str]]
    reason: str
    times: int

    @property
    def row(self) -> Sequence[object]:
        """As `COLUMNS` has it."""
        about = ", ".join(f"{name} {value}" for name, value in self.about)
        return (self.day, self.kind.value, self.who, self.act, about, self.reason, self.times)


def month_named(text: str) -> date | None:
    """The first day of a month such as 2026-11; None where it is none."""
    found = MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found else None


def month_after(month: date, by: int = 1) -> date:
    """The first day of the month so many months later."""
    years, months = divmod(month.month - 1 + by, 12)
    return date(month.year + years, months + 1, 1)


def acts_of(company: Company, month: date) -> Iterator[Line]:
    """The month's acts by day, the last day first, as they are read. One query, over this month's entries alone."""
    return (_line(*row) for row in _acts(company, month, ACTS).iterator(LINES_AT_ONCE))


def last_of(company: Company, month: date, kind: Kind, most: int) -> list[Line]:
    """The same of one kind, so many at most."""
    return [_line(*row) for row in _acts(company, month, [act for act in ACTS if ACTS[act] is kind])[:most]]


def _acts(company: Company, month: date, acts: Iterable[str]) -> QuerySet[Entry, tuple[Any, ...]]:
    entries = Entry.objects.filter(
        company=company, time__gte=month.isoformat(), time__lt=month_after(month).isoformat()
    )
    return (
        entries.filter(action__in=acts)
        .annotate(day=Substr("time", 1, 10))
        .values_list("day", "actor", "action", "detail")
        .annotate(times=Count("pk"))
        .order_by("-day", "actor", "action", "detail")
    )


def _line(day: str, actor: str, action: str, detail: str, times: int) -> Line:
    said = _said(detail)
    about = [(name, _shown(said[name])) for name in ABOUT if name in said]
    reason = next((_shown(said[name]) for name in REASONS if name in said), "")
    return Line(date.fromisoformat(day), ACTS[action], actor, action, about, reason, times)


def _said(detail: str) -> dict[str, Any]:
    """A detail that was made unreadable says nothing."""
    try:
        found = json.loads(detail)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

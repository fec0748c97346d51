"""Verifications of the audit log that somebody in the console asks for: every entry is read, which takes minutes.

A thread reads, one log after the other, on a connection of its own and never within a write. How far it has come and what it
found is kept in memory for the page; what it found is on record, too. While it reads, an order (`server.core.under_way`) says
so in the data folder: one that no process holds was cut off by the end of the console, and the page says that.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from server.accounts.models import Account
from server.audit import log
from server.audit.verifying import Verdict, verify
from server.core import background, clock, under_way
from server.core.progress import Tick
from server.directory.models import Company

ORDER = "audit-verification"
MOST_TOLD, LONGEST_TOLD = 10, 200
"""Faults that the entry about a verification quotes, and characters of each; the page shows all."""
MOST_SHOWN = 100


@dataclass
class Verification:
    """One reading of a company's log. `expected`: a digest noted elsewhere; empty for none."""

    company_id: str
    actor: str
    language: str
    expected: str
    began: datetime
    reached: int = 0
    total: int = 0
    ended: datetime | None = None
    verdict: Verdict = field(default_factory=Verdict)
    problem: str = ""
    """Why it could not be done."""

    @property
    def is_in_work(self) -> bool:
        """Whether a thread reads, or will."""
        return self.ended is None

    @property
    def faults(self) -> list[str]:
        """The first of what was found."""
        return self.verdict.faults[:MOST_SHOWN]

    def bar(self, _title: str, total: int) -> Tick:
        """Begin to read so many entries."""
        self.total = total

        def tick(reached: int) -> None:
            self.reached = reached

        return tick


class Verifications:
    """The newest verification of each company since the console was started."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._known: dict[str, Verification] = {}

    def begin(self, account: Account, expected: str, language: str) -> bool:
        """Have the whole log read. One that is under way goes on instead.

        Answers whether `expected` is looked for: by the one that is under way only where it is the same.
        """
        with self._lock:
            known = self._known.get(account.company_id)
            if known and known.is_in_work:
                return expected in ("", known.expected)
            begun = Verification(account.company_id, account.actor, language, expected, clock.now())
            self._known[account.company_id] = begun
        background.begin(
            "An audit log could not be verified",
            partial(_read, self._turn, begun),
            partial(_failed, begun),
            language=language,
        )
        return True

    def of(self, company: Company) -> Verification | None:
        """The company's newest."""
        with self._lock:
            return self._known.get(company.pk)


def is_cut_off(company: Company) -> bool:
    """Whether the last verification was not ended by its process, as when the console was started anew meanwhile."""
    return company.pk in under_way.interrupted(ORDER)


def _read(turn: threading.Lock, begun: Verification) -> None:
    """Read it in its turn, and put what was found on record. Raises as `verify`, and `Refused`."""
    with under_way.order(ORDER, begun.company_id) as order:
        order.begin(b"reads")
        with turn:
            company = Company.objects.get(pk=begun.company_id)
            begun.verdict = verify(company, begun.expected or None, begun.bar)
            log.record(company, begun.actor, "verify-audit-log", detail=_detail(begun.verdict))
        order.done()
    begun.ended = clock.now()


def _failed(begun: Verification, title: str, message: str) -> None:
    begun.problem, begun.ended = f"{title}. {message}", clock.now()


def _detail(verdict: Verdict) -> Mapping[str, Any]:
    """What the entry says: how much was read, where it ends, and what is wrong."""
    told = [fault[:LONGEST_TOLD] for fault in verdict.faults[:MOST_TOLD]]
    detail = {"entries": verdict.entries, "digest": verdict.head.digest, "faults": len(verdict.found)}
    return detail | ({"found": told} if told else {})


VERIFICATIONS = Verifications()

"""Whether somebody put a backup in the place of the database that is being served.

A start does again what a backup has undone (`replay`). A server that goes on over one would bring back who was erased, who
took their consent back, and companies that were closed.
"""

from django.db import DatabaseError, InterfaceError, connection

from server.audit.models import Chain
from server.core.errors import EnvironmentFault
from server.erasure_ledger import ledger
from server.erasure_ledger.models import LedgerState

LOOKS = 3
"""So often the same lines of the ledger must be found waiting: a transaction that is under way has written its own before
it ends."""


class Watch:
    """What one process has seen of what only grows: the applied lines of the erasure ledger, and each audit log."""

    def __init__(self) -> None:
        self._applied = 0
        self._logs: dict[str, int] = {}
        self._waiting: tuple[int, int] | None = None
        self._looks = 0

    def has_gone_back(self) -> bool:
        """Whether the database is older than when this was asked last, or than the ledger.

        What cannot be asked is not.
        """
        try:
            applied = LedgerState.objects.values_list("number", flat=True).filter(pk=1).first() or 0
            logs = dict(Chain.objects.values_list("company_id", "number"))
            written = ledger.end().number
        except (DatabaseError, InterfaceError):
            connection.close()
            return False
        except EnvironmentFault:  # of the ledger, which the next line in it will tell
            return False
        went_back = applied < self._applied or any(
            number < self._logs.get(company, 0) for company, number in logs.items()
        )
        self._applied, self._logs = applied, logs
        return went_back or self._waits(applied, written)

    def _waits(self, applied: int, written: int) -> bool:
        """Whether lines have been waiting for long to be applied."""
        found = (applied, written) if applied < written else None
        self._looks = self._looks + 1 if found is not None and found == self._waiting else 0
        self._waiting = found
        return self._looks >= LOOKS

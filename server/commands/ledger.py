"""`tidings-server ledger`: look at the erasure ledger, and begin a new one where it is lost for good."""

import argparse

from django.db import transaction
from django.utils.translation import gettext as _

from server.audit import log
from server.core.errors import Refused
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.erasure_ledger.models import LedgerState


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server ledger`."""
    parser.description = _(
        "The erasure ledger holds what a restored backup would undo: erasures, withdrawals, closings. Back it up apart "
        "from the database, and never put an older one back with it. Only where it is lost or damaged for good, begin a "
        "new one: what was erased since the backup then stays, and must be erased again."
    )
    parser.add_argument("action", choices=("verify", "begin-anew"), help=_("verify it, or begin a new one"))
    parser.add_argument("--yes", action="store_true", help=_("the old one is lost: begin a new one"))


def run(options: argparse.Namespace) -> int:
    """Verify the erasure ledger, or begin a new one. Raises `Refused` without `--yes`."""
    if options.action == "verify":
        return _verify()
    if not options.yes:
        raise Refused(
            _("The ledger stays as it is"),
            _(
                "Look for a copy first. If there is none, give --yes, and erase again whom the backup brought back."
            ),
        )
    with transaction.atomic():
        ledger.begin_anew()
        for company in Company.objects.order_by("pk"):
            log.record(company, log.COMMAND_LINE, "begin-ledger-anew")
    print(_("A new erasure ledger has begun. The old one lies beside it."))
    return 0


def _verify() -> int:
    """Raises `EnvironmentFault` when it is not whole."""
    state = LedgerState.objects.filter(pk=1).first()
    applied = ledger.Mark(state.number, state.digest) if state else ledger.START
    lags = sum(1 for _line in ledger.after(applied)) > 0  # all are read
    # Not how many lines: somebody who looked before would know that a person has withdrawn since.
    print(_("The ledger is whole."))
    if lags:
        print(_("The database lacks what happened since; the next command or start does it again."))
    return 0

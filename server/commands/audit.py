"""`tidings-server audit`: who did what, and whether the log is whole."""

import argparse
import os
import sys
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.audit import log
from server.audit.models import Entry
from server.audit.verifying import verify
from server.commands.companies import add_company_argument, chosen_company
from server.directory.models import Company
from server.errors import Refused
from server.spreadsheet import csv_text

COLUMNS = ("number", "time", "actor", "action", "subject", "detail")
SHORT_HASH = 12
MOST_SHOWN = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    showing = actions.add_parser(
        "show", help=_("show the last entries"), description=_("show the last entries")
    )
    showing.add_argument("--last", type=int, default=50, metavar="N", help=_("how many (%(default)s)"))
    exporting = actions.add_parser(
        "export", help=_("write all entries as CSV"), description=_("write all entries as CSV")
    )
    exporting.add_argument("-o", "--output", type=Path, metavar=_("FILE"), help=_("instead of stdout"))
    description = _(
        "Check that no entry was changed, removed or cut off. Note the last digest outside of this server, and give it "
        "back with --expect, to find a log that somebody wrote anew together with its end in the data folder."
    )
    verifying = actions.add_parser("verify", help=_("check that the log is whole"), description=description)
    verifying.add_argument("--expect", metavar=_("DIGEST"), help=_("a digest that must be part of the log"))
    description = _(
        "Say that the database was restored from a backup. The log goes on, with both ends on record."
    )
    restoring = actions.add_parser(
        "restored", help=_("continue the log of a restored database"), description=description
    )
    for action in (showing, exporting, verifying, restoring):
        add_company_argument(action)


def run(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    actions = {"show": _show, "export": _export, "verify": _verify, "restored": _restored}
    return actions[options.action](company, options)


def _show(company: Company, options: argparse.Namespace) -> int:
    newest = list(
        Entry.objects.filter(company=company).order_by("-number")[: min(max(options.last, 0), MOST_SHOWN)]
    )
    for entry in reversed(newest):
        subject = entry.subject[:SHORT_HASH] or "-"
        print(entry.number, entry.time, entry.actor, entry.action, subject, entry.detail, sep="\t")
    return 0


def _export(company: Company, options: argparse.Namespace) -> int:
    rows = (
        Entry.objects.filter(company=company).order_by("number").values_list(*COLUMNS, "previous", "digest")
    )
    text = csv_text((*COLUMNS, "previous", "digest"), rows.iterator())
    if options.output is None:
        sys.stdout.write(text)
    else:
        _write(options.output, text)
    log.record(company, log.COMMAND_LINE, "export-audit-log")
    return 0


def _write(path: Path, text: str) -> None:
    """For its owner only: the log tells who did what."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise Refused(
            _("{file} cannot be written").format(file=path),
            _("The system says: {reason}.").format(reason=error.strerror),
        ) from error


def _verify(company: Company, options: argparse.Namespace) -> int:
    verdict = verify(company, options.expect)
    for fault in verdict.faults:
        print(fault, file=sys.stderr)
    for note in verdict.notes:
        print(_("Note: {text}").format(text=note))
    text = ngettext(
        "{count} entry, digest of the last: {digest}",
        "{count} entries, digest of the last: {digest}",
        verdict.entries,
    )
    print(text.format(count=verdict.entries, digest=verdict.head.digest or "-"))
    print(_("The log is whole.") if verdict.sound else _("The log is NOT whole."))
    return 0 if verdict.sound else 1


def _restored(company: Company, _options: argparse.Namespace) -> int:
    entry = log.restored(company, log.COMMAND_LINE)
    print(_("The log goes on with entry {number}.").format(number=entry.number))
    return 0

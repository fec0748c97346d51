"""`tidings-server audit`: who did what, and whether the log is whole."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.audit import log, oversight
from server.audit.models import Entry
from server.audit.verifying import verify, what_to_do
from server.commands.companies import add_company_argument, chosen_company
from server.commands.listing import ROWS_AT_ONCE
from server.core.clock import now
from server.core.csv_export import write_csv
from server.core.errors import Refused
from server.directory.models import Company

COLUMNS = ("number", "time", "actor", "action", "subject", "detail")
MOST_SHOWN = 1_000_000
LONGEST_BY, LONGEST_REASON = 100, 500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server audit`, with their options."""
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
        "Say why the log is not whole: a backup was restored, a disk was at fault. What “verify” finds now is then told as a "
        "note, with the reason. This is put on record."
    )
    explaining = actions.add_parser(
        "explain", help=_("say why the log is not whole"), description=description
    )
    explaining.add_argument("--reason", required=True, metavar=_("TEXT"), help=_("what happened"))
    explaining.add_argument(
        "--by", required=True, metavar=_("WHO"), help=_("who says so: a function, such as “head of IT”")
    )
    description = _("show who looked at what, what was decided and what was changed in a month, as CSV")
    watching = actions.add_parser("acts", help=description, description=description)
    watching.add_argument(
        "--month", metavar="YYYY-MM", type=_month, default=None, help=_("this one unless given")
    )
    watching.add_argument("-o", "--output", type=Path, metavar=_("FILE"), help=_("instead of stdout"))
    for action in (showing, exporting, verifying, explaining, watching):
        add_company_argument(action)


def run(options: argparse.Namespace) -> int:
    """Show, export, verify or explain; exit code 1 if the log is not whole."""
    company = chosen_company(options)
    actions = {"show": _show, "export": _export, "verify": _verify, "explain": _explain, "acts": _acts}
    return actions[options.action](company, options)


def _show(company: Company, options: argparse.Namespace) -> int:
    entries = Entry.objects.filter(company=company)
    last = min(max(options.last, 0), MOST_SHOWN)
    # The newest of those that are not shown, from which on all are.
    before = entries.order_by("-number").values_list("number", flat=True)[last : last + 1].first() or 0
    for entry in entries.filter(number__gt=before).order_by("number").iterator(ROWS_AT_ONCE):
        subject = "person" if entry.subject else "-"
        print(entry.number, entry.time, entry.actor, entry.action, subject, entry.detail, sep="\t")
    return 0


def _export(company: Company, options: argparse.Namespace) -> int:
    columns = (*COLUMNS, "previous", "digest")
    entries = Entry.objects.filter(company=company).order_by("number")
    rows = entries.values_list(*columns).iterator(ROWS_AT_ONCE)
    if options.output is None:
        write_csv(sys.stdout, columns, rows)
    else:
        _write(options.output, columns, rows)
    log.record(company, log.COMMAND_LINE, "export-audit-log")
    return 0


def _month(text: str) -> date:
    if month := oversight.month_named(text):
        return month
    raise argparse.ArgumentTypeError(_("write it like 2026-11"))


def _acts(company: Company, options: argparse.Namespace) -> int:
    log.record(company, log.COMMAND_LINE, "read-oversight")
    month = options.month or now().date().replace(day=1)
    rows = (line.row for line in oversight.acts_of(company, month))
    if options.output is None:
        write_csv(sys.stdout, oversight.COLUMNS, rows)
    else:
        _write(options.output, oversight.COLUMNS, rows)
    return 0


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """For its owner only: the log tells who did what."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            write_csv(file, columns, rows)
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
    if any(fault.key for fault in verdict.found):
        print(what_to_do(), file=sys.stderr)
    return 0 if verdict.sound else 1


def _explain(company: Company, options: argparse.Namespace) -> int:
    by, reason = options.by.strip(), options.reason.strip()
    if not (0 < len(by) <= LONGEST_BY and 0 < len(reason) <= LONGEST_REASON):
        raise Refused(
            _("Who explains it, and why?"),
            _("Give --by with up to {by} and --reason with up to {reason} characters.").format(
                by=LONGEST_BY, reason=LONGEST_REASON
            ),
        )
    faults = [fault for fault in verify(company).found if fault.key]
    if not faults:
        raise Refused(_("There is nothing to explain"), _("The log is whole."))
    entry = log.explain(company, log.COMMAND_LINE, by, reason, [fault.key for fault in faults])
    for fault in faults:
        print(_("Explained: {fault}").format(fault=fault.text))
    print(_("The log goes on with entry {number}.").format(number=entry.number))
    return 0

"""`tidings-server purge`: erase everything about people.

How many rows went is not told: it would tell the administrator what each of them had chosen to share.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.audit import log
from server.commands.companies import add_company_argument, chosen_company
from server.commands.progress import bars
from server.core.errors import Refused
from server.directory.models import Company
from server.erasure.address_lists import Address, read_addresses
from server.erasure.erasure import erase, find_people, finish_erasures
from server.people_files.excerpts import excerpt
from server.people_files.text_files import MAX_BYTES, decode

MOST_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server purge`: addresses or a file."""
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("emails", nargs="*", default=[], metavar="EMAIL", help=_("whom to erase"))
    whom.add_argument(
        "--from",
        dest="file",
        type=Path,
        metavar=_("FILE"),
        help=_("a list with an address on each line, or a CSV file as people are imported from"),
    )
    parser.add_argument(
        "--dry-run", action="store_true", help=_("say who is known and who is not, and erase nobody")
    )
    parser.add_argument(
        "--skip-unknown",
        action="store_true",
        help=_("leave out those who are not known; else nobody is erased"),
    )
    parser.add_argument("--yes", action="store_true", help=_("do not ask"))
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Erase people.

    Raises `Refused`, and erases nobody, if somebody is unknown and `--skip-unknown` is not given.
    """
    company = chosen_company(options)
    addresses = _addresses(options)
    if not options.dry_run:
        finish_erasures()
    people, unknown = find_people(company, [address.email for address in addresses if not address.fault])
    faults = [address for address in addresses if address.fault or address.email in set(unknown)]
    _print_faults(faults, company)
    if options.dry_run:
        print(_("Dry run, nobody is erased:"), _counts(len(people), len(faults)))
        return 0
    if faults and not options.skip_unknown:
        raise Refused(
            _("Nothing was erased"),
            _("Correct these addresses, or leave them out with --skip-unknown."),
        )
    question = ngettext(
        "Erase everything about {count} person? This cannot be undone.",
        "Erase everything about {count} people? This cannot be undone.",
        len(people),
    ).format(count=len(people))
    if not options.yes and not _confirmed(question):
        raise Refused(_("Nothing was erased"), _("Answer yes, or give --yes."))
    # On record first: an erasure cannot be undone if the record fails.
    subject = next(iter(people.values())) if len(people) == 1 else None
    log.record(company, log.COMMAND_LINE, "erase-people", subject, {"people": len(people)})
    with bars() as bar:
        erase(company, list(people.values()), _("Erasing"), bar)
    print(_("Erased, with every row about them:"), _counts(len(people), len(faults)))
    return 0


def _addresses(options: argparse.Namespace) -> list[Address]:
    if options.emails:
        return [Address(0, email) for email in options.emails]
    try:
        with options.file.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Refused(
            _("{file} cannot be read").format(file=options.file),
            _("The system says: {reason}.").format(reason=error.strerror),
        ) from error
    return read_addresses(decode(content).text)


def _print_faults(faults: Sequence[Address], company: Company) -> None:
    for fault in faults[:MOST_SHOWN]:
        what = fault.fault or (
            _("{email} is not known in {company}").format(email=excerpt(fault.email), company=company.name)
            if fault.email
            else _("the e-mail address is missing")
        )
        place = _("line {line}").format(line=fault.line) + ": " if fault.line else ""
        print(f"{place}{what}", file=sys.stderr)
    hidden = len(faults) - MOST_SHOWN
    if hidden > 0:
        print(
            ngettext("… and {count} more.", "… and {count} more.", hidden).format(count=hidden),
            file=sys.stderr,
        )


def _counts(people: int, unknown: int) -> str:
    known = ngettext("{count} person", "{count} people", people).format(count=people)
    if not unknown:
        return known
    left_out = ngettext("{count} address not known", "{count} addresses not known", unknown)
    return f"{known}, {left_out.format(count=unknown)}"


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print(question, _("[yes/no]"), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"yes", _("yes")}

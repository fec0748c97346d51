"""`tidings-server purge`: erase everything about people."""

import argparse
import sys

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.commands.companies import add_company_argument, chosen_company, person_of
from server.errors import Refused
from server.privacy.erasure import erase


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("emails", nargs="+", metavar="EMAIL", help=_("whom to erase"))
    parser.add_argument("--yes", action="store_true", help=_("do not ask"))
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    people = {person_of(company, email).pk for email in options.emails}
    question = ngettext(
        "Erase everything about {count} person? This cannot be undone.",
        "Erase everything about {count} people? This cannot be undone.",
        len(people),
    ).format(count=len(people))
    if not options.yes and not _confirmed(question):
        raise Refused(_("Nothing was erased"), _("Answer yes, or give --yes."))
    for table, rows in erase(company, list(people)).items():
        print(table, rows, sep="\t")
    return 0


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print(question, _("[yes/no]"), end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"yes", _("yes")}

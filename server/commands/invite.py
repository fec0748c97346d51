"""`tidings-server invite`: one-time codes that connect people's computers."""

import argparse
import sys
from datetime import timedelta

from django.utils.translation import gettext as _

from server.audit import log
from server.commands.companies import add_company_argument, chosen_company, group_of, person_of
from server.core.clock import now, utc_text
from server.core.errors import Refused
from server.devices.enrolment import LONGEST_VALID_DAYS, VALID_DAYS, invite, invite_all
from server.directory.models import Company, Group


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= LONGEST_VALID_DAYS:
        raise ValueError
    return days


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server invite`: one person, or everybody without a computer."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("email", nargs="?", metavar="EMAIL", help=_("whom to invite"))
    who.add_argument(
        "--all", action="store_true", help=_("everybody who has no connected computer: address, tab, code")
    )
    parser.add_argument("--group", metavar=_("NAME"), help=_("with --all: only those of this group"))
    parser.add_argument(
        "--days",
        type=_days,
        default=VALID_DAYS,
        help=_("how long the code is valid (%(default)s, at most 90)"),
    )
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print a code, or a line for each person. Raises `Refused`."""
    company = chosen_company(options)
    valid_for = timedelta(days=options.days)
    if options.all:
        return _invite_all(company, valid_for, group_of(company, options.group) if options.group else None)
    if options.group:
        raise Refused(_("--group goes with --all"), _("Give one address, or --all with a group."))
    person = person_of(company, options.email)
    code = invite(person, valid_for)
    log.record(company, log.COMMAND_LINE, "invite", person.pk, {"days": options.days})
    print(_("Server: {url}").format(url=company.server_url))
    print(_("Code: {code}").format(code=code))
    print(_("Valid once, until {time}").format(time=utc_text(now() + valid_for)))
    return 0


def _invite_all(company: Company, valid_for: timedelta, group: Group | None) -> int:
    for some in invite_all(company, valid_for, log.COMMAND_LINE, group):
        for email, code in some:
            print(f"{email}\t{code}")
        sys.stdout.flush()
    return 0

"""`tidings-server invite`: one-time codes that connect people's computers."""

import argparse
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from server.audit import log
from server.clock import now, utc_text
from server.commands.companies import add_company_argument, chosen_company, person_of
from server.delivery.enrolment import invite
from server.directory.models import Company, Person
from server.errors import Refused

LONGEST_DAYS = 90


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= LONGEST_DAYS:
        raise ValueError
    return days


def add_arguments(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("email", nargs="?", metavar="EMAIL", help=_("whom to invite"))
    who.add_argument(
        "--all", action="store_true", help=_("everybody who has no connected computer: address, tab, code")
    )
    parser.add_argument(
        "--days", type=_days, default=14, help=_("how long the code is valid (%(default)s, at most 90)")
    )
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    valid_for = timedelta(days=options.days)
    if options.all:
        return _invite_all(company, valid_for)
    person = person_of(company, options.email)
    code = invite(person, valid_for)
    log.record(company, log.COMMAND_LINE, "invite", person.pk, {"days": options.days})
    print(_("Server: {url}").format(url=company.server_url))
    print(_("Code: {code}").format(code=code))
    print(_("Valid once, until {time}").format(time=utc_text(now() + valid_for)))
    return 0


def _invite_all(company: Company, valid_for: timedelta) -> int:
    connected = Person.objects.filter(company=company, devices__revoked_at=None, devices__isnull=False)
    invited = Person.objects.filter(company=company).exclude(pk__in=connected.values("pk"))
    people = invited.select_related("company").order_by("email")
    with transaction.atomic():
        codes = [(person.email, invite(person, valid_for)) for person in people]
        log.record(
            company, log.COMMAND_LINE, "invite-all", detail={"days": valid_for.days, "people": len(codes)}
        )
    if not codes:
        raise Refused(_("Nobody to invite"), _("Everybody has a connected computer already."))
    for email, code in codes:
        print(f"{email}\t{code}")
    return 0

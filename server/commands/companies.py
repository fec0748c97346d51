"""Which company a command is about, and which person. Not a command itself."""

import argparse
from collections.abc import Sequence

from django.utils.translation import gettext as _

from server.archives.closing import on_the_move
from server.core.errors import Refused
from server.directory.models import Company, Group, Person


def add_company_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--company`, needed where a server holds several."""
    parser.add_argument("--company", metavar="ID", help=_("the company, if this server holds several"))


def chosen_company(options: argparse.Namespace) -> Company:
    """The company named by `--company`, or the only one. Raises `Refused`."""
    moving = on_the_move()
    if options.company in moving:
        raise Refused(
            _("{name} is being brought in or closed").format(name=options.company),
            _("Wait until that is done. If it was interrupted, run: tidings-server housekeeping"),
        )
    companies = [company for company in Company.objects.order_by("id") if company.pk not in moving]
    if not companies:
        raise Refused(
            _("There is no company yet"), _("Make one first: tidings-server init --help tells how.")
        )
    names = ", ".join(company.id for company in companies)
    if options.company:
        for company in companies:
            if company.id == options.company:
                return company
        raise Refused(
            _("There is no company {name}").format(name=options.company),
            _("This server holds: {names}.").format(names=names),
        )
    if len(companies) > 1:
        raise Refused(_("Which company?"), _("Add --company with one of: {names}.").format(names=names))
    return companies[0]


def person_of(company: Company, email: str) -> Person:
    """The person with this e-mail address. Raises `Refused`."""
    person = Person.objects.filter(company=company, email=email).first()
    if person is None:
        raise Refused(
            _("{email} is not known in {company}").format(email=email, company=company.name),
            _("Check the spelling, or bring the person in with: tidings-server people import FILE."),
        )
    return person


def group_of(company: Company, name: str) -> Group:
    """The group of this name. Raises `Refused`."""
    group = Group.objects.filter(company=company, name=name).first()
    if group is None:
        raise Refused(
            _("There is no group {name}").format(name=name),
            _("List them with: tidings-server groups list"),
        )
    return group


def groups_of(company: Company, names: Sequence[str] | None) -> list[Group] | None:
    """The groups of these names; None where none are named. Raises `Refused`."""
    return [group_of(company, name) for name in names] if names else None

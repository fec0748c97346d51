"""`tidings-server device`: the computers that people connected."""

import argparse

from django.utils.translation import gettext as _

from server.audit import log
from server.commands.companies import add_company_argument, chosen_company, person_of
from server.commands.listing import ROWS_AT_ONCE, print_json
from server.core.clock import utc_text
from server.core.errors import Refused
from server.devices.enrolment import revoke
from server.devices.models import Device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server device`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    listing = actions.add_parser("list", help=_("list computers"), description=_("list computers"))
    listing.add_argument("email", nargs="?", metavar="EMAIL", help=_("only those of this person"))
    listing.add_argument("--json", action="store_true", help=_("as JSON"))
    add_company_argument(listing)
    revoking = actions.add_parser(
        "revoke",
        help=_("end a person's connections"),
        description=_("end a person's connections; each computer learns it when it next asks"),
    )
    revoking.add_argument("email", metavar="EMAIL")
    revoking.add_argument("--id", type=int, metavar="N", help=_("only the computer with this number"))
    add_company_argument(revoking)


def run(options: argparse.Namespace) -> int:
    """List computers, or revoke those of a person."""
    return _list(options) if options.action == "list" else _revoke(options)


def _list(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    devices = Device.objects.filter(person__company=company).order_by("pk")
    person = person_of(company, options.email) if options.email else None
    if person:
        devices = devices.filter(person=person)
    log.record(company, log.COMMAND_LINE, "read-devices", person.pk if person else None)
    columns = ("pk", "person__email", "platform", "agent_version", "enrolled_at", "revoked_at")
    rows = (
        {
            "id": number,
            "email": email,
            "platform": platform,
            "agent_version": version,
            "enrolled_at": utc_text(enrolled),
            "revoked_at": utc_text(revoked) if revoked else None,
        }
        for number, email, platform, version, enrolled, revoked in devices.values_list(*columns).iterator(
            ROWS_AT_ONCE
        )
    )
    if options.json:
        print_json(rows)
        return 0
    for row in rows:
        state = _("revoked") if row["revoked_at"] else _("connected")
        print(
            row["id"],
            row["email"],
            row["platform"],
            row["agent_version"],
            row["enrolled_at"],
            state,
            sep="\t",
        )
    return 0


def _revoke(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    person = person_of(company, options.email)
    devices = person.devices.filter(revoked_at=None)
    if options.id is not None:
        devices = devices.filter(pk=options.id)
    revoked = revoke(list(devices.values_list("pk", flat=True)))
    if not revoked:
        raise Refused(
            _("Nothing to revoke"),
            _("{email} has no such connected computer. See: tidings-server device list.").format(
                email=person.email
            ),
        )
    log.record(company, log.COMMAND_LINE, "revoke-devices", person.pk, {"devices": revoked})
    print(_("Revoked: {count}").format(count=revoked))
    return 0

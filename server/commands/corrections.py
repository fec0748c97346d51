"""`tidings-server corrections`: what people want changed in the directory's fields."""

import argparse

from django.utils.translation import gettext as _

from server.audit import log
from server.commands.companies import add_company_argument, chosen_company
from server.commands.listing import ROWS_AT_ONCE, print_json
from server.core.clock import utc_text
from server.data_subject.decisions import accept, decline, waiting
from server.directory.models import Company


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server corrections`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    listing = actions.add_parser(
        "list", help=_("list what waits for a decision"), description=_("list what waits for a decision")
    )
    listing.add_argument("--json", action="store_true", help=_("as JSON"))
    accepting = actions.add_parser(
        "accept",
        help=_("do as the person asks"),
        description=_("do as the person asks; change it in the directory that you import from, too"),
    )
    declining = actions.add_parser(
        "decline", help=_("leave it as it is"), description=_("leave it as it is; the person sees it")
    )
    for action in (accepting, declining):
        action.add_argument("number", type=int, metavar="ID", help=_("the number that the list shows"))
    for action in (listing, accepting, declining):
        add_company_argument(action)


def run(options: argparse.Namespace) -> int:
    """List, accept or decline what people want corrected. Raises `Refused` where it is decided already."""
    company = chosen_company(options)
    if options.action == "list":
        return _list(company, options.json)
    decided = (accept if options.action == "accept" else decline)(company, options.number, log.COMMAND_LINE)
    if options.action == "decline":
        print(_("Declined."))
    else:
        print(
            _("Accepted. Imports leave {field} until the directory says something new.").format(
                field=decided.field
            )
        )
    return 0


def _list(company: Company, as_json: bool) -> int:
    log.record(company, log.COMMAND_LINE, "read-corrections")
    rows = (
        {
            "id": request.pk,
            "email": request.person.email,
            "field": request.field,
            "value": getattr(request.person, request.field),
            "requested": request.value,
            "requested_at": utc_text(request.requested_at),
        }
        for request in waiting(company).iterator(ROWS_AT_ONCE)
    )
    if as_json:
        print_json(rows)
        return 0
    for row in rows:
        values = (_shown(row["value"]), "→", _shown(row["requested"]))
        print(row["id"], row["requested_at"], row["email"], row["field"], *values, sep="\t")
    return 0


def _shown(value: object) -> str:
    return " | ".join(map(str, value)) if isinstance(value, list) else str(value)

"""`tidings-server groups`: what audiences are made of."""

import argparse

from django.utils.translation import gettext as _

from server.commands.companies import add_company_argument, chosen_company
from server.commands.listing import ROWS_AT_ONCE, print_json
from server.directory.listing import groups_by_size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The action of `tidings-server groups`, with its options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    listing = actions.add_parser(
        "list", help=_("list groups"), description=_("List groups: how many people, name.")
    )
    listing.add_argument("--json", action="store_true", help=_("as JSON"))
    add_company_argument(listing)


def run(options: argparse.Namespace) -> int:
    """List the groups by name."""
    groups = groups_by_size(chosen_company(options)).iterator(ROWS_AT_ONCE)
    rows = ((group.name, group.size) for group in groups)  # type: ignore[attr-defined]
    if options.json:
        print_json({"name": name, "people": size} for name, size in rows)
        return 0
    for name, size in rows:
        print(size, name, sep="\t")
    return 0

"""`tidings-server people`: bring in the company's people, and look them up."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from server.audit import log
from server.commands.companies import add_company_argument, chosen_company, group_of, person_of
from server.commands.listing import ROWS_AT_ONCE, print_json
from server.commands.people_import import run_import
from server.core.clock import utc_text
from server.devices.reach import reach_among
from server.directory.listing import groups_of, pages_of, people_like
from server.directory.models import Company, Group, Person
from server.people_files.text_files import CODE_PAGES

FIELDS = (
    "email",
    "first_name",
    "last_name",
    "title",
    "work_landline",
    "work_cell",
    "site_addresses",
    "external_id",
)
"""What the directory says of a person, as columns of an import are called."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server people`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    description = _(
        "Add and change people from a CSV file as Google Workspace, Microsoft Entra or Microsoft 365 export it, or "
        "with the columns email, first_name, last_name, title, work_landline, work_cell, site_addresses, groups. "
        "Several addresses or groups in a cell are separated by ; or |. Nobody is removed. One wrong line, and "
        "nothing is imported."
    )
    importing = actions.add_parser("import", help=_("import people from a CSV file"), description=description)
    importing.add_argument("file", type=Path, metavar=_("FILE.csv"))
    importing.add_argument(
        "--dry-run", action="store_true", help=_("say what would change, and change nothing")
    )
    importing.add_argument(
        "--encoding", choices=CODE_PAGES, default="", help=_("of a file that is not in UTF-8 or UTF-16")
    )
    importing.add_argument(
        "--whole", action="store_true", help=_("nothing is missing, although the last line has no end")
    )
    importing.add_argument(
        "--group",
        action="append",
        default=[],
        metavar=_("NAME"),
        help=_("one group, although its name looks like those of several; may be repeated"),
    )
    add_company_argument(importing)
    listing = actions.add_parser(
        "list",
        help=_("list people"),
        description=_("List people: address, name, groups, and whether a computer is connected."),
    )
    listing.add_argument("text", nargs="?", default="", metavar=_("TEXT"), help=_("in the address or name"))
    listing.add_argument("--group", metavar=_("NAME"), help=_("only those of this group"))
    listing.add_argument("--json", action="store_true", help=_("as JSON"))
    add_company_argument(listing)
    showing = actions.add_parser(
        "show",
        help=_("show what the directory says of a person"),
        description=_("Show what the directory says of a person. What they share nobody can look up."),
    )
    showing.add_argument("email", metavar="EMAIL")
    showing.add_argument("--json", action="store_true", help=_("as JSON"))
    add_company_argument(showing)


def run(options: argparse.Namespace) -> int:
    """Import people, list them, or show one of them."""
    return {"import": run_import, "list": _list, "show": _show}[options.action](options)


def _list(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    group = group_of(company, options.group) if options.group else None
    log.record(company, log.COMMAND_LINE, "read-people")
    rows = _rows(company, options.text, group)
    if options.json:
        print_json(rows)
        return 0
    words = {True: _("connected"), False: _("not connected")}
    for row in rows:
        print(row["email"], row["name"], "; ".join(row["groups"]), words[row["connected"]], sep="\t")
    return 0


def _rows(company: Company, text: str, group: Group | None) -> Iterator[dict[str, Any]]:
    for some in pages_of(people_like(company, text, group), ROWS_AT_ONCE):
        reached = reach_among([each.person.pk for each in some])
        for each in some:
            person = each.person
            yield {
                "email": person.email,
                "name": person.name,
                "groups": list(each.groups),
                "connected": reached[person.pk].is_connected,
            }


def _show(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    person = person_of(company, options.email)
    log.record(company, log.COMMAND_LINE, "read-people", person.pk)
    row = _details(person)
    if options.json:
        print_json([row])
        return 0
    for name, value in row.items():
        print(name, "; ".join(value) if isinstance(value, list) else value, sep="\t")
    return 0


def _details(person: Person) -> dict[str, Any]:
    until = reach_among([person.pk])[person.pk].invited_until
    return {name: getattr(person, name) for name in FIELDS} | {
        "groups": list(groups_of([person.pk]).get(person.pk, ())),
        "computers": [
            computer.platform for computer in person.devices.filter(revoked_at=None).order_by("enrolled_at")
        ],
        "invited_until": utc_text(until) if until else "",
    }

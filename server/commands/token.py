"""`tidings-server token`: who may use the administration API."""

import argparse
from datetime import timedelta

from django.utils.translation import gettext as _

from server.access.roles import TOKEN_ROLES, Role
from server.access.tokens import create, revoke, tokens_of
from server.audit.log import COMMAND_LINE
from server.commands.companies import add_company_argument, chosen_company, groups_of
from server.core.clock import now, utc_text
from server.directory.models import Company

LONGEST_DAYS = 366


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= LONGEST_DAYS:
        raise ValueError
    return days


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server token`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    description = _("make a token for a role; it is shown once, and only its hash is kept")
    creating = actions.add_parser("create", help=_("make a token"), description=description)
    creating.add_argument("--role", required=True, choices=[str(role) for role in TOKEN_ROLES])
    creating.add_argument("--name", default="", metavar=_("NAME"), help=_("who or what uses it"))
    creating.add_argument(
        "--days", type=_days, default=90, help=_("how long it is valid (%(default)s, at most 366)")
    )
    creating.add_argument(
        "--group",
        action="append",
        metavar=_("NAME"),
        help=_("whom alone it addresses; may be given several times"),
    )
    listing = actions.add_parser("list", help=_("list tokens"), description=_("list tokens"))
    revoking = actions.add_parser("revoke", help=_("end a token"), description=_("end a token at once"))
    revoking.add_argument("number", type=int, metavar="ID", help=_("the number that the list shows"))
    for action in (creating, listing, revoking):
        add_company_argument(action)


def run(options: argparse.Namespace) -> int:
    """Make, list or revoke tokens of the administration API. Raises `Refused`."""
    company = chosen_company(options)
    actions = {"create": _create, "list": _list, "revoke": _revoke}
    return actions[options.action](company, options)


def _create(company: Company, options: argparse.Namespace) -> int:
    role = Role(options.role)
    groups = groups_of(company, options.group)
    valid_for = timedelta(days=options.days)
    token, text = create(company, role, options.name[:80], valid_for, COMMAND_LINE, groups)
    print(_("Token: {text}").format(text=text))
    until = utc_text(token.expires_at)
    print(
        _("Number {number}, valid until {time}. It is not shown again.").format(number=token.pk, time=until)
    )
    return 0


def _list(company: Company, _options: argparse.Namespace) -> int:
    for token in tokens_of(company):
        state = _("valid") if token.expires_at > now() else _("expired")
        whom = token.told_scope()
        print(token.pk, token.role, token.name or "-", utc_text(token.expires_at), state, whom, sep="\t")
    return 0


def _revoke(company: Company, options: argparse.Namespace) -> int:
    revoke(company, options.number, COMMAND_LINE)
    print(_("Revoked."))
    return 0

"""`tidings-server console`: the pages of the console, and who may sign in to them."""

import argparse
import os
import sys

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from server.access.roles import Role, require_bindable
from server.accounts import console_address
from server.accounts.invitations import VALID_FOR, account_named, accounts_of, bind, invite, remove, reset
from server.accounts.models import Account
from server.accounts.review import COLUMNS, access_in
from server.accounts.second_factor import told_with, was_on
from server.audit import log
from server.audit.log import COMMAND_LINE
from server.commands.companies import add_company_argument, chosen_company, groups_of
from server.commands.serve import is_loopback, port_to_listen_on
from server.core import private_files
from server.core.clock import now, utc_text
from server.core.csv_export import write_csv
from server.core.errors import Refused
from server.database.migrating import migrate
from server.database.soundness import require_sound, require_whole
from server.directory.models import Company
from server.mail import outbox, transport
from server.mail.models import ConsoleMail
from server.region.region import require_own_region, settled_region


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server console`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    serving = actions.add_parser("serve", help=_("serve the pages"), description=_("serve the pages"))
    serving.add_argument("--host", default="127.0.0.1", help=_("the address to listen on (%(default)s)"))
    serving.add_argument(
        "--port", type=int, default=8410, help=_("the port to listen on (%(default)s); 0 takes a free one")
    )
    serving.add_argument(
        "--address",
        metavar="URL",
        help=_("where people's browsers reach it, such as https://console.example; a proxy there speaks TLS"),
    )
    inviting = actions.add_parser(
        "invite",
        help=_("make an account"),
        description=_("make an account; its link is shown once, and works once"),
    )
    inviting.add_argument("email", metavar="EMAIL", help=_("whom to invite"))
    inviting.add_argument(
        "--role",
        required=True,
        nargs="+",
        action="extend",
        choices=[str(role) for role in Role],
        help=_("what they do; roles combine"),
    )
    inviting.add_argument(
        "--group",
        action="append",
        metavar=_("NAME"),
        help=_("whom alone they address; may be given several times"),
    )
    binding = actions.add_parser(
        "bind",
        help=_("bind an author to groups"),
        description=_(
            "Bind an account to groups: it writes and publishes for the people in them alone, and sees what is for them."
        ),
    )
    binding.add_argument("email", metavar="EMAIL", help=_("whose account"))
    whom = binding.add_mutually_exclusive_group(required=True)
    whom.add_argument(
        "--group", action="append", metavar=_("NAME"), help=_("a group; may be given several times")
    )
    whom.add_argument("--everybody", action="store_true", help=_("bound to no group any more"))
    listing = actions.add_parser("accounts", help=_("list accounts"), description=_("list accounts"))
    removing = actions.add_parser(
        "remove", help=_("delete an account"), description=_("delete an account; its sessions end at once")
    )
    resetting = actions.add_parser(
        "reset",
        help=_("let somebody in anew"),
        description=_("make a new link; the password, the second factor and all sessions end"),
    )
    for action in (removing, resetting):
        action.add_argument("email", metavar="EMAIL", help=_("whose account"))
    for action in (inviting, resetting):
        action.add_argument("--address", metavar="URL", help=_("where people's browsers reach the console"))
        action.add_argument("--mail", action="store_true", help=_("send the link by e-mail, and show none"))
    description = _("list who may do what, and when somebody last decided that they keep it, as CSV")
    reviewing = actions.add_parser("access", help=description, description=description)
    for action in (inviting, binding, listing, removing, resetting, reviewing):
        add_company_argument(action)


def run(options: argparse.Namespace) -> int:
    """Serve, or change who may sign in. Raises `Refused`."""
    if options.action == "serve":
        return _serve(options)
    actions = {
        "invite": _invite,
        "bind": _bind,
        "accounts": _list,
        "remove": _remove,
        "reset": _reset,
        "access": _access,
    }
    return actions[options.action](chosen_company(options), options)


def _serve(options: argparse.Namespace) -> int:
    """Become the process that serves: it begins anew, with the console's own settings."""
    port = port_to_listen_on(options.host, options.port)
    named = _address(options)
    if not (named or is_loopback(options.host)):
        raise Refused(
            _("Where do browsers reach the console?"),
            _(
                "Passwords travel over TLS only. Put a proxy in front, and add --address https://…; see docs/console.md."
            ),
        )
    reached = named or console_address.of(options.host, port)
    if not settings.SECRET_FILE.exists():
        raise Refused(
            _("This server has not been set up"), _("Run first: tidings-server init. See --help of it.")
        )
    require_sound()
    settled_region()
    migrate()
    require_whole()
    require_own_region()
    private_files.tighten_all(settings.DATA)
    own = {"DJANGO_SETTINGS_MODULE": "server.console.settings", console_address.VARIABLE: reached}
    ready = _("Console at {url} (Ctrl-C stops)").format(url=reached)
    words = [sys.executable, "-P", "-m", "server.console", options.host, str(port), ready]
    sys.stdout.flush()
    os.execve(sys.executable, words, os.environ | own)


def _address(options: argparse.Namespace) -> str:
    """As the command or the environment names it; empty where neither does."""
    named = options.address or settings.CONSOLE
    return console_address.checked(named) if named else ""


def _invite(company: Company, options: argparse.Namespace) -> int:
    reached = _address(options) or console_address.of_links()
    roles = [Role(role) for role in options.role]
    groups = groups_of(company, options.group)
    if groups is not None:
        require_bindable(roles)
    if options.mail:
        transport.require_on()
    with transaction.atomic():
        account, token = invite(company, options.email, roles, COMMAND_LINE)
        if groups is not None:
            bind(account, groups, COMMAND_LINE)
        if options.mail:
            _send_link(account)
    return _is_being_sent() if options.mail else _show_link(reached, token)


def _bind(company: Company, options: argparse.Namespace) -> int:
    groups = groups_of(company, options.group)
    bind(account_named(company, options.email), groups, COMMAND_LINE)
    print(_("Bound.") if groups is not None else _("Bound to no group any more."))
    return 0


def _reset(company: Company, options: argparse.Namespace) -> int:
    reached = _address(options) or console_address.of_links()
    account = account_named(company, options.email)
    if options.mail:
        transport.require_on()
        with transaction.atomic():
            reset(account, COMMAND_LINE)
            _send_link(account)
        return _is_being_sent()
    return _show_link(reached, reset(account, COMMAND_LINE))


def _send_link(account: Account) -> None:
    """The link is made when it is sent, and is nowhere before."""
    outbox.notify([account], "", ConsoleMail.Kind.SIGN_IN)


def _is_being_sent() -> int:
    print(_("It is being sent by e-mail."))
    return 0


def _show_link(reached: str, token: str) -> int:
    print(_("Link: {url}").format(url=f"{reached}/welcome/{token}"))
    until = utc_text(now() + VALID_FOR)
    print(
        _("It works once, until {time}, and is not shown again. Give it to this person alone.").format(
            time=until
        )
    )
    return 0


def _list(company: Company, _options: argparse.Namespace) -> int:
    for account in told_with(accounts_of(company)):
        month = f"{account.signed_in_month:%Y-%m}" if account.signed_in_month else "-"
        factor = _("second factor") if was_on(account) else _("no second factor")
        whom = account.told_scope()
        print(account.pk, account.email, ", ".join(account.roles), month, factor, whom, sep="\t")
    return 0


def _access(company: Company, _options: argparse.Namespace) -> int:
    log.record(company, COMMAND_LINE, "review-access")
    write_csv(sys.stdout, COLUMNS, (one.row for one in access_in(company)))
    return 0


def _remove(company: Company, options: argparse.Namespace) -> int:
    remove(account_named(company, options.email), COMMAND_LINE)
    print(_("Removed."))
    return 0

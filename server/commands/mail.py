"""`tidings-server mail`: send what waits to be sent by e-mail, and try whether it can be."""

import argparse

from django.utils.translation import gettext as _

from server.accounts import console_address
from server.core.errors import EnvironmentFault, Refused
from server.mail import sending, transport


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server mail`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    actions.add_parser(
        "send", help=_("send what is due"), description=_("send what is due; serve does it by itself")
    )
    trying = actions.add_parser(
        "test", help=_("send one mail now"), description=_("send one mail now, and say what went wrong")
    )
    trying.add_argument("address", metavar="EMAIL", help=_("to whom"))


def run(options: argparse.Namespace) -> int:
    """Send. Raises `Refused` where mail is off, and `EnvironmentFault` where it cannot be sent."""
    transport.require_on()
    if options.action == "test":
        return _test(options.address)
    counted = sending.send_due(console_address.of_links())
    print(
        _("{sent} sent, {failed} given up, {waiting} wait").format(
            sent=counted.sent, failed=counted.failed, waiting=counted.waiting
        )
    )
    return 0


def _test(to: str) -> int:
    if not transport.ADDRESS.fullmatch(to):
        raise Refused(_("That is no address"), _("Write one such as lea@example.com."))
    try:
        sending.send_test(to)
    except OSError as error:
        raise EnvironmentFault(_("The mail was not sent"), f"{type(error).__name__}: {error}") from error
    print(_("Sent."))
    return 0

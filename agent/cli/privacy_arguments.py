"""The words of ``tidings privacy`` and ``tidings receipt``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from resources.i18n import _

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SIGNALS = ("seen", "click", "like")
DETAILS = ("email", "first_name", "last_name", "title", "work_landline", "work_cell", "site_addresses")
LINES = "site_addresses"


def add(commands: Commands) -> None:
    """Both commands, with their own."""
    privacy = commands.add_parser(
        "privacy", help=_("see what is shared and was sent, turn it on and off, take it back")
    )
    _privacy(privacy.add_subparsers(dest="act", metavar=_("ACT"), required=True))
    receipt = commands.add_parser("receipt", help=_("list, save and check signed receipts"))
    _receipt(receipt.add_subparsers(dest="act", metavar=_("ACT"), required=True))


def _privacy(acts: Commands) -> None:
    show = acts.add_parser("show", help=_("what is shared, and who answers for it"))
    sent = acts.add_parser("sent", help=_("every message that was sent about you"))
    verify = acts.add_parser("verify", help=_("compare what the server holds with what this computer sent"))
    for each in (show, sent, verify):
        each.add_argument("--json", action="store_true", help=_("for programs"))
    choose = acts.add_parser("set", help=_("turn signals on or off; off takes effect at once"))
    choose.add_argument(
        "choices",
        nargs="+",
        type=_choice,
        metavar=_("SIGNAL=on|off"),
        help=_("seen, click or like, for example like=off"),
    )
    export = acts.add_parser("export", help=_("save a copy of all your data, as JSON and as a page to read"))
    export.add_argument("folder", metavar=_("FOLDER"), help=_("where to; it is made if there is none"))
    correct = acts.add_parser("correct", help=_("correct your details"))
    correct.add_argument(
        "changes",
        nargs="+",
        type=_change,
        metavar=_("FIELD=VALUE"),
        help=_("one of: {names}; {lines} once for each line").format(names=", ".join(DETAILS), lines=LINES),
    )
    erase = acts.add_parser("erase", help=_("turn everything off and delete all that you shared"))
    erase.add_argument("--yes", action="store_true", help=_("do not ask"))


def _receipt(acts: Commands) -> None:
    acts.add_parser("list", help=_("the receipts on this computer"))
    save = acts.add_parser("save", help=_("save a receipt as a file that anybody can check"))
    save.add_argument("receipt_id", metavar=_("RECEIPT"), help=_("its number, from the list"))
    save.add_argument("file", metavar=_("FILE"), help=_("where to; “-” writes to standard output"))
    verify = acts.add_parser("verify", help=_("check a receipt's signature, and say what it says"))
    verify.add_argument("file", metavar=_("FILE"), help=_("the file; “-” reads standard input"))
    verify.add_argument(
        "--keys",
        metavar=_("FILE"),
        help=_("the company's keys, as a JSON Web Key Set, from a source you trust"),
    )


def _choice(text: str) -> tuple[str, bool]:
    name, _separator, value = text.partition("=")
    if name not in SIGNALS or value not in ("on", "off"):
        raise argparse.ArgumentTypeError(
            _("“{text}” is not seen=on, click=off or the like").format(text=text)
        )
    return name, value == "on"


def _change(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if name not in DETAILS or not separator:
        raise argparse.ArgumentTypeError(
            _("“{text}” is not one of {names}, with = and a value").format(
                text=text, names=", ".join(DETAILS)
            )
        )
    return name, value

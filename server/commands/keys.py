"""`tidings-server keys`: show a company's signing keys, and replace them after a theft (ADR 19)."""

import argparse

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.commands.companies import add_company_argument, chosen_company
from server.core.errors import Refused
from server.recovery.rekeying import replace_keys
from server.recovery.replay import catch_up
from server.signing.checking import require_own_keys
from server.signing.signers import public_keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server keys`."""
    parser.description = _(
        "Computers accept only what is signed by the keys that they met when they were connected. Replacing the keys after "
        "a theft disconnects every computer: each person connects again with a new invitation code."
    )
    parser.add_argument(
        "action", choices=("show", "replace"), help=_("show their fingerprints, or replace them")
    )
    parser.add_argument("--yes", action="store_true", help=_("disconnect every computer of the company"))
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Show the fingerprints, or replace the keys, which disconnects every computer.

    Raises `Refused` without `--yes`, and `EnvironmentFault` where the keys are not the company's own (nobody must be told
    their fingerprints), or those of yet another company are missing.
    """
    company = chosen_company(options)
    if options.action == "replace":
        if not options.yes:
            raise Refused(
                _("The keys stay as they are"),
                _("Every computer of {company} would be disconnected. Give --yes.").format(
                    company=company.name
                ),
            )
        count = replace_keys(company)
        text = ngettext(
            "New keys were made. {count} computer was disconnected.",
            "New keys were made. {count} computers were disconnected.",
            count,
        )
        print(text.format(count=count), flush=True)
        catch_up()
    else:
        require_own_keys(company)
    for key in public_keys(company.pk)["keys"]:
        print(key["tidings_use"], key["kid"], sep="\t")
    return 0

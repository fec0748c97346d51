"""`tidings-server record`: the record of processing activities (GDPR article 30)."""

import argparse
import sys
from pathlib import Path

from django.utils import translation
from django.utils.translation import gettext as _

from server.commands.companies import add_company_argument, chosen_company
from server.core import private_files
from server.core.errors import EnvironmentFault
from server.processing_record.record import as_csv, as_html, record_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server record`."""
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--html", action="store_true", help=_("for reading and printing (unless another is named)")
    )
    forms.add_argument("--csv", action="store_true", help=_("for a spreadsheet"))
    parser.add_argument("-o", "--output", type=Path, metavar=_("FILE"), help=_("write it there"))
    parser.add_argument("--language", choices=("en", "fr"), help=_("its language (yours unless given)"))
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Write the record of processing activities, in the language that is asked for."""
    company = chosen_company(options)
    with translation.override(options.language or translation.get_language()):
        record = record_of(company)
        text = as_csv(record) if options.csv else as_html(record)
    if options.output is None:
        sys.stdout.write(text)
        return 0
    try:
        with open(options.output, "w", encoding="utf-8", newline="", opener=private_files.opener) as file:
            file.write(text)
    except OSError as error:
        raise EnvironmentFault(_("The record cannot be written"), f"{options.output}: {error}") from error
    return 0

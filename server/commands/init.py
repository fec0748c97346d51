"""`tidings-server init`: the data folder, the database, a company with its keys and its notice."""

import argparse
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from server.audit import log
from server.companies.companies import make_or_change
from server.companies.company_file import CompanyFile, CompanySection, check_company, read_company_file
from server.core import private_files
from server.core.errors import EnvironmentFault, Refused
from server.database.migrating import migrate
from server.directory.models import Company
from server.drafts.approval import require_two_people
from server.recovery.replay import catch_up
from server.region.region import refuse_other_region, region_name, settle

FLAGS = ("id", "name", "legal_name", "region", "dpo_name", "dpo_email", "accent", "server_url")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server init`: a file, or the description in words."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar=_("FILE.toml"),
        help=_("the company's description; run again to change the company"),
    )
    parser.add_argument("--id", help=_("without a file: a short name, a-z, 0-9 and hyphen"))
    parser.add_argument("--name", help=_("the company's name as employees know it"))
    parser.add_argument("--legal-name", help=_("the controller of the processing"))
    parser.add_argument(
        "--region",
        choices=("eu", "us"),
        help=_("where the data is stored; alone, it sets up a server without a company"),
    )
    parser.add_argument("--dpo-name", help=_("whom to contact about data protection"))
    parser.add_argument("--dpo-email", help=_("their e-mail address"))
    parser.add_argument("--accent", help=_("a colour for pop-ups, as #0F766E"))
    logos = parser.add_mutually_exclusive_group()
    logos.add_argument(
        "--logo",
        type=Path,
        metavar=_("FILE"),
        help=_("the company's logo: PNG, JPEG or WebP, at most 512 KB"),
    )
    logos.add_argument("--no-logo", action="store_true", help=_("show no logo any more"))
    parser.add_argument("--server-url", help=_("where agents reach this server"))
    parser.add_argument(
        "--link-host",
        action="append",
        metavar=_("HOST"),
        help=_("a host that campaigns may link to, or *.domain; may be given several times"),
    )


def run(options: argparse.Namespace) -> int:
    """Make the company, or change it as described. Raises `Refused`."""
    if options.region and not any(getattr(options, name) for name in ("file", "id", "name")):
        return _without_company(options.region)
    description = _description(options)
    section = description.company
    refuse_other_region(section.region)
    if options.region and options.region != section.region:
        raise Refused(
            _("Two regions were named"),
            _("The company file says {region}. Leave --region out, or correct the file.").format(
                region=section.region
            ),
        )
    _prepare()
    if options.file is None:
        description = _keeping_the_rest(description, options)
    before = Company.objects.filter(pk=section.id).first()
    if section.second_person_from is not None:
        require_two_people(before)
    company, is_new = make_or_change(description)
    settle(company.region)
    notice = company.current_notice().version
    detail: dict[str, Any] = {"notice": notice, "logo": company.logo["sha256"] if company.logo else None}
    if before is not None:
        detail |= {
            name: getattr(company, name)
            for name in ("second_person_from", "emergencies_alone", "time_zone")
            if getattr(company, name) != getattr(before, name)
        }
    log.record(company, log.COMMAND_LINE, "make-company" if is_new else "change-company", detail=detail)
    done = _("{name} is ready.") if is_new else _("{name} is changed.")
    print(done.format(name=company.name), _("Notice in force: version {version}.").format(version=notice))
    return 0


def _without_company(region: str) -> int:
    """For a server that companies are imported into."""
    refuse_other_region(region)
    _prepare()
    settle(region)
    print(_("This server keeps data in {region}. It has no company yet.").format(region=region_name(region)))
    return 0


def _prepare() -> None:
    prepare_data_folder()
    migrate()
    catch_up()


def _description(options: argparse.Namespace) -> CompanyFile:
    if options.file is not None:
        return read_company_file(options.file)
    given: dict[str, Any] = {name: getattr(options, name) for name in FLAGS if getattr(options, name)}
    if not given:
        raise Refused(
            _("Which company?"), _("Name a company file, or describe the company with options. See --help.")
        )
    if options.link_host:
        given["link_hosts"] = options.link_host
    if options.logo or options.no_logo:
        given["logo"] = options.logo
    given.setdefault("legal_name", given.get("name"))
    return check_company({"company": given}, _("Options:"))


def _keeping_the_rest(description: CompanyFile, options: argparse.Namespace) -> CompanyFile:
    """Options change what they name; a file describes the company whole."""
    section = description.company
    company = Company.objects.filter(pk=section.id).first()
    if company is None:
        return description
    named = section.model_fields_set - (set() if options.legal_name else {"legal_name"})
    others = CompanySection.model_fields.keys() - named - {"logo"}  # which stays unless it is named
    kept = {name: getattr(company, name) for name in others}
    return CompanyFile(company=section.model_copy(update=kept))


def prepare_data_folder() -> None:
    """Make the data folder and the server's secret key, for its own user only. Raises `EnvironmentFault`."""
    data, secret_file = settings.DATA, settings.SECRET_FILE
    try:
        private_files.make_folder(data)
        if not secret_file.exists():
            descriptor = os.open(secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
        settings.SECRET_KEY = secret_file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise EnvironmentFault(_("The data folder cannot be used"), f"{data}: {error}") from error

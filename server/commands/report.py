"""`tidings-server report`: how a campaign was received, of those who share it."""

import argparse
import json
from dataclasses import asdict

from django.utils.translation import gettext as _

from server.campaigns.models import Campaign
from server.commands.companies import add_company_argument, chosen_company
from server.errors import Refused
from server.reports.figures import MINIMUM, Figure, Report, report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "campaign", nargs="?", metavar="ID", help=_("the campaign; without it, all are listed")
    )
    parser.add_argument("--json", action="store_true", help=_("as JSON; hidden figures are null"))
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    campaigns = Campaign.objects.filter(company=company).order_by("-starts", "campaign_id")
    if options.campaign is None:
        return _list(list(campaigns), options.json)
    campaign = campaigns.filter(campaign_id=options.campaign).first()
    if campaign is None:
        raise Refused(
            _("There is no campaign {name}").format(name=options.campaign),
            _("tidings-server report lists all campaigns."),
        )
    figures = report(campaign)
    if options.json:
        print(json.dumps(asdict(figures) | {"minimum": MINIMUM}, ensure_ascii=False, indent=2))
    else:
        _print(figures)
    return 0


def _list(campaigns: list[Campaign], as_json: bool) -> int:
    rows = [(campaign.campaign_id, campaign.status, f"{campaign.starts:%Y-%m-%d}") for campaign in campaigns]
    if as_json:
        names = ("campaign_id", "status", "starts")
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return 0
    for row in rows:
        print(*row, sep="\t")
    return 0


def _print(figures: Report) -> None:
    heading = f"{figures.campaign_id}  {figures.title}".rstrip()
    recalled = figures.status == Campaign.Status.RECALLED
    print(f"{heading}  ({_('recalled')})" if recalled else heading)
    print(_("For {count} people").format(count=figures.assigned))
    names = {"seen": _("Seen"), "click": _("Clicked"), "like": _("Liked")}
    for figure in figures.figures:
        print(f"{names[figure.name]:<10}", _words(figure))
    for link in figures.links:
        print(f"  {link.name}:", _words(link))


def _words(figure: Figure) -> str:
    if figure.people is None or figure.sharing is None:
        return _("hidden: fewer than {minimum} people share this").format(minimum=MINIMUM)
    share = figure.people / figure.sharing
    return _("{people} of {sharing} who share ({share:.0%})").format(
        people=figure.people, sharing=figure.sharing, share=share
    )

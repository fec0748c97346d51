"""`tidings-server report`: how a campaign was received, of those who share it."""

import argparse
import json
import sys
from dataclasses import asdict

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.acknowledgements.listing import Acknowledgements, acknowledgements
from server.audit import log
from server.campaigns.models import Campaign
from server.commands.companies import add_company_argument, chosen_company
from server.commands.listing import ROWS_AT_ONCE, print_json
from server.core.clock import now, utc_text
from server.core.csv_export import csv_text
from server.core.errors import Refused
from server.database import statistics
from server.reports import tables
from server.reports.figures import Report
from server.reports.named import acts
from server.reports.snapshots import due_at, make_due, make_if_due, newest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `tidings-server report`."""
    parser.add_argument(
        "campaign", nargs="?", metavar="ID", help=_("the campaign; without it, all are listed")
    )
    views = parser.add_mutually_exclusive_group()
    views.add_argument("--by", choices=("group", "day"), help=_("a line for each group or each UTC day"))
    views.add_argument(
        "--named",
        action="store_true",
        help=_("who did what, if the notice says that reports name people; this is put on record"),
    )
    views.add_argument(
        "--acknowledgements",
        action="store_true",
        help=_("by name, who has confirmed that they have read it and who has not; this is put on record"),
    )
    views.add_argument(
        "--update",
        action="store_true",
        help=_("count what is due of all campaigns; serve does it every hour"),
    )
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help=_("as JSON; hidden figures are null"))
    formats.add_argument("--csv", action="store_true", help=_("as CSV; hidden figures are empty"))
    add_company_argument(parser)


def run(options: argparse.Namespace) -> int:
    """List campaigns, show one's figures, or name people where the notice allows that. Raises `Refused`."""
    if options.update:
        statistics.refresh()
        make_due()
        print(_("What was due is counted."))
        return 0
    company = chosen_company(options)
    campaigns = Campaign.objects.filter(company=company).order_by("-starts", "campaign_id")
    if options.campaign is None:
        return _list(campaigns, options.json)
    campaign = campaigns.filter(campaign_id=options.campaign).first()
    if campaign is None:
        raise Refused(
            _("There is no campaign {name}").format(name=options.campaign),
            _("tidings-server report lists all campaigns."),
        )
    if options.acknowledgements:
        return _acknowledgements(campaign, options)
    return _named(campaign, options) if options.named else _figures(campaign, options)


def _figures(campaign: Campaign, options: argparse.Namespace) -> int:
    make_if_due(campaign)
    figures = newest(campaign)
    if options.json:
        print(json.dumps(asdict(figures), ensure_ascii=False, indent=2))
    elif options.csv:
        sys.stdout.write(csv_text(tables.COLUMNS, tables.spreadsheet(figures)))
    else:
        _print(campaign, figures, options.by)
    return 0


def _named(campaign: Campaign, options: argparse.Namespace) -> int:
    found = acts(campaign)
    log.record(campaign.company, log.COMMAND_LINE, "report-named", detail={"campaign": campaign.campaign_id})
    rows = [(act.email, act.signal, act.link, act.date.isoformat()) for act in found]
    columns = ("email", "signal", "link", "date")
    if options.json:
        print(
            json.dumps([dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False, indent=2)
        )
    elif options.csv:
        sys.stdout.write(csv_text(columns, rows))
    else:
        _print_named(rows)
    return 0


def _print_named(rows: list[tuple[str, str, str, str]]) -> None:
    names = tables.signal_names()
    heading = (_("E-mail"), _("What"), _("Link"), _("Date"))
    print(*tables.aligned([heading, *((row[0], names[row[1]], *row[2:]) for row in rows)]), sep="\n")
    print()
    print(
        _(
            "Named are people who share under the notice in force and did something. Who is not here does not share, "
            "was away or did nothing: which of these, nobody can tell."
        )
    )


def _acknowledgements(campaign: Campaign, options: argparse.Namespace) -> int:
    found = acknowledgements(campaign)
    detail = {"campaign": campaign.campaign_id}
    log.record(campaign.company, log.COMMAND_LINE, "read-acknowledgements", detail=detail)
    if options.json:
        print(json.dumps(asdict(found), ensure_ascii=False, indent=2))
    elif options.csv:
        columns = ("email", "first_name", "last_name", "acknowledged")
        sys.stdout.write(csv_text(columns, [tuple(asdict(person).values()) for person in found.people]))
    else:
        _print_acknowledgements(found)
    return 0


def _print_acknowledgements(found: Acknowledgements) -> None:
    print(f"{found.campaign_id}  {found.title}".rstrip())
    asked = found.confirmed + found.missing
    print(_("Confirmations: {confirmed} of {count}.").format(confirmed=found.confirmed, count=asked))
    print()
    rows = [(_("E-mail"), _("Name"), _("Confirmed"))]
    rows += [
        (
            person.email,
            f"{person.first_name} {person.last_name}".strip(),
            person.acknowledged or _("not yet"),
        )
        for person in found.people
    ]
    print(*tables.aligned(rows), sep="\n")


def _list(campaigns: QuerySet[Campaign], as_json: bool) -> int:
    names = ("campaign_id", "status", "starts")
    found = campaigns.values_list(*names).iterator(ROWS_AT_ONCE)
    rows = ((campaign_id, status, f"{starts:%Y-%m-%d}") for campaign_id, status, starts in found)
    if as_json:
        print_json(dict(zip(names, row, strict=True)) for row in rows)
        return 0
    for row in rows:
        print(*row, sep="\t")
    return 0


def _print(campaign: Campaign, figures: Report, by: str | None) -> None:
    heading = f"{figures.campaign_id}  {figures.title}".rstrip()
    recalled = figures.status == Campaign.Status.RECALLED
    print(f"{heading}  ({_('recalled')})" if recalled else heading)
    reach = ngettext("For {count} person.", "For {count} people.", figures.assigned)
    print(" ".join(filter(None, (reach.format(count=figures.assigned), _state(campaign, figures)))))
    print()
    views = {None: tables.whole, "group": tables.by_group, "day": tables.by_day}
    print(*views[by](figures), sep="\n")
    print()
    print(tables.explanation(by, figures.minimum))


def _state(campaign: Campaign, figures: Report) -> str:
    if figures.closed:
        return _("Closed: these figures stay, and nothing about anybody.")
    if campaign.starts > now():
        return _("It starts at {time}; nothing is counted before.").format(time=utc_text(campaign.starts))
    if figures.made is None:
        return _("There is no figure yet. It is counted every hour on the first day, and daily afterwards.")
    next_time = utc_text(due_at(campaign))
    told = _("As counted at {time}; the same for everybody until {next_time}.")
    return told.format(time=figures.made, next_time=next_time)

"""`tidings-server campaign`: publish, recall and list campaigns."""

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.accounts import console_address
from server.attention.budget import Cost
from server.audit import log
from server.campaigns.manifest import content_and_files, read_manifest
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.commands.companies import add_company_argument, chosen_company
from server.commands.listing import print_json
from server.core import clock
from server.core.clock import utc_text
from server.database.transactions import reading
from server.directory.models import Company
from server.drafts.programs import submit_file
from server.drafts.writing import Program, path_of
from server.publishing.attention import attention_of
from server.publishing.author_warnings import warnings_for
from server.publishing.checked import CheckedCampaign, check_campaign
from server.publishing.publish import check_reason, check_second_person, publish
from server.publishing.recall import recall
from server.publishing.second_person import Approval, SecondPersonMissing
from server.reports.audiences import audience_sizes

CAMPAIGNS_AT_ONCE = 100
"""Each may hold as much text as fits into a document."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server campaign`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    publishing = actions.add_parser(
        "publish", help=_("publish campaigns"), description=_("publish campaigns")
    )
    publishing.add_argument(
        "files", type=Path, nargs="+", metavar=_("FILE.toml"), help=_("see docs/campaign-format.md")
    )
    publishing.add_argument(
        "--media",
        type=Path,
        metavar=_("FOLDER"),
        help=_("where pictures, videos and captions lie, if not next to the file"),
    )
    publishing.add_argument(
        "--reason",
        default="",
        metavar=_("TEXT"),
        help=_("why; an emergency needs it, and the audit log keeps it"),
    )
    publishing.add_argument(
        "--without-second-person",
        metavar=_("TEXT"),
        help=_("publish at once where a second person is wanted, and why; the audit log keeps it"),
    )
    publishing.add_argument("--dry-run", action="store_true", help=_("check everything and publish nothing"))
    add_company_argument(publishing)
    recalling = actions.add_parser(
        "recall",
        help=_("take a campaign back"),
        description=_("take a campaign back; it disappears from every computer that asks"),
    )
    recalling.add_argument("campaign", metavar="ID")
    add_company_argument(recalling)
    listing = actions.add_parser("list", help=_("list campaigns"), description=_("list campaigns"))
    listing.add_argument("--json", action="store_true", help=_("as JSON"))
    add_company_argument(listing)


def run(options: argparse.Namespace) -> int:
    """Publish, recall or list campaigns. Raises `Refused`; nothing of that file is published then."""
    actions = {"publish": _publish, "recall": _recall, "list": _list}
    return actions[options.action](options)


def _publish(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    now = clock.now()
    # All are checked before the first is published, so that a mistake in the last one stops all.
    all_checked = [
        check_campaign(
            company, read_manifest(file, now, company.link_hosts, options.media), Scope(), options.reason
        )
        for file in options.files
    ]
    without = options.without_second_person
    approval = None if without is None else Approval(without=without)
    costs = [attention_of(checked, Scope()) for checked in all_checked]
    waits: list[bool] = []
    for checked, cost in zip(all_checked, costs, strict=True):
        check_reason(checked.manifest, options.reason)
        waits.append(_needs_approval(checked, approval, cost))
    for checked, planned_cost, needs_approval in zip(all_checked, costs, waits, strict=True):
        if needs_approval:
            cost = planned_cost
            _submit(checked, options)
        elif options.dry_run:
            cost = planned_cost
            print(
                _("{file} can be published. {reach}").format(
                    file=checked.manifest.path.name, reach=_reach(checked)
                )
            )
        else:
            campaign, is_new, cost = publish(checked, log.COMMAND_LINE, Scope(), approval)
            told = _reach(checked, (campaign.starts, campaign.ends))
            message = (
                _("{name} is published. {reach}")
                if is_new
                else _("{name} was published already, from this same file: nothing new is shown. {reach}")
            )
            print(message.format(name=campaign.campaign_id, reach=told))
        for warning in warnings_for(checked, cost):
            print(_("Warning: {warning}").format(warning=warning), file=sys.stderr)
    return 0


def _needs_approval(checked: CheckedCampaign, approval: Approval | None, cost: Cost | None) -> bool:
    """Raises `Refused` as `check_second_person` does, where no second person helps."""
    try:
        check_second_person(checked, approval, cost)
    except SecondPersonMissing:
        return True
    return False


def _submit(checked: CheckedCampaign, options: argparse.Namespace) -> None:
    """Let it wait for a second person, and say so. Raises as `submit_file` does."""
    name, reach = checked.manifest.path.name, _reach(checked)
    if options.dry_run:
        told = _("{file} would wait for a second person, who approves it in the console. {reach}")
        print(told.format(file=name, reach=reach))
        return
    content, files = content_and_files(checked.manifest, options.media)
    program = Program(checked.company, log.COMMAND_LINE, Scope())
    draft, campaign = submit_file(program, checked, content, files)
    if campaign is not None:
        told = _("{name} was published already, from this same file: nothing new is shown. {reach}")
        print(told.format(name=campaign.campaign_id, reach=_reach(checked, (campaign.starts, campaign.ends))))
        return
    told = _("{file} is not published yet. It waits for a second person: {url} {reach}")
    print(told.format(file=name, url=f"{console_address.of_links()}/{path_of(draft)}", reach=reach))


def _reach(checked: CheckedCampaign, times: tuple[datetime, datetime] | None = None) -> str:
    """`times`: of the campaign, where it was published already when this was tried again."""
    starts, ends = times or (checked.manifest.starts, checked.manifest.ends)
    people = ngettext("It goes to {count} person", "It goes to {count} people", checked.audience.count)
    span = _("from {starts} to {ends}").format(starts=utc_text(starts), ends=utc_text(ends))
    return f"{people.format(count=checked.audience.count)}, {span}."


def _recall(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    done = recall(company, options.campaign, log.COMMAND_LINE)
    message = _("{name} is recalled.") if done else _("{name} was recalled already.")
    print(message.format(name=options.campaign))
    return 0


def _list(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    campaigns = Campaign.objects.filter(company=company).order_by("-starts", "campaign_id")
    with reading():
        return _print_list(company, campaigns.defer("document", "result"), options)


def _print_list(company: Company, campaigns: QuerySet[Campaign], options: argparse.Namespace) -> int:
    sizes = audience_sizes(company)
    rows: Iterator[dict[str, object]] = (
        {
            "campaign_id": campaign.campaign_id,
            "state": _state(campaign),
            "urgency": campaign.urgency,
            "starts": utc_text(campaign.starts),
            "ends": utc_text(campaign.ends),
            "people": sizes.get(campaign.pk, 0),
            "title": _title(campaign),
        }
        for campaign in campaigns.iterator(CAMPAIGNS_AT_ONCE)
    )
    if options.json:
        print_json(rows)
        return 0
    words = {"scheduled": _("scheduled"), "live": _("live"), "ended": _("ended"), "recalled": _("recalled")}
    for row in rows:
        print(*(row | {"state": words[str(row["state"])]}).values(), sep="\t")
    return 0


def _state(campaign: Campaign) -> str:
    now = clock.now()
    if campaign.status == Campaign.Status.RECALLED:
        return "recalled"
    if campaign.starts > now:
        return "scheduled"
    return "live" if campaign.ends > now else "ended"


def _title(campaign: Campaign) -> str:
    variants = campaign.content["variants"]
    variant = variants.get(campaign.content["default_language"], {"title": ""})
    return str(variant["title"])

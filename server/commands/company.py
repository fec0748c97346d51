"""`tidings-server company`: look at companies, take one out, bring one in, close one."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.archives.closing import close_company
from server.archives.exporting import export_company, row_counts
from server.audit import log
from server.audit.verifying import what_to_do
from server.commands.companies import add_company_argument, chosen_company
from server.commands.progress import bars
from server.core.clock import utc_text
from server.core.errors import Refused
from server.database import statistics
from server.directory.models import Company
from server.drafts.approval import change_budget
from server.recovery.arrival import bring_in
from server.region.region import region_name

TELLING = ("signals.", "reports.", "audit.entrysubject")
"""Tables of which not even the number of rows is told: looked at before and after, it tells what one person chose."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `tidings-server company`, with their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar=_("ACTION"))
    listing = actions.add_parser("list", help=_("list companies"), description=_("list companies"))
    showing = actions.add_parser("show", help=_("show one company"), description=_("show one company"))
    for action in (listing, showing):
        action.add_argument("--json", action="store_true", help=_("as JSON"))
    add_company_argument(showing)
    budgeting = actions.add_parser(
        "budget",
        help=_("show or set the attention budget"),
        description=_(
            "Show or set the attention budget: how many pop-ups each person may get in a week, as planned, and what "
            "happens to a campaign beyond it."
        ),
    )
    budgeting.add_argument(
        "popups", type=int, nargs="?", metavar=_("NUMBER"), help=_("pop-ups per person and week")
    )
    budgeting.add_argument(
        "--over",
        choices=[str(rule) for rule in Company.OverBudget],
        help=_("beyond it: a note, a second person who approves, or a refusal"),
    )
    add_company_argument(budgeting)
    exporting = actions.add_parser(
        "export",
        help=_("take all of a company out"),
        description=_(
            "Write all of a company into one file: every row, media and the private signing keys. Whoever has the file "
            "can read all of it and speak for the company: keep it as you keep the keys."
        ),
    )
    exporting.add_argument("file", type=Path, metavar=_("FILE.zip"))
    add_company_argument(exporting)
    importing = actions.add_parser(
        "import",
        help=_("bring in a company that was exported"),
        description=_(
            "Bring in a company that was exported from a server of the same region: all of it, or nothing. Computers that "
            "are connected stay connected, at the new address."
        ),
    )
    importing.add_argument("file", type=Path, metavar=_("FILE.zip"))
    importing.add_argument(
        "--expect",
        metavar=_("DIGEST"),
        help=_("what “export” told: another archive, one that was edited, is refused"),
    )
    closing = actions.add_parser(
        "close",
        help=_("delete a company and all that belongs to it"),
        description=_("Delete a company: every row, all media and the keys. This cannot be undone."),
    )
    closing.add_argument("id", metavar="ID")
    closing.add_argument(
        "--exported",
        type=Path,
        metavar=_("FILE.zip"),
        help=_("only if this file holds all of it as it is now"),
    )
    closing.add_argument("--yes", action="store_true", help=_("do not ask"))


def run(options: argparse.Namespace) -> int:
    """List, show, export, import or close companies. Raises `Refused`."""
    actions = {
        "list": _list,
        "show": _show,
        "budget": _budget,
        "export": _export,
        "import": _import,
        "close": _close,
    }
    if options.action in ("export", "close"):
        statistics.refresh()
    return actions[options.action](options)


def _list(options: argparse.Namespace) -> int:
    rows = [_summary(company) for company in Company.objects.order_by("pk")]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    for row in rows:
        print(row["id"], row["name"], row["region"], row["people"], row["campaigns"], sep="\t")
    return 0


def _show(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    summary = _summary(company) | {
        "legal_name": company.legal_name,
        "dpo_name": company.dpo_name,
        "dpo_email": company.dpo_email,
        "server_url": company.server_url,
        "signals": company.signals,
        "named_reporting": company.named_reporting,
        "minimum": company.minimum,
        "popups_per_week": company.popups_per_week,
        "over_budget": company.over_budget,
        "second_person_from": company.second_person_from,
        "emergencies_alone": company.emergencies_alone,
        "time_zone": company.time_zone,
        "notice_version": company.notice_version(),
        "document_expires": utc_text(company.document_expires) if company.document_expires else None,
        "rows": _tellable(row_counts(company.pk)),
    }
    if options.json:
        print(json.dumps(summary, ensure_ascii=False, indent=2))
        return 0
    flat = {name: value for name, value in summary.items() if name != "rows"}
    flat["region"] = region_name(company.region)
    for name, value in flat.items():
        print(name, ", ".join(value) if isinstance(value, list) else value, sep="\t")
    for name, count in _tellable(row_counts(company.pk)).items():
        print(name, count, sep="\t")
    return 0


def _tellable(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in sorted(counts.items()) if not name.startswith(TELLING)}


def _summary(company: Company) -> dict[str, object]:
    return {
        "id": company.pk,
        "name": company.name,
        "region": company.region,
        "people": company.people.count(),
        "campaigns": company.campaigns.count(),
    }


def _budget(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    if options.popups is not None or options.over is not None:
        popups = company.popups_per_week if options.popups is None else options.popups
        rule = Company.OverBudget(options.over or company.over_budget)
        change_budget(company, popups, rule, log.COMMAND_LINE)
        company.refresh_from_db()
    told = ngettext(
        "{count} pop-up per person and week", "{count} pop-ups per person and week", company.popups_per_week
    )
    print(told.format(count=company.popups_per_week), company.over_budget, sep="\t")
    return 0


def _export(options: argparse.Namespace) -> int:
    company = chosen_company(options)
    with bars() as bar:
        exported = export_company(company, options.file, bar)
    detail = {"files": len(exported.manifest.files), "archive": exported.digest}
    log.record(company, log.COMMAND_LINE, "company-export", detail=detail)
    print(_("{company} is in {file}.").format(company=company.name, file=options.file))
    print(_("Digest: {digest}").format(digest=exported.digest))
    print(
        _("It holds personal data and the private signing keys. Only you can read it; store it encrypted."),
        _("Note the digest elsewhere: given to “import --expect”, it tells an archive that somebody edited."),
        sep="\n",
        file=sys.stderr,
    )
    _warn_of_log(exported.faults)
    return 0


def _import(options: argparse.Namespace) -> int:
    with bars() as bar:
        imported = bring_in(options.file, bar, options.expect)
    company = imported.company
    people = company.people.count()
    told = ngettext(
        "{company} is here, with {count} person.", "{company} is here, with {count} people.", people
    )
    print(told.format(company=company.name, count=people))
    print(_("Digest: {digest}").format(digest=imported.digest))
    print(_("Agents look for it at {url}.").format(url=company.server_url))
    print(
        _(
            "Left behind: tokens of the administration API, and invitations that were not used yet. Make new ones: "
            "tidings-server token create, tidings-server invite."
        )
    )
    if options.expect is None:
        print(
            _(
                "Nobody has checked whether the archive was edited on its way: compare its digest with the one that was told "
                "when it was made."
            ),
            file=sys.stderr,
        )
    _warn_of_log(imported.faults)
    return 0


def _warn_of_log(faults: Sequence[str]) -> None:
    if faults:
        print(_("The audit log is NOT whole, which goes along:"), *faults, sep="\n", file=sys.stderr)
        print(what_to_do(), file=sys.stderr)


def _close(options: argparse.Namespace) -> int:
    options.company = options.id
    company = chosen_company(options)
    if not (options.yes or _confirmed(company)):
        raise Refused(_("Nothing was deleted"), _("Answer with the company’s id, or give --yes."))
    with bars() as bar:
        deleted = close_company(company, options.exported, bar)
    for model, rows in _tellable(deleted).items():
        print(model, rows, sep="\t")
    return 0


def _confirmed(company: Company) -> bool:
    if not sys.stdin.isatty():
        return False
    people = company.people.count()
    question = ngettext(
        "Delete {company}, its {people} person and all that belongs to it? This cannot be undone. Its id, to confirm:",
        "Delete {company}, its {people} people and all that belongs to it? This cannot be undone. Its id, to confirm:",
        people,
    )
    told = question.format(company=company.name, people=people)
    print(told, end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == company.pk

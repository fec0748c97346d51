"""Today: what waits for the person, what began, and what comes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.accounts.models import Account
from server.accounts.review import due_at
from server.campaigns.overview import began, lines_of, starting_or_ending, title_of
from server.console.access import AccountRequest, page
from server.console.navigation import waiting_at
from server.console.times import day_text, in_zone
from server.core import clock
from server.data_subject.decisions import ANSWER_WITHIN, waiting
from server.drafts.approval import waiting_for
from server.drafts.fields import title_of_draft
from server.health.findings import quick_findings

SOON = timedelta(days=7)
MOST_LINES = 12


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for the person, and what to do about it."""

    title: str
    detail: str
    is_bad: bool = False
    address: str = ""


@page(None)
def today(request: AccountRequest) -> HttpResponse:
    """The start."""
    account, now = request.user, clock.now()
    items = list(_waiting(account, waiting_at(request, account)))
    words = {"items": items, "now": now, "shows_week": False}
    if Right.READ_CAMPAIGNS in account.rights:
        soon = account.scope.those_of(starting_or_ending(account.company, now, SOON))
        lines = lines_of(account.company, soon[: MOST_LINES + 1], now, get_language() or "")
        words |= {"shows_week": True, "week": lines[:MOST_LINES], "has_more": len(lines) > MOST_LINES}
        words["begun"] = _begun(account, now)
    return render(request, "pages/today.html", words)


def _begun(account: Account, now: datetime) -> list[dict[str, Any]]:
    """What began today and yesterday by the company's clock. Its figures are a page away, where a look is on record."""
    midnight = in_zone(now, account.company).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = midnight - timedelta(days=1)
    days: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    found = account.scope.those_of(began(account.company, yesterday, now)).values_list(
        "campaign_id", "content", "starts"
    )
    for campaign_id, content, starts in found[:MOST_LINES]:
        line = {"id": campaign_id, "title": title_of(content, get_language() or ""), "starts": starts}
        days[starts >= midnight].append(line)
    shown = ((_("Began today"), days[True]), (_("Began yesterday"), days[False]))
    return [{"title": title, "lines": lines} for title, lines in shown if lines]


def _waiting(account: Account, counts: Mapping[str, int]) -> Iterator[Waiting]:
    rights = account.rights
    drafts = list(waiting_for(account)[: MOST_LINES + 1])
    for draft in drafts[:MOST_LINES]:
        author = draft.submitter_words
        yield Waiting(
            title_of_draft(draft) or _("No title yet"),
            _("{author} submitted it for your approval").format(author=author),
            address=reverse("drafts-check", args=[draft.draft_id]),
        )
    if len(drafts) > MOST_LINES:
        yield Waiting(
            _("More drafts wait for your approval"),
            _("They are shown here as soon as you have decided about some of these."),
        )
    if published := counts.get("campaigns"):
        title = ngettext(
            "{count} announcement was published alone",
            "{count} announcements were published alone",
            published,
        )
        yield Waiting(
            title.format(count=published),
            _("Your company wants two people to see it: look at it afterwards."),
            address=reverse("campaigns-alone"),
        )
    if erasures := counts.get("erasures"):
        title = ngettext("{count} erasure was asked for", "{count} erasures were asked for", erasures)
        yield Waiting(
            title.format(count=erasures),
            _("A second person decides about each."),
            address=reverse("erasures"),
        )
    if counts.get("notice"):
        yield Waiting(
            _("A new version of the privacy notice was proposed"),
            _("Look at what it does before it is in force."),
            address=reverse("notice-proposal"),
        )
    if corrections := counts.get("corrections"):
        yield _corrections(account, corrections)
    if accounts := counts.get("access"):
        yield _access(account, accounts)
    if Right.READ_HEALTH in rights:
        for finding in quick_findings(account.company):
            yield Waiting(finding.name, finding.message, finding.state == "fault")


def _access(account: Account, count: int) -> Waiting:
    title = ngettext(
        "Look at who may do what: {count} account", "Look at who may do what: {count} accounts", count
    )
    due = due_at(account) or clock.now()
    detail = _("Due by {day}: keep each, or take it away.").format(day=day_text(due))
    return Waiting(title.format(count=count), detail, due <= clock.now(), reverse("access"))


def _corrections(account: Account, count: int) -> Waiting:
    oldest = waiting(account.company).values_list("requested_at", flat=True).first()
    title = ngettext(
        "{count} person wants their details corrected", "{count} people want their details corrected", count
    )
    due = day_text((oldest or clock.now()) + ANSWER_WITHIN)  # somebody may decide it just now
    return Waiting(
        title.format(count=count),
        _("To be answered by {day} (GDPR article 12(3)).").format(day=due),
        address=reverse("corrections"),
    )

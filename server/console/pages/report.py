"""How one campaign was received, of those who share it: the newest snapshot, the same for everybody (ADR 25)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.access.roles import Right
from server.campaigns.countable import VIDEO
from server.campaigns.overview import State, state_of, title_of
from server.console import drawings
from server.console.access import AccountRequest, page
from server.console.announcement import of_campaigns
from server.console.table_files import FileKind, table_file
from server.core import clock
from server.reports import tables
from server.reports.figures import Day, Figure, Report, seen_by
from server.reports.snapshots import due_after, newest

SEAL_DIGITS = 8
"""Of the document's digest: enough for two people to see that they speak of the same."""


@dataclass(frozen=True)
class Card:
    """One signal of all who are counted. `hidden` says why there is no figure."""

    name: str
    figure: Figure
    hidden: str

    @property
    def percent(self) -> int:
        """Of the counted, to the nearest."""
        return _percent(self.figure)

    @property
    def likely(self) -> str:
        """The share of all, if the others are like them; in percent."""
        low, high = 100 * (self.figure.low or 0), 100 * (self.figure.high or 0)
        return _("{low:.0f} to {high:.0f} %").format(low=low, high=high)

    @property
    def meter(self) -> str:
        """The share, drawn."""
        return drawings.meter(self.percent)


@dataclass(frozen=True)
class Row:
    """A line of a table: a name, and a cell for each signal or the one number."""

    name: str
    cells: Sequence[str]


@page(Right.READ_REPORTS, on_record=True)
def report(request: AccountRequest, campaign_id: str) -> HttpResponse:
    """The figures of one campaign. Nothing is counted by looking."""
    campaign = request.campaign
    found, now = seen_by(newest(campaign), request.user.scope), clock.now()
    made = datetime.fromisoformat(found.made) if found.made else None
    next_count = due_after(campaign, made) if made else now
    words = {
        "campaign": campaign,
        "title": title_of(campaign.content, get_language() or ""),
        "state": state_of(campaign, now),
        "is_recalled": state_of(campaign, now) is State.RECALLED,
        "found": found,
        "made": made,
        "next": next_count if next_count > now else None,
        "cards": [_card(figure, found.minimum) for figure in found.figures],
        "signals": list(tables.signal_names().values()),
        "groups": _groups(found),
        "excluded": list(campaign.excluded_groups.order_by("name").values_list("name", flat=True)),
        "links": _links(found),
        "days": _days(found.days),
        "chart": _chart(found),
        "explanation": tables.explanation(None, found.minimum),
        "texts": of_campaigns([campaign])[0] if campaign.content.get("variants") else [],
        "seal": hashlib.sha256(campaign.document.encode()).hexdigest()[:SEAL_DIGITS],
    }
    return render(request, "pages/report.html", words)


@page(Right.READ_REPORTS, on_record=True)
def report_file(request: AccountRequest, campaign_id: str, kind: FileKind) -> HttpResponseBase:
    """The same figures, for a spreadsheet."""
    found = seen_by(newest(request.campaign), request.user.scope)
    return table_file(kind, found.campaign_id, tables.COLUMNS, tables.spreadsheet(found))


def _card(figure: Figure, minimum: int) -> Card:
    return Card(tables.signal_names()[figure.name], figure, _hidden(figure, minimum))


def _hidden(figure: Figure, minimum: int) -> str:
    """Why there is no figure; empty where there is one."""
    if figure.people is not None:
        return ""
    if figure.off or figure.why:
        return capfirst(tables.share(figure, minimum)) + "."
    return _("Shown when {minimum} people or more are counted, and one of them has done something.").format(
        minimum=minimum
    )


def _percent(figure: Figure) -> int:
    return round(100 * (figure.people or 0) / (figure.sharing or 1))


def _groups(found: Report) -> list[Row]:
    return [Row(group.name, [_cell(figure) for figure in group.figures]) for group in found.groups]


def _cell(figure: Figure) -> str:
    if figure.people is not None:
        return _("{percent} %").format(percent=_percent(figure))
    return _("off") if figure.off else _("too few")


def _links(found: Report) -> list[Row]:
    """How many counted people followed each."""
    return [
        Row(
            _("The video") if link.name == VIDEO else link.name,
            [str(link.people) if link.people is not None else _link_cell(link, found.minimum)],
        )
        for link in found.links
    ]


def _link_cell(link: Figure, minimum: int) -> str:
    return tables.share(link, minimum) if link.off or link.why else _("too few")


def _days(days: Sequence[Day]) -> list[Row]:
    return [
        Row(
            day.date,
            ["" if day.people[name] is None else str(day.people[name]) for name in tables.signal_names()],
        )
        for day in days
    ]


@dataclass(frozen=True)
class Chart:
    """The first signal that is shown, day by day."""

    title: str
    drawing: str


def _chart(found: Report) -> Chart | None:
    shown = next((figure.name for figure in found.figures if figure.people is not None), None)
    if shown is None:
        return None
    title = _("{signal}, by day").format(signal=tables.signal_names()[shown])
    bars = [
        (date_format(date.fromisoformat(day.date), _("D j M")), day.people[shown] or 0) for day in found.days
    ]
    return Chart(title, drawings.bars(bars, title) if bars else "")

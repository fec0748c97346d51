"""A report as tables: of texts to be read, and of values for a spreadsheet."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from server.reports.figures import Figure, GroupFigures, Report
from server.signals.models import SignalName

COLUMNS = ("part", "name", "signal", "people", "sharing", "share", "low", "high", "assigned")
"""Of the spreadsheet. Shares are fractions of 1; a figure that is hidden has empty cells."""

Row = Sequence[object]


def signal_names() -> dict[str, str]:
    """What people call the signals."""
    return {"seen": _("Seen"), "click": _("Clicked"), "like": _("Liked")}


_HIDDEN = {
    "not-in-every-variant": lambda: _("not counted: it is not in every language"),
    "confirmed-by-name": lambda: _("not counted: people confirm it by name"),
}


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns that begin below each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def whole(report: Report) -> list[str]:
    """The figures of all counted people, and of each link."""
    names = signal_names()
    rows = [("", _("of those who are counted"), _("of all, if the others are like them"))]
    rows += [(names[figure.name], *_both(figure, report.minimum)) for figure in report.figures]
    rows += [(f"  {link.name}", share(link, report.minimum), "") for link in report.links]
    return aligned(rows)


def by_group(report: Report) -> list[str]:
    """A line for each group."""
    rows = [(_("Group"), _("People"), *signal_names().values())]
    rows += [(group.name, str(group.assigned), *_cells(group, report.minimum)) for group in report.groups]
    return aligned(rows)


def by_day(report: Report) -> list[str]:
    """A line for each day on which anything was counted."""
    rows = [(_("Date"), *signal_names().values())]
    for day in report.days:
        rows.append(
            (
                day.date,
                *(
                    _("hidden") if day.people[name] is None else str(day.people[name])
                    for name in signal_names()
                ),
            )
        )
    return aligned(rows)


def share(figure: Figure, minimum: int) -> str:
    """`people` of `sharing`, or why it is not shown."""
    if figure.off:
        return _("your organisation does not ask for this")
    if figure.why:
        return _HIDDEN[figure.why]()
    if figure.people is None or figure.sharing is None:
        return _(
            "hidden: fewer than {minimum} people are counted, or none of them has done anything yet"
        ).format(minimum=minimum)
    return _("{people} of {sharing} ({percent:.0f}%)").format(
        people=figure.people, sharing=figure.sharing, percent=100 * figure.people / figure.sharing
    )


def explanation(by: str | None, minimum: int) -> str:
    """What the figures are about, and how they are to be read. `by`: group, day, or None for the whole."""
    counted = _(
        "Counted are people who share, always {minimum} or more together: so nobody can be told apart by comparing "
        "figures. Some who share are not counted yet, or not any more because somebody among them withdrew."
    )
    others = {
        None: _(
            "“Of all” is an estimate: Wilson's score interval at 95 %, corrected for the number of people. It holds "
            "if those who share are like the others."
        ),
        "group": _("A group shows those who were put together with people of the same group only."),
        "day": _("Each person counts on the first day, in UTC. The days add up to the figures of the whole."),
    }
    return f"{counted}\n{others[by]}".format(minimum=minimum)


def _both(figure: Figure, minimum: int) -> tuple[str, str]:
    if figure.low is None or figure.high is None:
        return share(figure, minimum), ""
    return share(figure, minimum), _("{low:.0f}% to {high:.0f}%").format(
        low=100 * figure.low, high=100 * figure.high
    )


def _cells(group: GroupFigures, minimum: int) -> Iterable[str]:
    for figure in group.figures:
        yield (
            share(figure, minimum) if figure.people is not None else (_("off") if figure.off else _("hidden"))
        )


def spreadsheet(report: Report) -> list[Row]:
    """All figures, a row each, in the order of `COLUMNS`."""
    rows = [_row("all", "", figure, report.assigned) for figure in report.figures]
    rows += [_row("link", link.name, link, None, SignalName.CLICK) for link in report.links]
    for group in report.groups:
        rows += [_row("group", group.name, figure, group.assigned) for figure in group.figures]
    sharing = {figure.name: figure for figure in report.figures}
    for day in report.days:
        for name, people in day.people.items():
            rows.append(_row("day", day.date, Figure(name, sharing[name].sharing, people), None))
    return rows


def _row(part: str, name: str, figure: Figure, assigned: int | None, signal: str = "") -> Row:
    fraction = None
    if figure.people is not None and figure.sharing is not None:
        fraction = round(figure.people / figure.sharing, 4)
    counts = (figure.people, figure.sharing, fraction, figure.low, figure.high)
    return (part, name, signal or figure.name, *counts, assigned)

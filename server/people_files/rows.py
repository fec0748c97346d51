"""From the lines of a recognised file to people, or to an explanation of what is wrong with each line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from server.core.progress import Bar, Tick, no_bar
from server.people_files.cells import CheckedLine, Mistake
from server.people_files.excerpts import excerpt
from server.people_files.formats import ENTRA_TEMPLATE, Layout
from server.people_files.kept_rows import KeptRows
from server.people_files.text_files import BrokenLine, Line, records

TICK_LINES = 500
MOST_MISTAKES = 1_000
"""Nobody mends more by hand, and each is kept."""
_EXAMPLE = re.compile(r"[^\s:@]+[\s\xa0]*[:：][\s\xa0]*\S+@")
_ADDRESS = re.compile(r"\S+@\S")


@dataclass(frozen=True)
class Skipped:
    """A line that is left out on purpose."""

    line: int
    email: str
    why: str


@dataclass
class Reading:
    """All that was found in a file."""

    layout: Layout
    people: KeptRows = field(default_factory=KeptRows)
    mistakes: list[Mistake] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    repaired: list[int] = field(default_factory=list)
    """The lines with cells that a spreadsheet program had dressed up, and that were put right."""
    is_cut_short: bool = False
    """Whether the last line has no end, and nobody said that nothing is missing."""


def read_people(layout: Layout, bar: Bar = no_bar, *, is_whole: bool = False) -> Reading:
    """Check every line, and move the bar on every 500 records. After `MOST_MISTAKES` the rest is not read.

    A file whose last line has no end may have been cut short within it, which is a mistake, unless somebody knows that it
    `is_whole`.
    """
    reading = Reading(layout)
    total = layout.text.count("\n") + 1
    tick = bar(_("Reading"), total)
    first_line_of: dict[str, int] = {}
    reading.is_cut_short = not is_whole and not layout.text.endswith(("\n", "\r"))
    if reading.is_cut_short:
        reading.mistakes.append(_cut_short(total))
    for line in _lines(layout, tick):
        if isinstance(line, BrokenLine):
            reading.mistakes.append(Mistake(line.number, "", line.what, line.what_to_do))
        else:
            _read_line(reading, CheckedLine(layout, line), first_line_of)
        if len(reading.mistakes) >= MOST_MISTAKES:
            reading.mistakes.insert(0, _too_many(line.number))
            break
    tick(total)
    return reading


def _too_many(number: int) -> Mistake:
    """Told in the first line, so that it is not among those that are too many to be shown."""
    what = _("there are {most} mistakes up to line {line}, and the rest was not read")
    to_do = _("mend these first: it may be the same one everywhere")
    return Mistake(1, "", what.format(most=MOST_MISTAKES, line=number), to_do)


def _lines(layout: Layout, tick: Tick) -> Iterator[Line | BrokenLine]:
    for count, line in enumerate(records(layout.text, layout.delimiter)):
        if count % TICK_LINES == 0:
            tick(line.number)
        if line.number != layout.header.number:
            yield line


def _read_line(reading: Reading, line: CheckedLine, first_line_of: dict[str, int]) -> None:
    _refuse_surplus_cells(line)
    _refuse_missing_cells(line)
    _refuse_swallowed_lines(line)
    if (
        line.mistakes and line.layout.holds_passwords
    ):  # which may stand in any column then, and would be shown
        reading.mistakes.extend(line.mistakes)
        return
    if line.repaired:
        reading.repaired.append(line.line.number)
    why_skipped = line.why_skipped() or _why_no_person(line)
    if why_skipped:
        reading.skipped.append(Skipped(line.line.number, line.address()[1].lower(), why_skipped))
        return
    person = line.person()
    if person is not None:
        earlier = first_line_of.setdefault(person.email, person.line)
        if earlier == person.line:
            reading.people.append(person)
            return
        line.refuse(
            line.address()[0],
            _("{email} is on line {line} already").format(email=person.email, line=earlier),
            _("remove one of the two lines"),
        )
    reading.mistakes.extend(line.mistakes)


def _why_no_person(line: CheckedLine) -> str:
    """Of the line with which Microsoft's templates show what is to be filled in, in the language of the admin center."""
    is_example = line.layout.format is ENTRA_TEMPLATE and _EXAMPLE.match(line.address()[1])
    return _("the example of the template") if is_example else ""


def _refuse_surplus_cells(line: CheckedLine) -> None:
    expected = len(line.layout.roles)
    surplus = line.line.cells[expected:]
    if any(cell.strip() for cell in surplus) or (surplus and line.layout.holds_passwords):
        delimiter = _("a tab") if line.layout.delimiter == "\t" else line.layout.delimiter
        line.refuse(
            None,
            _("it has more values ({count}) than the first line has names ({expected})").format(
                count=len(line.line.cells), expected=expected
            ),
            _("put each value that holds “{delimiter}” between quotation marks").format(delimiter=delimiter),
        )


def _refuse_missing_cells(line: CheckedLine) -> None:
    names = [cell.strip() for cell in line.layout.header.cells]
    while names and not names[-1]:
        names.pop()
    if len(line.line.cells) < len(names):
        line.refuse(
            None,
            _("it has fewer values ({count}) than the first line has names ({expected})").format(
                count=len(line.line.cells), expected=len(names)
            ),
            _("export the file again; an empty value needs its separator too"),
        )


def _refuse_swallowed_lines(line: CheckedLine) -> None:
    """A quotation mark that is missing makes whole lines a part of a value, and their people are not imported.

    Such a line has an e-mail address where the first line has the name of its column.
    """
    place = line.layout.roles.index(line.address()[0])
    for cell in line.line.cells:
        for swallowed in cell.splitlines()[1:]:
            parts = swallowed.split(line.layout.delimiter)
            if len(parts) > place and _ADDRESS.match(parts[place]) and len(line.layout.roles) > 1:
                line.refuse(
                    None,
                    _("a value holds another line of the file: {line}").format(line=excerpt(parts[place])),
                    _("close the quotation mark before it"),
                )
                return


def _cut_short(line: int) -> Mistake:
    return Mistake(
        line,
        "",
        _("the file ends within this line, so it may have been cut short"),
        _("export it again, or say --whole if nothing is missing"),
    )

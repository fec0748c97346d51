"""`tidings-server people import`, after its options: reads the file, changes the directory, and says what it did."""

import argparse
import os
import stat
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.commands.companies import chosen_company
from server.commands.progress import bars
from server.core.errors import Refused
from server.people_files.cells import Mistake
from server.people_files.formats import Layout, recognise
from server.people_files.groups import doubtful_groups
from server.people_files.rows import Reading, Skipped, read_people
from server.people_files.text_files import MAX_BYTES, decode, possible_readings
from server.people_files.upsert import Difference, import_people

MOST_SHOWN = 50
MOST_SKIPPED_SHOWN = 10


def run_import(options: argparse.Namespace) -> int:
    """Import people from a file; exit code 1, and nobody is imported, if a line is wrong."""
    company = chosen_company(options)
    layout, encoding = _layout(options)
    with bars() as bar:
        reading = read_people(layout, bar, is_whole=options.whole)
        # From here on the people are all that is needed of the file, which may be large.
        layout = reading.layout = replace(layout, text="")
        reading.mistakes += doubtful_groups(reading, company, options.group)
        difference = (
            import_people(company, reading.people, dry_run=options.dry_run, bar=bar)
            if not reading.mistakes
            else None
        )
    _print_remarks(encoding, reading)
    if difference is None:
        _print_mistakes(options.file, reading.mistakes)
        return 1
    _print_difference(difference, options.dry_run)
    return 0


def _layout(options: argparse.Namespace) -> tuple[Layout, str]:
    """How the file is read, with its text, and in which encoding. Raises `Refused`."""
    content = _content(options.file)
    decoded = decode(content, options.encoding)
    if decoded.is_guess:
        raise _which_encoding(options.file, content)
    return recognise(decoded.text), decoded.encoding


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            # Python makes room for as much as it is told to read.
            most = min(about.st_size, MAX_BYTES) if stat.S_ISREG(about.st_mode) else MAX_BYTES
            return file.read(most + 1)
    except OSError as error:
        raise Refused(
            _("{file} cannot be read").format(file=path),
            _("The system says: {reason}.").format(reason=error.strerror),
        ) from error


def _print_remarks(encoding: str, reading: Reading) -> None:
    print(_("Read as: {format}, {encoding}.").format(format=reading.layout.format.name, encoding=encoding))
    if reading.layout.not_stored:
        print(_("Not stored: {columns}.").format(columns=", ".join(reading.layout.not_stored)))
    if reading.repaired:
        print(
            ngettext(
                "Put right what a spreadsheet program had made of values, on {count} line: {lines}.",
                "Put right what a spreadsheet program had made of values, on {count} lines: {lines}.",
                len(reading.repaired),
            ).format(count=len(reading.repaired), lines=_few(reading.repaired))
        )
    _print_skipped(reading.skipped)


def _few(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:MOST_SKIPPED_SHOWN])) + (
        ", …" if len(lines) > MOST_SKIPPED_SHOWN else ""
    )


def _which_encoding(path: Path, content: bytes) -> Refused:
    """A guess that is wrong would spoil every name with an accent, so somebody has to say which reading is right."""
    line, readings = possible_readings(content)
    shown = "\n".join(f"  --encoding {name:<14}{text[:100]}" for name, text in readings.items())
    return Refused(
        (
            _("{file} may be in another encoding than UTF-8, and nothing was imported")
            if "utf-8" in readings
            else _("{file} is not in UTF-8, and nothing was imported")
        ).format(file=path.name),
        _(
            "Say in which encoding it is. Line {line} would read:\n{readings}\n"
            "If none is right, save the file as “CSV UTF-8” and import that."
        ).format(line=line, readings=shown),
    )


def _print_skipped(skipped: Sequence[Skipped]) -> None:
    for why, count in Counter(one.why for one in skipped).items():
        lines = [f"{one.email or '?'} ({one.line})" for one in skipped if one.why == why]
        shown = ", ".join(lines[:MOST_SKIPPED_SHOWN]) + (", …" if count > MOST_SKIPPED_SHOWN else "")
        text = ngettext(
            "Left out {count} line, {why}: {lines}", "Left out {count} lines, {why}: {lines}", count
        )
        print(text.format(count=count, why=why, lines=shown))


def _print_mistakes(path: Path, mistakes: Sequence[Mistake]) -> None:
    ordered = sorted(mistakes, key=lambda mistake: mistake.line)
    for mistake in ordered[:MOST_SHOWN]:
        place = _("line {line}, {column}") if mistake.column else _("line {line}")
        where = place.format(line=mistake.line, column=mistake.column)
        line = _("{file}: {where}: {what}; {what_to_do}.").format(
            file=path.name, where=where, what=mistake.what, what_to_do=mistake.what_to_do
        )
        print(line, file=sys.stderr)
    hidden = len(ordered) - MOST_SHOWN
    if hidden > 0:
        print(
            ngettext("… and {count} more.", "… and {count} more.", hidden).format(count=hidden),
            file=sys.stderr,
        )
    text = ngettext(
        "Nothing was imported: {count} mistake in the file.",
        "Nothing was imported: {count} mistakes in the file.",
        len(ordered),
    )
    print(text.format(count=len(ordered)), file=sys.stderr)


def _print_difference(difference: Difference, dry_run: bool) -> None:
    counts = _("{added} added, {changed} changed, {unchanged} unchanged.").format(
        added=difference.added, changed=difference.changed, unchanged=difference.unchanged
    )
    print(_("Dry run, nothing was stored:") if dry_run else _("Imported:"), counts)
    if difference.new_groups:
        print(
            _("New groups: {groups}.").format(groups=", ".join(f"“{name}”" for name in difference.new_groups))
        )
    if difference.not_in_file:
        text = ngettext(
            "{count} person is not in the file and stays. Remove people with: tidings-server purge EMAIL",
            "{count} people are not in the file and stay. Remove people with: tidings-server purge EMAIL",
            difference.not_in_file,
        )
        print(text.format(count=difference.not_in_file))
    if difference.left_out:
        text = ngettext(
            "{count} person of the file was erased meanwhile and did not come back.",
            "{count} people of the file were erased meanwhile and did not come back.",
            difference.left_out,
        )
        print(text.format(count=difference.left_out))

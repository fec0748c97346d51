"""CSV files that a spreadsheet shows and never runs."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import TextIO

from server.core.clock import utc_text

LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a cell a formula, at its beginning (OWASP, "CSV Injection"); the last four are their full-width forms."""
_AFTER_A_BREAK = re.compile(r"([;\t\r\n][\s\"']*)(?=[=+\-@＝＋－＠])")
"""Where a program that takes ";" or a tab for the end of a cell would begin another one, as Excel does in French."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file (RFC 4180), times in UTC. An apostrophe before what would be a formula makes it a text."""
    text = io.StringIO()
    write_csv(text, header, rows)
    return text.getvalue()


def csv_pieces(header: Sequence[str], pieces: Iterable[Iterable[Sequence[object]]]) -> Iterator[str]:
    """The same in pieces, as they come."""
    yield csv_text(header, ())
    for rows in pieces:
        text = io.StringIO()
        _write_rows(text, rows)
        yield text.getvalue()


def write_csv(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The same into a file, without holding all of it. Raises `OSError`."""
    csv.writer(file).writerow(header)
    _write_rows(file, rows)


def _write_rows(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    csv.writer(file).writerows([_inert(cell) for cell in row] for row in rows)


def _inert(cell: object) -> object:
    if isinstance(cell, datetime):
        return utc_text(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    if not isinstance(cell, str):
        return cell
    inert = _AFTER_A_BREAK.sub(r"\1'", cell)
    return f"'{inert}" if inert.lstrip(" ").startswith(LIVE) else inert

"""CSV files that a spreadsheet shows and never runs."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
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


def write_csv(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The same into a file, without holding all of it. Raises `OSError`."""
    writer = csv.writer(file)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_inert(cell) for cell in row])


def _inert(cell: object) -> object:
    if isinstance(cell, datetime):
        return utc_text(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    if not isinstance(cell, str):
        return cell
    inert = _AFTER_A_BREAK.sub(r"\1'", cell)
    return f"'{inert}" if inert.lstrip(" ").startswith(LIVE) else inert

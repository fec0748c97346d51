"""CSV files that a spreadsheet shows and never runs."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TextIO

LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What makes a cell a formula, at its beginning (OWASP, "CSV Injection"); the last four are their full-width forms."""


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV file (RFC 4180). An apostrophe before a cell that would be a formula makes it a text."""
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
    if isinstance(cell, str) and cell.lstrip(" ").startswith(LIVE):
        return f"'{cell}"
    return cell

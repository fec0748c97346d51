"""Spreadsheets of Excel (ECMA-376) in which every text is a text: no cell is a formula or a link."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

import xlsxwriter
from django.utils.translation import gettext as _
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from server.core import clock
from server.core.errors import Refused

MOST_IN_CELL = 32_767
"""Characters: Excel takes no more."""
MOST_ROWS = 20_000
"""Beneath the header: they take about 100 MB while they are written, and nothing of people lies on the disk."""
FIRST_YEAR = 1900
"""A date before it is a text: Excel counts days from there."""
WIDTH = 22
"""Of a column, in characters."""


def xlsx_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The file. Times are in UTC. Raises `Refused` for more than `MOST_ROWS`."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        book.set_properties({"created": clock.now().replace(tzinfo=None)})
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": 'yyyy-mm-dd hh:mm:ss "UTC"'})
        sheet.set_column(0, len(header) - 1, WIDTH)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, bold)
        for row, cells in enumerate(rows, start=1):
            if row > MOST_ROWS:
                raise Refused(
                    _("There are more than {most} rows").format(most=MOST_ROWS),
                    _("Narrow them down, or take them as CSV."),
                )
            for column, cell in enumerate(cells):
                _write_cell(sheet, row, column, cell, day, moment)
    return target.getvalue()


def _write_cell(sheet: Worksheet, row: int, column: int, cell: object, day: Format, moment: Format) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        sheet.write_number(row, column, cell)
    elif isinstance(cell, date) and cell.year >= FIRST_YEAR:
        if isinstance(cell, datetime):
            sheet.write_datetime(row, column, cell.astimezone(UTC).replace(tzinfo=None), moment)
        else:
            sheet.write_datetime(row, column, cell, day)
    else:
        sheet.write_string(row, column, _shortened(str(cell)))


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_IN_CELL else f"{text[: MOST_IN_CELL - 1]}…"

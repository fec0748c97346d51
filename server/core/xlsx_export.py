"""Spreadsheets of Excel (ECMA-376) in which every text is a text: no cell is a formula or a link."""

import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from server.core import clock

MOST_IN_CELL = 32_767
"""Characters: Excel takes no more."""
MOST_ROWS = 1_048_575
"""Beneath the header."""
FIRST_YEAR = 1900
"""A date before it is a text: Excel counts days from there."""
WIDTH = 22
"""Of a column, in characters."""


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[object]]) -> BinaryIO:
    """The file, open at its beginning; one row at a time is in memory. Times are in UTC. Raises `OSError`.

    The caller closes it. It has no name on the disk.
    """
    target = tempfile.TemporaryFile()  # noqa: SIM115 -- who gets it closes it
    try:
        _write(target, header, rows)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target


def _write(target: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with xlsxwriter.Workbook(target, {"constant_memory": True}) as book:
        book.set_properties({"created": clock.now().replace(tzinfo=None)})
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": 'yyyy-mm-dd hh:mm:ss "UTC"'})
        sheet.set_column(0, len(header) - 1, WIDTH)
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(header):
            sheet.write_string(0, column, name, bold)
        for row, cells in zip(range(1, MOST_ROWS + 1), rows, strict=False):
            for column, cell in enumerate(cells):
                _write_cell(sheet, row, column, cell, day, moment)


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

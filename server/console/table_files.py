"""Tables that are taken along, as CSV or as a spreadsheet of Excel: the same rows, whichever is asked for."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from django.http import HttpResponse

from server.core.csv_export import csv_text
from server.core.xlsx_export import xlsx_bytes


class FileKind(StrEnum):
    """Which file: as the ending of its name."""

    CSV = "csv"
    XLSX = "xlsx"


XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table_file(
    kind: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> HttpResponse:
    """The answer that is a file of this kind. `name`: without an ending. Raises `Refused` as `xlsx_bytes` does."""
    content: str | bytes
    if kind == FileKind.XLSX:
        content, content_type = xlsx_bytes(columns, rows), XLSX_TYPE
    else:
        content, content_type = csv_text(columns, rows), "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)

"""Tables that are taken along, as CSV or as a spreadsheet of Excel: the same rows, whichever is asked for."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from server.core.csv_export import csv_text
from server.core.errors import EnvironmentFault
from server.core.xlsx_export import write_xlsx


class FileKind(StrEnum):
    """Which file: as the ending of its name."""

    CSV = "csv"
    XLSX = "xlsx"


XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table_file(
    kind: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> HttpResponseBase:
    """The answer that is a file of this kind. `name`: without an ending. Raises `EnvironmentFault` when the disk refuses."""
    name = f"{name}.{kind}"
    if kind == FileKind.XLSX:
        try:
            file = write_xlsx(columns, rows)
        except OSError as error:
            raise EnvironmentFault(
                _("The file cannot be written"),
                _("The disk says: {reason}. Free some space, or run: tidings-server check").format(
                    reason=error.strerror
                ),
            ) from error
        return FileResponse(file, as_attachment=True, filename=name, content_type=XLSX_TYPE)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(csv_text(columns, rows), content_type="text/csv; charset=utf-8", headers=headers)

"""The record of processing activities (GDPR article 30), for those who answer for it and those who watch."""

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from server.access.roles import Right
from server.console.access import AccountRequest, page
from server.console.table_files import FileKind, table_file
from server.processing_record.record import as_table, record_of


@page(Right.READ_RECORD, on_record=True)
def record(request: AccountRequest) -> HttpResponse:
    """What is processed of whom, why, and for how long: made now, from the fields that the server stores."""
    return render(request, "pages/record.html", {"record": record_of(request.user.company)})


@page(Right.READ_RECORD, on_record=True)
def record_file(request: AccountRequest, kind: FileKind) -> HttpResponseBase:
    """The same, for a spreadsheet."""
    company = request.user.company
    return table_file(kind, f"{company.pk}-record", *as_table(record_of(company)))

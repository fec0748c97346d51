"""The record of processing activities (GDPR article 30), for those who answer for it and those who watch."""

from django.http import HttpResponse
from django.shortcuts import render

from server.access.roles import Right
from server.console.access import AccountRequest, page
from server.processing_record.record import as_csv, record_of


@page(Right.READ_RECORD, on_record=True)
def record(request: AccountRequest) -> HttpResponse:
    """What is processed of whom, why, and for how long: made now, from the fields that the server stores."""
    return render(request, "pages/record.html", {"record": record_of(request.user.company)})


@page(Right.READ_RECORD, on_record=True)
def record_csv(request: AccountRequest) -> HttpResponse:
    """The same, for a spreadsheet."""
    headers = {"Content-Disposition": f'attachment; filename="{request.user.company.pk}-record.csv"'}
    content = as_csv(record_of(request.user.company))
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)

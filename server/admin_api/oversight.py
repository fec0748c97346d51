"""What those read who watch over it: the audit log, the record of processing."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from django.utils import translation
from ninja import Query, Router

from server.access.roles import Right
from server.access.tokens import AdministratorRequest
from server.admin_api.operations import needs
from server.audit.models import Entry
from server.core.schemas import Message, UtcTime
from server.processing_record.record import Record, record_of

router = Router(tags=["administration"])

MOST_ENTRIES = 1000


class EntryAnswer(Message):
    """One entry of the audit log; `digest` is chained to `previous`."""

    number: int
    time: UtcTime
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    digest: str


class AuditAnswer(Message):
    """Entries of the audit log, the oldest first."""

    entries: list[EntryAnswer]


@router.get(
    "/audit",
    response=AuditAnswer,
    summary="The audit log",
    **needs(Right.READ_AUDIT_LOG, 422),
)
def get_audit(
    request: AdministratorRequest,
    after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ENTRIES)] = 100,
) -> dict[str, Any]:
    """The entries that follow on number `after`, `limit` at most."""
    entries = Entry.objects.filter(company=request.auth.company, number__gt=after).order_by("number")[:limit]
    return {"entries": list(entries.values(*EntryAnswer.model_fields))}


@router.get(
    "/record-of-processing",
    response=Record,
    summary="The record of processing activities (GDPR article 30)",
    **needs(Right.READ_RECORD, 422),
)
def get_record(
    request: AdministratorRequest, language: Annotated[Literal["en", "fr"], Query()] = "en"
) -> dict[str, Any]:
    """The record of processing activities (GDPR article 30), made from the database as it is."""
    with translation.override(language):
        return asdict(record_of(request.auth.company))

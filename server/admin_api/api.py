"""The administration API: `/api/v1/admin/…`. Which role may do what is in `roles`; each call is put on record."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from django.utils import translation
from ninja import Path, Query, Router, Status
from pydantic import Field, TypeAdapter

from server.access.roles import RIGHTS, Right
from server.access.tokens import Administrator, AdministratorRequest, Allowed
from server.acknowledgements.listing import Acknowledgements, acknowledgements
from server.audit import log
from server.audit.models import Entry
from server.campaigns.manifest import check_manifest
from server.campaigns.models import Campaign
from server.core import clock, concurrency, problems
from server.core.clock import utc_text
from server.core.errors import Refused
from server.core.schemas import CampaignId, Message, UtcTime, problem_answers
from server.data_subject.decisions import accept, decline, waiting
from server.data_subject.models import DetailName
from server.erasure.erasure import erase, find_people
from server.processing_record.record import Record, record_of
from server.publishing.author_warnings import warnings_for
from server.publishing.draft import draft
from server.publishing.recall import EmergencyKept, recall
from server.publishing.release import LONGEST_REASON, release
from server.reports.figures import Report
from server.reports.snapshots import make_if_due, newest

router = Router(tags=["administration"])

MOST_PEOPLE = 1000
MOST_ENTRIES = 1000
MOST_CHARACTERS = 20_000
"""Of a campaign file: a larger one may not fit into a request, where JSON writes a character with up to twelve."""

_AS_JSON = TypeAdapter(Acknowledgements)

Address = Annotated[str, Field(min_length=3, max_length=254)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class ErasureRequest(Message):
    """Whom to erase, all of them or nobody."""

    emails: Annotated[list[Address], Field(min_length=1, max_length=MOST_PEOPLE)]


class ErasureAnswer(Message):
    """How many people were erased."""

    people: int


class WaitingCorrection(Message):
    """What a person wants changed in a field that the directory owns."""

    id: int
    email: str
    field: DetailName
    value: str | list[str]
    requested: str | list[str]
    requested_at: UtcTime


class CorrectionsAnswer(Message):
    """The corrections that nobody has decided yet."""

    corrections: list[WaitingCorrection]


class CorrectionDecision(Message):
    """What becomes of a correction."""

    decision: Literal["accept", "decline"]


class PublicationRequest(Message):
    """A campaign of texts, to be published."""

    file: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    """What docs/campaign-format.md describes, without pictures, films and captions."""


class EmergencyRequest(PublicationRequest):
    """An emergency, and the reason that the audit log keeps."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, pattern=r"\S")]


class PublicationAnswer(Message):
    """What was published, and for how many people."""

    campaign_id: CampaignId
    people: int
    warnings: list[str]
    """What the author should know, in English: links that are not counted, an audience that a site could tell apart."""


class RecallRequest(Message):
    """The campaign to take back."""

    campaign_id: CampaignId


class RecallAnswer(Message):
    """Whether the campaign had been taken back before."""

    campaign_id: CampaignId
    recalled_before: bool


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


def needs(right: Right, *statuses: int) -> dict[str, Any]:
    """The keywords of an operation's decorator: who is let in, and what its description says of that."""
    described = problem_answers(401, 403, 429, 503, *statuses) | {"x-tidings-right": str(right)}
    return {"auth": Allowed(right), "openapi_extra": described}


@contextlib.contextmanager
def _refused_with(status: HTTPStatus, code: str) -> Iterator[None]:
    """Answer a refusal of what was asked with a problem of this status."""
    try:
        yield
    except EmergencyKept:
        raise
    except Refused as refused:
        raise problems.Problem(code, status, refused.title, refused.message) from refused


@router.post(
    "/erasures",
    response=ErasureAnswer,
    summary="Erase everything about people",
    **needs(Right.ERASE_PEOPLE, 400, 404, 413, 415, 422),
)
def erase_people(request: AdministratorRequest, body: ErasureRequest) -> dict[str, Any]:
    """All of them, or nobody if one is not known. How many rows went is not told: it would tell what they chose."""
    company = request.auth.company
    people, unknown = find_people(company, body.emails)
    if unknown:
        detail = f"Nobody was erased. Not known: {', '.join(unknown)}"[: problems.LARGEST_DETAIL]
        raise problems.Problem("not-found", HTTPStatus.NOT_FOUND, "Somebody is not known", detail)
    # On record first: an erasure cannot be undone if the record fails.
    subject = next(iter(people.values())) if len(people) == 1 else None
    log.record(company, request.auth.actor, str(Right.ERASE_PEOPLE), subject, {"people": len(people)})
    erase(company, list(people.values()))
    return {"people": len(people)}


@router.get(
    "/corrections",
    response=CorrectionsAnswer,
    summary="What people want corrected in the directory's fields",
    **needs(Right.READ_CORRECTIONS),
)
def list_corrections(request: AdministratorRequest) -> dict[str, Any]:
    """The corrections that nobody has decided yet, the oldest first."""
    return {
        "corrections": [
            {
                "id": correction.pk,
                "email": correction.person.email,
                "field": correction.field,
                "value": getattr(correction.person, correction.field),
                "requested": correction.value,
                "requested_at": utc_text(correction.requested_at),
            }
            for correction in waiting(request.auth.company)
        ]
    }


@router.post(
    "/corrections/{number}",
    response=CorrectionDecision,
    summary="Accept or decline a correction",
    **needs(Right.DECIDE_CORRECTIONS, 400, 404, 409, 413, 415, 422),
)
def decide_correction(
    request: AdministratorRequest, number: Number, body: CorrectionDecision
) -> dict[str, str]:
    """Accept or decline; 409 where somebody else decided meanwhile."""
    caller = request.auth
    if not waiting(caller.company).filter(pk=number).exists():
        raise problems.not_found()
    decide = accept if body.decision == "accept" else decline
    with _refused_with(HTTPStatus.CONFLICT, "conflict"):
        decide(caller.company, number, caller.actor)
    return {"decision": body.decision}


@router.get(
    "/reports/{campaign_id}",
    response=Report,
    summary="How a campaign was received, of those who share it",
    **needs(Right.READ_REPORTS, 404, 422),
)
def get_report(request: AdministratorRequest, campaign_id: Annotated[CampaignId, Path()]) -> dict[str, Any]:
    """The newest snapshot of a campaign's figures, made now where one is due."""
    campaign = Campaign.objects.filter(company=request.auth.company, campaign_id=campaign_id).first()
    if campaign is None:
        raise problems.not_found()
    make_if_due(campaign)
    return asdict(newest(campaign))


@router.get(
    "/acknowledgements/{campaign_id}",
    response=Acknowledgements,
    summary="By name, who has confirmed a campaign that asks for it, and who has not",
    **needs(Right.READ_ACKNOWLEDGEMENTS, 404, 409, 422),
)
def get_acknowledgements(
    request: AdministratorRequest, campaign_id: Annotated[CampaignId, Path()]
) -> HttpResponse:
    """Who confirmed and who did not; 409 where the campaign asks for no confirmation."""
    campaign = Campaign.objects.filter(company=request.auth.company, campaign_id=campaign_id).first()
    if campaign is None:
        raise problems.not_found()
    with _refused_with(HTTPStatus.CONFLICT, "conflict"):
        found = acknowledgements(campaign)
    # As it is: with 100,000 people a copy of it, checked once more, takes a second.
    return HttpResponse(_AS_JSON.dump_json(found), content_type="application/json")


@router.post(
    "/campaigns",
    response={201: PublicationAnswer},
    summary="Publish a campaign of texts and links",
    **needs(Right.PUBLISH_CAMPAIGNS, 400, 409, 413, 415, 422),
)
def publish_campaign(request: AdministratorRequest, body: PublicationRequest) -> Status[dict[str, Any]]:
    """An emergency is published under `/emergencies`."""
    return _published(request.auth, body.file, "")


@router.post(
    "/emergencies",
    response={201: PublicationAnswer},
    summary="Publish an emergency, which covers every screen; the reason is put on record",
    **needs(Right.PUBLISH_EMERGENCIES, 400, 409, 413, 415, 422),
)
def publish_emergency(request: AdministratorRequest, body: EmergencyRequest) -> Status[dict[str, Any]]:
    """It covers every screen. Other campaigns are published under `/campaigns`."""
    return _published(request.auth, body.file, body.reason)


def _published(caller: Administrator, file: str, reason: str) -> Status[dict[str, Any]]:
    with _refused_with(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request"), translation.override("en"):
        manifest = check_manifest(file.encode(), clock.now(), caller.company.link_hosts)
        if manifest.is_emergency != bool(reason):
            raise problems.invalid("urgency: emergencies, and nothing else, are published under /emergencies")
        checked = draft(caller.company, manifest, reason)
        with concurrency.write_turns:  # from here on only: a file may be long to read
            campaign, _is_new = release(checked, caller.actor)
        warnings = warnings_for(checked)
    answer = {"campaign_id": campaign.campaign_id, "people": checked.audience.count, "warnings": warnings}
    return Status(201, answer)


@router.post(
    "/recalls",
    response=RecallAnswer,
    summary="Take a campaign back; an emergency needs the right publish-emergencies, too",
    **needs(Right.RECALL_CAMPAIGNS, 400, 404, 413, 415, 422),
)
def recall_campaign(request: AdministratorRequest, body: RecallRequest) -> dict[str, Any]:
    """Take a campaign back; 403 for an emergency without the right to publish them."""
    caller = request.auth
    emergencies = Right.PUBLISH_EMERGENCIES in RIGHTS[caller.role]
    try:
        with _refused_with(HTTPStatus.NOT_FOUND, "not-found"):
            done = recall(caller.company, body.campaign_id, emergencies=emergencies)
    except EmergencyKept as kept:
        denied = {"right": str(Right.PUBLISH_EMERGENCIES), "campaign": body.campaign_id}
        log.record(caller.company, caller.actor, "denied", detail=denied)
        raise problems.Problem("forbidden", HTTPStatus.FORBIDDEN, kept.title, kept.message) from kept
    if done:
        log.record(caller.company, caller.actor, "recall", detail={"campaign": body.campaign_id})
    return {"campaign_id": body.campaign_id, "recalled_before": not done}


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

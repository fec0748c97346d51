"""Campaigns are published, taken back, and read about."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from django.http import HttpResponse
from django.utils import translation
from ninja import Path, Router, Status
from pydantic import Field, TypeAdapter

from server.access.roles import RIGHTS, Right
from server.access.tokens import Administrator, AdministratorRequest
from server.accounts import console_address
from server.acknowledgements.listing import Acknowledgements, acknowledgements
from server.admin_api.operations import needs, refused_with
from server.audit import log
from server.campaigns.manifest import check_manifest
from server.campaigns.models import Campaign
from server.core import clock, concurrency, problems
from server.core.schemas import CampaignId, Message
from server.drafts.programs import submit_file
from server.drafts.writing import Program, path_of
from server.publishing.attention import attention_of
from server.publishing.author_warnings import warnings_for
from server.publishing.checked import CheckedCampaign, check_campaign
from server.publishing.publish import LONGEST_REASON, publish
from server.publishing.recall import EmergencyKept, recall
from server.publishing.second_person import SecondPersonMissing
from server.reports.figures import Report, seen_by
from server.reports.snapshots import make_if_due, newest

router = Router(tags=["administration"])

MOST_CHARACTERS = 20_000
"""Of a campaign file: a larger one may not fit into a request, where JSON writes a character with up to twelve."""
_AS_JSON = TypeAdapter(Acknowledgements)


class PublicationRequest(Message):
    """A campaign of texts, to be published."""

    file: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)]
    """What docs/campaign-format.md describes, without pictures, videos and captions."""


class EmergencyRequest(PublicationRequest):
    """An emergency, and the reason that the audit log keeps."""

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, pattern=r"\S")]


class PublicationAnswer(Message):
    """What was published, and for how many people."""

    campaign_id: CampaignId
    people: int
    warnings: list[str]
    """What the author should know, in English: links that are not counted, an audience that a site could tell apart."""


class SubmissionAnswer(Message):
    """What waits for a second person, and is not published yet."""

    draft_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    address: str
    """Where the console shows it to those who may approve it."""
    people: int
    warnings: list[str]


class RecallRequest(Message):
    """The campaign to take back."""

    campaign_id: CampaignId


class RecallAnswer(Message):
    """Whether the campaign had been taken back before."""

    campaign_id: CampaignId
    recalled_before: bool


@router.get(
    "/reports/{campaign_id}",
    response=Report,
    summary="How a campaign was received, of those who share it",
    **needs(Right.READ_REPORTS, 404, 422),
)
def get_report(request: AdministratorRequest, campaign_id: Annotated[CampaignId, Path()]) -> dict[str, Any]:
    """The newest snapshot of a campaign's figures, made now where one is due."""
    campaign = _campaign(request.auth, campaign_id)
    if campaign is None:
        raise problems.not_found()
    make_if_due(campaign)
    return asdict(seen_by(newest(campaign), request.auth.scope))


@router.get(
    "/acknowledgements/{campaign_id}",
    response=Acknowledgements,
    summary="By name, who has confirmed a campaign that asks for it, and who has not",
    **needs(Right.READ_ACKNOWLEDGEMENTS, 404, 409, 422),
)
def get_acknowledgements(
    request: AdministratorRequest, campaign_id: Annotated[CampaignId, Path()]
) -> HttpResponse:
    """Who confirmed and who did not; 409 where the campaign asks for no confirmation, or has not begun."""
    campaign = _campaign(request.auth, campaign_id)
    if campaign is None:
        raise problems.not_found()
    with refused_with(HTTPStatus.CONFLICT, "conflict"):
        found = acknowledgements(campaign)
    # As it is: with 100,000 people a copy of it, checked once more, takes a second.
    return HttpResponse(_AS_JSON.dump_json(found), content_type="application/json")


@router.post(
    "/campaigns",
    response={201: PublicationAnswer, 202: SubmissionAnswer},
    summary="Publish a campaign of texts and links, or submit it where a second person is needed",
    **needs(Right.PUBLISH_CAMPAIGNS, 400, 409, 413, 415, 422),
)
def publish_campaign(request: AdministratorRequest, body: PublicationRequest) -> Status[dict[str, Any]]:
    """An emergency is published under `/emergencies`."""
    return _published(request.auth, body.file, "")


@router.post(
    "/emergencies",
    response={201: PublicationAnswer, 202: SubmissionAnswer},
    summary="Publish an emergency, which covers every screen; the reason is put on record",
    **needs(Right.PUBLISH_EMERGENCIES, 400, 409, 413, 415, 422),
)
def publish_emergency(request: AdministratorRequest, body: EmergencyRequest) -> Status[dict[str, Any]]:
    """It covers every screen. Other campaigns are published under `/campaigns`."""
    return _published(request.auth, body.file, body.reason)


def _campaign(caller: Administrator, campaign_id: str) -> Campaign | None:
    """The company's campaign, where it is for nobody whom the caller may not address."""
    found = Campaign.objects.filter(company=caller.company, campaign_id=campaign_id)
    return caller.scope.those_of(found).first()


def _published(caller: Administrator, file: str, reason: str) -> Status[dict[str, Any]]:
    with refused_with(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request"), translation.override("en"):
        manifest = check_manifest(file.encode(), clock.now(), caller.company.link_hosts)
        if manifest.is_emergency != bool(reason):
            raise problems.invalid("urgency: emergencies, and nothing else, are published under /emergencies")
        checked = check_campaign(caller.company, manifest, caller.scope, reason)
        with concurrency.write_turns:  # from here on only: a file may be long to read
            try:
                published = publish(checked, caller.actor, caller.scope)
            except SecondPersonMissing:
                return _submitted(caller, checked, file)
        warnings = warnings_for(checked, published.cost)
    answer = {
        "campaign_id": published.campaign.campaign_id,
        "people": checked.audience.reach.most,
        "warnings": warnings,
    }
    return Status(201, answer)


def _submitted(caller: Administrator, checked: CheckedCampaign, file: str) -> Status[dict[str, Any]]:
    program = Program(caller.company, caller.actor, caller.scope, caller.token_id)
    submission = submit_file(program, checked, file.encode())
    warnings = warnings_for(checked, attention_of(checked, caller.scope))
    told = {"people": checked.audience.reach.most, "warnings": warnings}
    if submission.campaign is not None:
        return Status(201, {"campaign_id": submission.campaign.campaign_id, **told})
    draft = submission.draft
    address = f"{console_address.of_links()}/{path_of(draft)}"
    return Status(202, {"draft_id": draft.draft_id, "address": address, **told})


@router.post(
    "/recalls",
    response=RecallAnswer,
    summary="Take a campaign back; an emergency needs the right publish-emergencies, too",
    **needs(Right.RECALL_CAMPAIGNS, 400, 404, 413, 415, 422),
)
def recall_campaign(request: AdministratorRequest, body: RecallRequest) -> dict[str, Any]:
    """Take a campaign back; 403 for an emergency without the right to publish them."""
    caller = request.auth
    if caller.scope.groups is not None and _campaign(caller, body.campaign_id) is None:
        raise problems.not_found()
    emergencies = Right.PUBLISH_EMERGENCIES in RIGHTS[caller.role]
    try:
        with refused_with(HTTPStatus.NOT_FOUND, "not-found"):
            done = recall(caller.company, body.campaign_id, caller.actor, emergencies=emergencies)
    except EmergencyKept as kept:
        denied = {"right": str(Right.PUBLISH_EMERGENCIES), "campaign": body.campaign_id}
        log.record(caller.company, caller.actor, "denied", detail=denied)
        raise problems.Problem("forbidden", HTTPStatus.FORBIDDEN, kept.title, kept.message) from kept
    return {"campaign_id": body.campaign_id, "recalled_before": not done}

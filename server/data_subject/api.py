"""The calls of `docs/protocol` by which a person sees and corrects their own data."""

from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Router
from pydantic import AfterValidator, ConfigDict, Field
from typing_extensions import TypedDict

from server.audit import log
from server.core import concurrency, problems
from server.core.schemas import (
    CampaignId,
    CompactJws,
    Message,
    SignalName,
    UtcDate,
    UtcTime,
    Uuid4,
    Version,
    problem_answers,
)
from server.data_subject.details import correct
from server.data_subject.held import held
from server.data_subject.models import DetailName
from server.devices.auth import CallerRequest, DeviceToken
from server.directory.models import Person
from server.people_files.cells import MAX_ADDRESS_CHARACTERS, MAX_ADDRESSES

router = Router(auth=DeviceToken())

LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
MOST_SIGNALS = 100_000

Address = Annotated[str, Field(max_length=MAX_ADDRESS_CHARACTERS)]
Addresses = Annotated[list[Address], Field(max_length=MAX_ADDRESSES)]


class ControllerAnswer(Message):
    """Who answers for the processing, and whom to ask (GDPR article 13(1))."""

    name: str
    dpo_name: str
    dpo_email: str
    region: Literal["eu", "us"]
    notice_version: int


class DetailAnswer(Message):
    """A field about the person, who may change it, and what change is asked for."""

    field: DetailName
    value: str | list[str]
    owner: Literal["person", "directory"]
    requested: str | list[str] | None


class ComputerAnswer(Message):
    """A computer that the person connected."""

    platform: Literal["linux", "windows", "macos"]
    agent_version: str
    enrolled: UtcTime
    revoked: UtcTime | None
    this: bool


class HeldConsentAnswer(Message):
    """A consent or withdrawal, with its signed receipt."""

    receipt_id: Uuid4
    signal: SignalName
    status: Literal["given", "withdrawn"]
    notice_version: int
    time: UtcTime
    language: str
    agent_version: Version
    receipt: CompactJws


class HeldSignalAnswer(Message):
    """A signal of the person's, found by HMAC: a day, no time."""

    event_id: Uuid4
    campaign_id: CampaignId
    signal: SignalName
    date: UtcDate
    link_id: str
    value: int | None
    seq: int | None


class HeldAcknowledgementAnswer(Message):
    """A confirmation of the person's."""

    event_id: Uuid4
    campaign_id: CampaignId
    time: UtcTime


class HeldCampaignAnswer(Message):
    """A campaign that was addressed to the person, and how."""

    campaign_id: CampaignId
    title: str
    addressed: Literal["everyone", "group", "person"]


class MeAnswer(Message):
    """All that the server holds about a person (GDPR article 15)."""

    v: Literal[1]
    time: UtcTime
    controller: ControllerAnswer
    details: list[DetailAnswer]
    groups: list[str]
    computers: list[ComputerAnswer]
    consents: list[HeldConsentAnswer]
    signals: Annotated[list[HeldSignalAnswer], Field(max_length=MOST_SIGNALS)]
    acknowledgements: list[HeldAcknowledgementAnswer]
    campaigns: list[HeldCampaignAnswer]
    other: dict[str, list[dict[str, Any]]]


class DetailValues(TypedDict, total=False):
    """The fields to correct; those that are not named stay as they are."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    email: Annotated[str, Field(min_length=3, max_length=254)]
    first_name: Annotated[str, Field(max_length=100)]
    last_name: Annotated[str, Field(max_length=100)]
    title: Annotated[str, Field(max_length=200)]
    work_landline: Annotated[str, Field(max_length=50)]
    work_cell: Annotated[str, Field(max_length=50)]
    site_addresses: Addresses


def _not_empty(values: DetailValues) -> DetailValues:
    if not values:
        raise ValueError("name one field at least")
    return values


class CorrectionRequestMessage(Message):
    """The fields that the person wants otherwise (GDPR article 16)."""

    details: Annotated[
        DetailValues, AfterValidator(_not_empty), Field(json_schema_extra={"minProperties": 1})
    ]


class CorrectedAnswer(Message):
    """What became of one field: changed, or asked of the directory's administrator."""

    field: DetailName
    status: Literal["changed", "requested", "unchanged"]


class CorrectionAnswer(Message):
    """What became of each field."""

    results: list[CorrectedAnswer]


@router.get(
    "/me",
    response=MeAnswer,
    summary="All that the company holds about this person",
    openapi_extra=problem_answers(401, 413, 429, 503),
)
def get_me(request: CallerRequest) -> HttpResponse:
    """All that is held about the person who asks, on record; 413 where it is too much for one answer."""
    caller = request.auth
    with concurrency.write_turns:
        log.record(caller.company_id, "agent", "read-own-data", caller.person_id)
    # Nothing is locked from here on: it may take a while.
    try:
        answer = MeAnswer.model_validate(held(caller, MOST_SIGNALS))
    except Person.DoesNotExist as gone:
        raise problems.unauthorized() from gone
    body = answer.model_dump_json().encode()
    if len(body) > LARGEST_ANSWER_BYTES:
        raise problems.too_large(answer.controller.dpo_email)
    return HttpResponse(body, content_type="application/json")


@router.patch(
    "/me",
    response=CorrectionAnswer,
    summary="Correct one's own details",
    openapi_extra=problem_answers(400, 401, 413, 415, 422, 429, 503),
)
def patch_me(request: CallerRequest, body: CorrectionRequestMessage) -> dict[str, Any]:
    """Change what the person owns, and ask for the rest."""
    results = correct(
        request.auth.person_id, request.auth.company_id, dict[str, str | list[str]](**body.details)
    )
    return {"results": [{"field": result.field, "status": result.status} for result in results]}

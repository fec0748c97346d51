"""The calls of `docs/protocol` that take things from an agent: signals and consents."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, Union
from uuid import UUID

from ninja import Router
from pydantic import BeforeValidator, Field, StrictInt

from server.core.json_text import is_json, read_json
from server.core.schemas import (
    CampaignId,
    CompactJws,
    Language,
    LinkId,
    Message,
    SignalName,
    UtcDate,
    UtcTime,
    Uuid4,
    problem_answers,
    whole,
)
from server.devices.auth import CallerRequest, DeviceToken
from server.feedback.consents import Decision, decide
from server.feedback.recording import Event, record

router = Router(auth=DeviceToken())

ANSWERING = "answering"
"""`Tidings-Receipts` of agents that know receipts with `answers`."""
USER_AGENT = re.compile(r"tidings/([0-9A-Za-z.+-]{1,40})(?: |$)")


class _EventMessage(Message):
    event_id: Uuid4
    campaign_id: CampaignId
    date: UtcDate
    receipt_id: Uuid4


class SeenEvent(_EventMessage):
    """A campaign was looked at."""

    signal: Literal["seen"]


class ClickEvent(_EventMessage):
    """A link was opened, or the video started."""

    signal: Literal["click"]
    link_id: LinkId


class LikeEvent(_EventMessage):
    """Liked (1) or no longer (0); the highest `seq` counts."""

    signal: Literal["like"]
    value: Annotated[StrictInt, Field(ge=0, le=1), BeforeValidator(whole)]
    seq: Annotated[StrictInt, Field(ge=1, le=2**31), BeforeValidator(whole)]


AnyEvent = Annotated[Union[SeenEvent, ClickEvent, LikeEvent], Field(discriminator="signal")]  # noqa: UP007


class SignalsRequest(Message):
    """A batch of events."""

    events: Annotated[list[AnyEvent], Field(min_length=1, max_length=100)]


class EventResult(Message):
    """What became of one event."""

    event_id: Uuid4
    status: Literal["stored", "duplicate", "dropped_consent", "refused"]
    reason: str


class SignalsAnswer(Message):
    """What became of each event, in the order of the request."""

    results: list[EventResult]


class ConsentRequest(Message):
    """A person's decision about one signal, under one version of the notice."""

    receipt_id: Uuid4
    signal: SignalName
    status: Literal["given", "withdrawn"]
    notice_version: Annotated[StrictInt, Field(ge=1, le=2**31 - 1), BeforeValidator(whole)]
    time: UtcTime
    language: Language


def withdrawal_in(content_type: str, body: bytes) -> ConsentRequest | None:
    """The withdrawal that `post_consent` is certain to take the body for; None where there is a doubt."""
    if not is_json(content_type):
        return None
    try:
        message = ConsentRequest.model_validate(read_json(body))
    except ValueError:
        return None
    return message if message.status == "withdrawn" else None


class ConsentAnswer(Message):
    """The signed receipt."""

    receipt: CompactJws


@router.post(
    "/signals",
    response=SignalsAnswer,
    summary="Seen, click, like",
    openapi_extra=problem_answers(400, 401, 413, 415, 422, 429, 503),
)
def post_signals(request: CallerRequest, body: SignalsRequest) -> dict[str, Any]:
    """Each event is stored, dropped or refused by itself; what was stored before is a duplicate."""
    results = record(request.auth, [_event(event) for event in body.events])
    return {
        "results": [
            {"event_id": str(result.event_id), "status": result.status, "reason": result.reason}
            for result in results
        ]
    }


def _event(message: SeenEvent | ClickEvent | LikeEvent) -> Event:
    fields = message.model_dump()
    return Event(
        **fields
        | {
            "event_id": UUID(message.event_id),
            "receipt_id": UUID(message.receipt_id),
            "date": date.fromisoformat(message.date),
        }
    )


@router.post(
    "/consents",
    response=ConsentAnswer,
    summary="A consent or a withdrawal, answered by a signed receipt",
    openapi_extra=problem_answers(400, 401, 409, 413, 415, 422, 429, 503),
)
def post_consent(request: CallerRequest, body: ConsentRequest) -> dict[str, str]:
    """Kept with a receipt; a withdrawal holds for every later event."""
    decision = Decision(
        receipt_id=UUID(body.receipt_id),
        signal=body.signal,
        status=body.status,
        notice_version=body.notice_version,
        time=datetime.fromisoformat(body.time),
        language=body.language,
        agent_version=_agent_version(request),
    )
    is_asked = request.META.get("HTTP_TIDINGS_RECEIPTS") == ANSWERING
    return {"receipt": decide(request.auth, decision, names_consent=is_asked)}


def _agent_version(request: CallerRequest) -> str:
    named = USER_AGENT.match(request.META.get("HTTP_USER_AGENT", ""))
    return named.group(1) if named else "unknown"

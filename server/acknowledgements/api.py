"""The call of `docs/protocol` by which a person confirms that they have read a campaign."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Router

from server.acknowledgements.recording import acknowledge
from server.core.schemas import CampaignId, Message, UtcTime, Uuid4, problem_answers
from server.devices.auth import CallerRequest, DeviceToken

router = Router(auth=DeviceToken())


class AcknowledgementRequest(Message):
    """“I have read this”, by name; the time is the computer's, UTC, to the second."""

    event_id: Uuid4
    campaign_id: CampaignId
    time: UtcTime


class AcknowledgementAnswer(Message):
    """What became of a confirmation; a reason where it was refused."""

    event_id: Uuid4
    status: Literal["stored", "duplicate", "refused"]
    reason: str


@router.post(
    "/acknowledgements",
    response=AcknowledgementAnswer,
    summary="“I have read this”, a deliberate act by name",
    openapi_extra=problem_answers(400, 401, 413, 415, 422, 429, 503),
)
def post_acknowledgement(request: CallerRequest, body: AcknowledgementRequest) -> dict[str, str]:
    """Kept once for each person and campaign."""
    result = acknowledge(
        request.auth, UUID(body.event_id), body.campaign_id, datetime.fromisoformat(body.time)
    )
    return {"event_id": body.event_id, "status": result.status, "reason": result.reason}

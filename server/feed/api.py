"""The calls of `docs/protocol` that bring things to an agent: enrolment, feed, media, device."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from ninja import Path, Router, Status
from pydantic import Field

from server.core import clock, problems
from server.core.schemas import CompactJws, Message, Version, problem_answers
from server.devices import enrolment, rotation
from server.devices.auth import CallerRequest, DeviceToken
from server.feed import downloads
from server.feed.feed import entity_tag, feed
from server.feed.trials import trial_of

router = Router()

LONGEST_CONDITION = 4096
"""Characters of `If-None-Match` that are looked at: some thirty tags. An agent sends one."""

Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


class EnrolmentRequest(Message):
    """An invitation code, and the secret with which the same computer may ask again."""

    code: Annotated[str, Field(min_length=1, max_length=64, examples=["KX7P-9QMD-2HTV"])]
    agent_version: Version
    platform: Literal["linux", "windows", "macos"]
    retry_secret: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")] | None = None


class PersonAnswer(Message):
    """Whose feed it is."""

    email: str
    first_name: str


class PublicKeyAnswer(Message):
    """One public key (RFC 8037 section 2), and what it signs."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    use: Literal["sig"]
    tidings_use: Literal["campaign", "receipt"]


class KeySetAnswer(Message):
    """The company's public keys (RFC 7517 section 5)."""

    keys: list[PublicKeyAnswer]


class EnrolmentAnswer(Message):
    """The device token, which is told this once, and whom to believe from now on."""

    device_token: Annotated[str, Field(pattern=r"^tdt_[A-Za-z0-9_-]{1,124}$")]
    company_id: str
    person: PersonAnswer
    keys: KeySetAnswer
    company: CompactJws


class FeedAnswer(Message):
    """All that is due for a person, as signed documents."""

    v: Literal[1]
    person: PersonAnswer
    statement: CompactJws | None = None
    company: CompactJws
    campaigns: Annotated[list[CompactJws], Field(max_length=1000)]
    trials: Annotated[list[CompactJws], Field(max_length=1)] = []
    poll_interval_s: Annotated[int, Field(ge=10, le=86_400)]


STATED = "signed"
"""The value of `Tidings-Feed` with which an agent asks for a statement; older ones would refuse the field."""


TAKES_TRIALS = "shown"
"""The value of `Tidings-Trials` with which an agent says that it marks tests, and reports nothing of them (ADR 53)."""


class NextTokenRequest(Message):
    """The SHA-256 of the token that the computer made; the server never sees it before its first use."""

    next_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


FEED_HEADERS = [
    {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}},
    {
        "name": "Tidings-Feed",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},  # any other value is as none
    },
    {"name": "Tidings-Trials", "in": "header", "required": False, "schema": {"type": "string"}},
]
MEDIA_HEADERS = [
    {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
    for name in ("If-None-Match", "Range", "If-Range")
]
MEDIA_ANSWERS = {
    "responses": {
        200: {"description": "The file", "content": {"application/octet-stream": {}}},
        206: {"description": "The range asked for", "content": {"application/octet-stream": {}}},
        304: {"description": "Not modified"},
        416: {"description": "No such range"},
    }
}


def _described(description: dict[str, Any], *statuses: int) -> dict[str, Any]:
    """Add to an operation's description the problems that it answers."""
    merged = dict(description.get("responses", {})) | problem_answers(*statuses)["responses"]
    return description | {"responses": merged}


@router.post(
    "/enrolments",
    auth=None,
    response={201: EnrolmentAnswer},
    summary="A one-time code for a device token",
    openapi_extra=problem_answers(400, 404, 413, 415, 421, 422, 503),
)
def enrol(request: HttpRequest, body: EnrolmentRequest) -> Status[dict[str, Any]]:
    """Use up a code. The same code with the same secret gives the same answer for ten minutes."""
    enrolled = enrolment.enrol(body.code, body.platform, body.agent_version, body.retry_secret)
    person = enrolled.person
    return Status(
        201,
        {
            "device_token": enrolled.token,
            "company_id": person.company_id,
            "person": {"email": person.email, "first_name": person.first_name},
            "keys": enrolled.keys,
            "company": person.company.document,
        },
    )


@router.get(
    "/feed",
    auth=DeviceToken(),
    response=FeedAnswer,
    summary="What is assigned to this person",
    openapi_extra=_described(
        {"parameters": FEED_HEADERS, "responses": {304: {"description": "Not modified"}}}, 401, 429, 503
    ),
)
def get_feed(request: CallerRequest) -> HttpResponse:
    """304 where nothing changed since the tag that the agent has."""
    caller, now = request.auth, clock.now()
    stated = request.META.get("HTTP_TIDINGS_FEED") == STATED
    trial = trial_of(caller, now) if request.META.get("HTTP_TIDINGS_TRIALS") == TAKES_TRIALS else ""
    tag = entity_tag(caller, now, stated=stated, trial=trial)
    if _matches(request.META.get("HTTP_IF_NONE_MATCH"), tag):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        response = HttpResponse(
            feed(caller, now, stated=stated, trial=trial), content_type="application/json"
        )
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Tidings-Feed, Tidings-Trials"
    response["Tidings-Poll-Interval"] = str(caller.poll_interval_s)
    return response


def _matches(condition: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names the tag. Weak comparison (RFC 9110, section 13.1.2): a proxy may weaken tags."""
    if condition is None or condition == tag:
        return condition is not None
    if len(condition) > LONGEST_CONDITION:
        return False  # the feed is sent, which is right in any case
    return any(named in ("*", tag, f"W/{tag}") for named in parse_etags(condition))


@router.get(
    "/media/{sha256}",
    auth=DeviceToken(),
    response={200: None},
    summary="A file named by a campaign",
    openapi_extra=_described(MEDIA_ANSWERS | {"parameters": MEDIA_HEADERS}, 401, 404, 422, 429, 503),
)
def get_media(request: CallerRequest, sha256: Sha256) -> HttpResponseBase:
    """A picture, video or caption file of a campaign that the person gets; ranges as RFC 9110 section 14."""
    return downloads.answer(request, downloads.visible_media(request.auth, sha256, clock.now()))


@router.post(
    "/device/token",
    auth=DeviceToken(),
    response={204: None},
    summary="Say which token this computer will use next",
    openapi_extra=problem_answers(400, 401, 409, 413, 415, 422, 429, 503),
)
def announce_token(request: CallerRequest, body: NextTokenRequest) -> Status[None]:
    """The next token is in force from its first use, and the present one until then (ADR 18)."""
    rotation.announce(request.auth.device_id, request.auth.token_hash, body.next_sha256)
    return Status(204, None)


@router.delete(
    "/device",
    auth=DeviceToken(),
    response={204: None},
    summary="Disconnect this computer",
    openapi_extra=problem_answers(401, 429, 503),
)
def disconnect(request: CallerRequest) -> Status[None]:
    """End this computer's tokens, as the person asks for."""
    if not enrolment.revoke([request.auth.device_id]):
        raise problems.unauthorized()
    return Status(204, None)

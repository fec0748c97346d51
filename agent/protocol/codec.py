"""Bytes ⇄ model, as docs/protocol says, version 1. Strict: an unknown or missing field is refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import force_setattr

from agent.domain import errors, limits, plain_text
from agent.domain.model import (
    VIDEO_LINK_ID,
    Campaign,
    CampaignId,
    CampaignStatus,
    Company,
    ConsentMessage,
    FeedbackSignal,
    Image,
    Notice,
    Person,
    Region,
    Sha256,
    TrialId,
    Urgency,
    UtcTime,
    Variant,
)
from agent.domain.msgspec_warmup import TooDeep, decode_message, resolve
from agent.domain.my_data_models import Corrected, DetailName, DetailValue, Held

ENROLMENTS_PATH = "/api/v1/enrolments"
FEED_PATH = "/api/v1/feed"
MEDIA_PATH = "/api/v1/media"
SIGNALS_PATH = "/api/v1/signals"
CONSENTS_PATH = "/api/v1/consents"
ACKNOWLEDGEMENTS_PATH = "/api/v1/acknowledgements"
ME_PATH = "/api/v1/me"
DEVICE_PATH = "/api/v1/device"
TOKEN_PATH = "/api/v1/device/token"
HEALTH_PATH = "/api/v1/health"

COMPANY_DOCUMENT = "tidings-company"
CAMPAIGN_DOCUMENT = "tidings-campaign"
RECEIPT_DOCUMENT = "tidings-receipt"
FEED_DOCUMENT = "tidings-feed"
TRIAL_DOCUMENT = "tidings-trial"

STATED_FEED = {"Tidings-Feed": "signed"}
"""The header that asks for a statement with the feed."""
TAKES_TRIALS = {"Tidings-Trials": "shown"}
"""The header by which the server knows that this version marks tests, and reports nothing of them."""
ANSWERING_RECEIPTS = {"Tidings-Receipts": "answering"}
"""The header that asks a withdrawal's receipt to name the consent that it ends."""

T = TypeVar("T")

Uuid4 = Annotated[str, Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")]
Counter = Annotated[int, Meta(ge=0, le=2**53)]
Document = Annotated[str, Meta(max_length=limits.DOCUMENT_MAX_BYTES, pattern=r"^[\w-]+\.[\w-]+\.[\w-]+$")]


LinkHost = Annotated[
    str,
    Meta(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$", max_length=253),
]


class Key(Struct, frozen=True, forbid_unknown_fields=True):
    """An Ed25519 public key as a JWK (RFC 8037 section 2)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, Meta(pattern=r"^[\w-]{43}$")]
    kid: Annotated[str, Meta(min_length=1, max_length=100)]
    use: Literal["sig"]
    tidings_use: Literal["campaign", "receipt"]


class KeySet(Struct, frozen=True, forbid_unknown_fields=True):
    """The company's public keys (RFC 7517 section 5)."""

    keys: Annotated[tuple[Key, ...], Meta(min_length=1, max_length=20)]


class EnrolmentAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer of `POST /api/v1/enrolments`."""

    device_token: Annotated[str, Meta(pattern=r"^tdt_[\w-]{20,124}$")]
    company_id: Annotated[str, Meta(pattern="^[a-z0-9-]{1,40}$")]
    person: Person
    keys: KeySet
    company: Document


class Feed(Struct, frozen=True, forbid_unknown_fields=True):
    """The answer of `GET /api/v1/feed`; its documents are not verified yet."""

    v: Literal[1]
    person: Person
    company: Document
    campaigns: Annotated[tuple[Document, ...], Meta(max_length=limits.FEED_MAX_CAMPAIGNS)]
    poll_interval_s: Annotated[int, Meta(ge=limits.POLL_INTERVAL_MIN_S, le=limits.POLL_INTERVAL_MAX_S)]
    statement: Document | None = None
    """None from servers that know no statements."""
    trials: Annotated[tuple[Document, ...], Meta(max_length=1)] = ()
    """The test that the person sent to themselves."""


class Statement(Struct, frozen=True, forbid_unknown_fields=True):
    """What a feed holds: the counter of the company's document, and of each campaign's."""

    company: Counter
    campaigns: Annotated[dict[CampaignId, Counter], Meta(max_length=limits.FEED_MAX_CAMPAIGNS)]


class SignalResult(Struct, frozen=True, forbid_unknown_fields=True):
    """What the server did with one event of a batch."""

    event_id: str
    status: Literal["stored", "duplicate", "dropped_consent", "refused"]
    reason: Annotated[str, Meta(max_length=500)] = ""

    def __post_init__(self) -> None:
        _make_plain(self, "reason")


class AcknowledgementAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """What the server did with a confirmation."""

    event_id: str
    status: Literal["stored", "duplicate", "refused"]
    reason: Annotated[str, Meta(max_length=500)] = ""

    def __post_init__(self) -> None:
        _make_plain(self, "reason")


class Problem(Struct, frozen=True):
    """RFC 9457. Nobody signed its texts: each is one line, and no longer than ``limits.UNSIGNED_TEXT_MAX``."""

    type: str = ""
    title: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        _make_plain(self, "type", "title", "detail")


class _Results(Struct, frozen=True, forbid_unknown_fields=True):
    results: tuple[SignalResult, ...]


class _CorrectionAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    results: tuple[Corrected, ...]


class _ReceiptAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    receipt: Document


class _CompanyContent(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    legal_name: Annotated[str, Meta(max_length=200)]
    region: Region
    dpo_name: Annotated[str, Meta(max_length=200)]
    dpo_email: Annotated[str, Meta(max_length=320)]
    accent: Annotated[str, Meta(pattern="^#[0-9A-Fa-f]{6}$")]
    link_hosts: Annotated[tuple[LinkHost, ...], Meta(max_length=100)]
    signals: frozenset[FeedbackSignal]
    named_reporting: bool
    logo: Image | None
    notice: Notice


class _CampaignContent(Struct, frozen=True, forbid_unknown_fields=True):
    status: CampaignStatus
    sender: Annotated[str, Meta(max_length=80)]
    urgency: Urgency
    acknowledge: bool
    starts: UtcTime
    ends: UtcTime
    default_language: str
    variants: Annotated[dict[str, Variant], Meta(max_length=20)]


class _TrialContent(Struct, frozen=True, forbid_unknown_fields=True):
    computers: Annotated[tuple[Sha256, ...], Meta(max_length=limits.TRIAL_MAX_COMPUTERS)]
    campaign: _CampaignContent


class _Event(Struct, frozen=True, omit_defaults=True):
    signal: FeedbackSignal
    event_id: str
    campaign_id: str
    date: date
    receipt_id: str
    link_id: str | None = None
    value: int | None = None
    seq: int | None = None


class Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    """The payload of a signed document. ``content`` stays unread until the rest has been checked."""

    v: Literal[1]
    iss: str
    sub: str
    ctr: Counter
    iat: int
    exp: int
    content: Raw


def encode_enrolment(code: str, agent_version: str, platform: str, retry_secret: str = "") -> bytes:
    """``retry_secret``: left out where it is empty, as servers from before there was one need it."""
    body = {"code": code, "agent_version": agent_version, "platform": platform}
    return msgspec.json.encode(body | ({"retry_secret": retry_secret} if retry_secret else {}))


def encode_next_token(token: str) -> bytes:
    """The body of `POST /api/v1/device/token`: the SHA-256 of the token that comes next, never the token."""
    return msgspec.json.encode({"next_sha256": hashlib.sha256(token.encode()).hexdigest()})


def encode_event(
    signal: FeedbackSignal,
    *,
    event_id: str,
    campaign_id: str,
    day: date,
    receipt_id: str,
    link_id: str | None = None,
    value: int | None = None,
    seq: int | None = None,
) -> bytes:
    """One event of `POST /api/v1/signals`: the UTC day, no time."""
    return msgspec.json.encode(_Event(signal, event_id, campaign_id, day, receipt_id, link_id, value, seq))


def encode_batch(events: Sequence[bytes]) -> tuple[bytes, list[int]]:
    """The body of a batch, and where in it each event begins."""
    offsets, position = [], len(b'{"events":[')
    for event in events:
        offsets.append(position)
        position += len(event) + 1
    return b'{"events":[' + b",".join(events) + b"]}", offsets


def encode_acknowledgement(event_id: str, campaign_id: str, time: datetime) -> bytes:
    """The body of `POST /api/v1/acknowledgements`; the time is UTC, to the second."""
    return msgspec.json.encode({"event_id": event_id, "campaign_id": campaign_id, "time": time})


def encode_consent(message: ConsentMessage) -> bytes:
    """The body of `POST /api/v1/consents`."""
    return msgspec.json.encode(message)


def encode_correction(changes: Mapping[DetailName, DetailValue]) -> bytes:
    """The body of `PATCH /api/v1/me`."""
    return msgspec.json.encode({"details": changes})


def decode_enrolment(body: bytes) -> EnrolmentAnswer:
    """Raises NotOurServer."""
    return _answer(body, EnrolmentAnswer)


def decode_feed(body: bytes) -> Feed:
    """Raises NotOurServer."""
    return _answer(body, Feed)


def decode_results(body: bytes) -> tuple[SignalResult, ...]:
    """Raises NotOurServer."""
    return _answer(body, _Results).results


def decode_acknowledgement(body: bytes) -> AcknowledgementAnswer:
    """Raises NotOurServer."""
    return _answer(body, AcknowledgementAnswer)


def decode_receipt(body: bytes) -> str:
    """The receipt, a signed document. Raises NotOurServer."""
    return _answer(body, _ReceiptAnswer).receipt


def decode_held(body: bytes) -> Held:
    """All that the company holds about the person. Raises NotOurServer."""
    return _answer(body, Held)


def decode_corrected(body: bytes) -> tuple[Corrected, ...]:
    """Raises NotOurServer."""
    return _answer(body, _CorrectionAnswer).results


def decode_problem(body: bytes) -> Problem:
    """A problem description, empty where there is none. Raises NotOurServer for one that is nested deeply."""
    try:
        return decode_message(body.decode(errors="replace").encode(), Problem)
    except TooDeep as error:
        raise errors.NotOurServer(f"a problem document: {error}") from error
    except msgspec.DecodeError:
        return Problem()


def regions_told(problem: Problem) -> tuple[Region | None, Region | None]:
    """The regions of ``wrong-region``: the company's, then the server's."""
    told = re.fullmatch(r"region (eu|us), not (eu|us)", problem.detail)
    return (Region(told[1]), Region(told[2])) if told else (None, None)


def decode_envelope(payload: bytes) -> Envelope:
    """Raises DocumentRefused."""
    return _document(payload, Envelope)


def decode_statement(content: bytes) -> Statement:
    """Raises DocumentRefused."""
    return _document(content, Statement)


def feed_subject(token: str) -> str:
    """The ``sub`` of this computer's statements."""
    return hashlib.sha256(b"tidings feed " + hashlib.sha256(token.encode()).hexdigest().encode()).hexdigest()


def decode_company(company_id: str, content: bytes) -> Company:
    """Raises DocumentRefused."""
    read = _document(content, _CompanyContent)
    logo = read.logo
    if logo and (logo.size > limits.LOGO_MAX_BYTES or max(logo.width, logo.height) > limits.LOGO_MAX_PX):
        raise errors.DocumentRefused("the logo is too large")
    return Company(company_id, **{name: getattr(read, name) for name in read.__struct_fields__})


def decode_campaign(campaign_id: str, counter: int, content: bytes) -> Campaign:
    """Raises DocumentRefused."""
    try:
        msgspec.convert(campaign_id, CampaignId)
    except msgspec.ValidationError as error:
        raise errors.DocumentRefused("campaign id") from error
    return _campaign(campaign_id, counter, _document(content, _CampaignContent))


def decode_trial(trial_id: str, subject: str, content: bytes) -> Campaign:
    """A test for the computer whose ``feed_subject`` this is. Raises DocumentRefused for those of others."""
    try:
        msgspec.convert(trial_id, TrialId)
    except msgspec.ValidationError as error:
        raise errors.DocumentRefused("trial id") from error
    read = _document(content, _TrialContent)
    if subject not in read.computers:
        raise errors.DocumentRefused(f"{trial_id}: for other computers")
    if read.campaign.status is not CampaignStatus.LIVE:
        raise errors.DocumentRefused(f"{trial_id}: it is recalled")
    return _campaign(trial_id, 0, read.campaign)


def _campaign(campaign_id: str, counter: int, read: _CampaignContent) -> Campaign:
    if problem := _campaign_problem(read):
        raise errors.DocumentRefused(f"{campaign_id}: {problem}")
    return Campaign(campaign_id, counter, **{name: getattr(read, name) for name in read.__struct_fields__})


def _campaign_problem(content: _CampaignContent) -> str:
    """What a schema cannot say of a campaign; empty when it is right."""
    if content.starts >= content.ends:
        return "it ends before it starts"
    if content.starts.utcoffset() or content.ends.utcoffset():
        return "its times are not UTC"
    if content.status is CampaignStatus.RECALLED:
        return "it is recalled and has a text" if content.variants or content.acknowledge else ""
    if content.default_language not in content.variants or not content.sender:
        return "it has no sender, or no text in its own language"
    for variant in content.variants.values():
        ids = [link.link_id for link in variant.links]
        if len(set(ids)) != len(ids) or VIDEO_LINK_ID in ids:
            return "its link ids are not its own"
        if not all(link.url.startswith("https://") for link in variant.links):
            return "a link is not https"
    return ""


def _make_plain(struct: Struct, *names: str) -> None:
    for name in names:
        force_setattr(struct, name, plain_text.of_a_stranger(getattr(struct, name)))


def _answer(body: bytes, type: type[T]) -> T:
    try:
        return decode_message(body, type)
    except msgspec.DecodeError as error:
        told = plain_text.of_a_stranger(
            f"{type.__name__.strip('_')}: {error}"
        )  # may name the server's fields
        raise errors.NotOurServer(told) from error


def _document(body: bytes, type: type[T]) -> T:
    try:
        return decode_message(body, type)
    except msgspec.DecodeError as error:
        raise errors.DocumentRefused(f"{type.__name__.strip('_')}: {error}") from error


resolve(
    KeySet,
    EnrolmentAnswer,
    Feed,
    AcknowledgementAnswer,
    Problem,
    _Results,
    _ReceiptAnswer,
    _CorrectionAnswer,
    _CompanyContent,
    _CampaignContent,
    _TrialContent,
    Envelope,
    Statement,
)

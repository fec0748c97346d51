"""What a person sees of their own data: what left this computer, what the company holds, and how the two compare.

Frozen values, imports nothing of ours but the model. The structures that travel have the fields of ``docs/protocol`` and
refuse unknown ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.domain.model import FeedbackSignal, Region, UtcTime
from agent.domain.msgspec_warmup import resolve

DetailName = Literal[
    "email", "first_name", "last_name", "title", "work_landline", "work_cell", "site_addresses"
]
_Scalar = str | int | float | bool | None
_Level = _Scalar | tuple[_Scalar, ...] | Mapping[str, _Scalar]
OtherValue = _Scalar | tuple[_Level, ...] | Mapping[str, _Level]
"""Of a field that nobody foresaw. Bounded in depth: it is written and shown again by code that goes down level by level."""

DetailValue = str | tuple[str, ...]
"""A list of lines for ``site_addresses``, one line for all others."""


ACKNOWLEDGEMENT = "acknowledgement"


class SentStatus(StrEnum):
    """What became of one message about the person."""

    WAITING = "waiting"
    """It has not been sent, or the server has not answered."""
    STORED = "stored"
    ERASED = "erased"
    """A withdrawal; ``SentItem.erased`` says how many rows went."""
    DELETED = "deleted"
    """It was stored, and its signal was withdrawn later."""
    DROPPED = "dropped"
    """The server kept nothing of it: there was no consent in force."""
    REFUSED = "refused"


class SentItem(Struct, frozen=True):
    """One line of "What was sent about me". ``body``: the exact bytes; ``answer``: the server's, None while there is none.

    ``kind`` is a signal's name, ``given``, ``withdrawn``, ``correction``, ``enrolment``, ``key`` or ``ACKNOWLEDGEMENT``;
    ``signal`` is empty for these four. In the body of ``enrolment`` the code and the secret are blanked.
    ``title`` is that of the announcement, empty when it is not here any more.
    """

    number: int
    sent_at: datetime | None
    kind: str
    signal: str
    campaign_id: str
    title: str
    body: bytes
    status: SentStatus
    answer: bytes | None = None
    erased: int = 0
    reason: str = ""


class KeptReceipt(Struct, frozen=True):
    """A signed receipt. ``genuine``: None until its signature has been checked."""

    receipt_id: str
    signal: FeedbackSignal
    status: str
    received: datetime
    document: str
    genuine: bool | None
    erased: int


class Controller(Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers for the processing (GDPR article 4(7))."""

    name: str
    dpo_name: str
    dpo_email: str
    region: Region
    notice_version: int


class Detail(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of the person's entry. ``owner``: who may change it; ``requested``: a correction that waits."""

    field: DetailName
    value: DetailValue
    owner: Literal["person", "directory"]
    requested: DetailValue | None = None


class Computer(Struct, frozen=True, forbid_unknown_fields=True):
    """A computer of the person's, as the server lists it."""

    platform: str
    agent_version: str
    enrolled: UtcTime
    revoked: UtcTime | None
    this: bool


class HeldConsent(Struct, frozen=True, forbid_unknown_fields=True):
    """A consent or withdrawal that the server holds, with its signed receipt."""

    receipt_id: str
    signal: FeedbackSignal
    status: Literal["given", "withdrawn"]
    notice_version: int
    time: UtcTime
    language: str
    agent_version: str
    receipt: str


class HeldSignal(Struct, frozen=True, forbid_unknown_fields=True):
    """A signal that the server holds of the person: the UTC day, no time."""

    event_id: str
    campaign_id: str
    signal: FeedbackSignal
    date: str
    link_id: str = ""
    value: int | None = None
    seq: int | None = None


class HeldAcknowledgement(Struct, frozen=True, forbid_unknown_fields=True):
    """What the person confirmed by name to have read."""

    event_id: str
    campaign_id: str
    time: UtcTime


class HeldCampaign(Struct, frozen=True, forbid_unknown_fields=True):
    """An announcement addressed to the person, and through what."""

    campaign_id: str
    title: str
    addressed: Literal["everyone", "group", "person"]


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """All that the company holds about the person (GDPR article 15): the answer of ``GET /api/v1/me``."""

    v: Literal[1]
    time: UtcTime
    controller: Controller
    details: tuple[Detail, ...]
    groups: tuple[str, ...]
    computers: tuple[Computer, ...]
    consents: tuple[HeldConsent, ...]
    signals: Annotated[tuple[HeldSignal, ...], Meta(max_length=100_000)]
    acknowledgements: tuple[HeldAcknowledgement, ...]
    campaigns: tuple[HeldCampaign, ...]
    other: Mapping[str, tuple[Mapping[str, OtherValue], ...]]
    """Every other row about the person, by table."""


class Corrected(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a correction of one field. ``requested``: the administrator decides."""

    field: DetailName
    status: Literal["changed", "requested", "unchanged"]


class Difference(Struct, frozen=True):
    """One event where the server and this computer do not agree.

    ``only``: who has it. What only the server has may come from another computer of the same person.
    """

    only: Literal["server", "computer"]
    event_id: str
    kind: str
    """A signal's name, or ``ACKNOWLEDGEMENT``."""
    campaign_id: str


class Comparison(Struct, frozen=True):
    """The answer of "Verify with server". ``agreed``: how many events both have, with the same content."""

    agreed: int
    differences: tuple[Difference, ...]


class Copy(Struct, frozen=True):
    """A person's copy of their data (GDPR articles 15 and 20): for machines and for reading."""

    json: bytes
    html: str


resolve(Held)

"""Rules for the rows of a company that comes from elsewhere, row by row: what no server would have stored.

`row_rules` has those that hold for rows which are here, too. See `arrival_checks` for what rows must be together.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, Model
from django.utils.translation import gettext as _
from pydantic import TypeAdapter, ValidationError

from server.acknowledgements.models import Acknowledgement
from server.archives.rows import columns
from server.campaigns.models import Campaign
from server.campaigns.stored import Fault
from server.core import clock
from server.core.problems import Problem
from server.core.schemas import Language, Sha256, Version
from server.data_subject.details import checked
from server.data_subject.models import CorrectionRequest
from server.devices.models import Device, SpentToken
from server.devices.rotation import GRACE
from server.signals.keys import KEY_BYTES
from server.signals.models import CampaignKey, Consent, Signal, SignalName

TOLERANCE = timedelta(days=1)
"""How far the clock of the server where the rows were made may be ahead of this one."""
MAY_COME = {
    (Campaign, "starts"),
    (Campaign, "ends"),
    (SpentToken, "grace_until"),
}
"""Times that may lie in the future; `document_expires` is held against the document. All others say when something was."""
PERSON_KEY = re.compile(r"[0-9a-f]{64}")

_Sha256 = TypeAdapter(Sha256)
_Version = TypeAdapter(Version)
_Language = TypeAdapter(Language)


def arrival_faults(row: Model) -> Iterator[Fault]:
    """What is wrong with a row that was just read: columns, and why."""
    for field in columns(type(row)):
        value = getattr(row, field.attname)
        if not isinstance(field, DateTimeField) or value is None or field.name == "document_expires":
            continue
        if (type(row), field.name) not in MAY_COME and is_ahead(value):
            yield field.name, _("it lies in the future")
    if rule := RULES.get(type(row)):
        yield from rule(row)


def _device(row: Device) -> Iterator[Fault]:
    yield from _digest("token_hash", row.token_hash)
    if row.next_hash is not None:
        yield from _digest("next_hash", row.next_hash)
    if row.family:
        yield from _digest("family", row.family)
    if row.next_hash == row.token_hash:
        yield "next_hash", _("it is the present token’s")
    yield from _as(_Version, "agent_version", row.agent_version)
    if row.reused and row.revoked_at is None:
        yield "reused", _("such a computer is disconnected")


def _spent_token(row: SpentToken) -> Iterator[Fault]:
    yield from _digest("token_hash", row.token_hash)
    if row.grace_until is not None and row.grace_until > clock.now() + GRACE + TOLERANCE:
        yield (
            "grace_until",
            _("a replaced token is taken for {minutes} minutes").format(
                minutes=GRACE // timedelta(minutes=1)
            ),
        )


def _campaign_key(row: CampaignKey) -> Iterator[Fault]:
    if len(bytes(row.key)) != KEY_BYTES:
        yield "key", _("it has not {expected_bytes} bytes").format(expected_bytes=KEY_BYTES)


def _consent(row: Consent) -> Iterator[Fault]:
    yield from _as(_Language, "language", row.language)
    yield from _as(_Version, "agent_version", row.agent_version)
    yield from _event("receipt_id", row.receipt_id)


def _signal(row: Signal) -> Iterator[Fault]:
    if not PERSON_KEY.fullmatch(row.person_key):
        yield "person_key", _("it is no digest")
    yield from _event("event_id", row.event_id)
    is_like = row.signal == SignalName.LIKE
    if (row.signal == SignalName.CLICK) != bool(row.link_id):
        yield "link_id", _("clicks have one, and nothing else has")
    if row.value not in ((0, 1) if is_like else (None,)):
        yield "value", _("likes have one, 0 or 1, and nothing else has")
    if (row.seq is None) == is_like:
        yield "seq", _("likes have one, and nothing else has")


def _acknowledgement(row: Acknowledgement) -> Iterator[Fault]:
    yield from _event("event_id", row.event_id)


def _correction(row: CorrectionRequest) -> Iterator[Fault]:
    if isinstance(row.value, list) != (row.field == "site_addresses"):
        yield "value", _("it is of another type")
        return
    try:
        if checked(row.field, row.value) != row.value:
            yield "value", _("it is not as it would be stored")
    except (Problem, TypeError, AttributeError, KeyError) as error:
        yield "value", error.detail if isinstance(error, Problem) else _("it is of another type")


RULES: Mapping[type[Model], Callable[[Any], Iterator[Fault]]] = {
    Device: _device,
    SpentToken: _spent_token,
    CampaignKey: _campaign_key,
    Consent: _consent,
    Signal: _signal,
    Acknowledgement: _acknowledgement,
    CorrectionRequest: _correction,
}


def _event(column: str, value: UUID) -> Iterator[Fault]:
    if value.version != 4:
        yield column, _("it is not random (RFC 9562, version 4)")


def _digest(column: str, value: str) -> Iterator[Fault]:
    yield from _as(_Sha256, column, value)


def _as(rule: "TypeAdapter[Any]", column: str, value: object) -> Iterator[Fault]:
    try:
        rule.validate_python(value, strict=True)
    except ValidationError:
        yield column, _("it will not do")


def is_ahead(time: datetime) -> bool:
    """Whether a time lies further in the future than clocks differ."""
    return time > clock.now() + TOLERANCE

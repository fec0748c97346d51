"""People who share, act and change their minds, straight in a server's database. Use within `ServerHome.opened()`.

Everything goes through the functions that the server's own calls use; only the network between is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from server.campaigns.models import Campaign
    from server.devices.auth import Caller
    from server.directory.models import Person

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def caller(person: Person) -> Caller:
    """The person, as a request of their computer names them."""
    from server.devices.auth import Caller

    return Caller(0, person.pk, person.company_id, person.email, person.first_name, 0, 60)


def decide(person: Person, signal: str, status: str, receipt_id: UUID, time: datetime = NOON) -> None:
    """Give or withdraw, under the notice in force."""
    from server.feedback import consents

    decision = consents.Decision(
        receipt_id=receipt_id,
        signal=signal,
        status=status,
        notice_version=person.company.notice_version(),
        time=time,
        language="en",
        agent_version="0.1.0",
    )
    consents.decide(caller(person), decision)


def give(person: Person, signal: str = "seen", time: datetime = NOON) -> UUID:
    """Let the person share a signal. Gives the receipt's id."""
    receipt_id = uuid4()
    decide(person, signal, "given", receipt_id, time)
    return receipt_id


def withdraw(person: Person, receipt_id: UUID, signal: str = "seen", time: datetime = NOON) -> None:
    """Take a consent back."""
    decide(person, signal, "withdrawn", receipt_id, time)


def act(person: Person, campaign: Campaign, receipt_id: UUID, signal: str = "seen", **changes: Any) -> str:
    """Let an event arrive, on the day when the campaign starts unless `date` says otherwise. Gives what became of it."""
    from server.feedback.recording import Event, record

    extras: dict[str, dict[str, Any]] = {"click": {"link_id": "l1"}, "like": {"value": 1, "seq": 1}}
    fields = {"date": campaign.starts.date()} | extras.get(signal, {}) | changes
    event = Event(signal, uuid4(), campaign.campaign_id, receipt_id=receipt_id, **fields)
    (result,) = record(caller(person), [event])
    return result.status


def share_all(people: Iterable[Person], signals: Sequence[str] = ("seen",)) -> dict[UUID, dict[str, UUID]]:
    """Let all these people share. Gives their receipts, by person and signal."""
    return {person.pk: {signal: give(person, signal) for signal in signals} for person in people}

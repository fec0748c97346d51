"""Turning off what an agent that runs does not turn off, as it does not answer: in the record, at which it looks."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from agent.consent import rules
from agent.consent.choice_errors import NotRecorded
from agent.consent.record_file import ConsentFile
from agent.consent.rules import Consent
from agent.domain import errors
from agent.domain.model import ConsentState, FeedbackSignal
from agent.domain.ports import Clock


def given(file: ConsentFile, signals: Collection[FeedbackSignal]) -> list[FeedbackSignal]:
    """Which of these the record says to be given; where it cannot be read, any may be."""
    try:
        consents = file.recorded()
    except errors.DiskFault:
        return list(signals)
    return [
        signal
        for signal in signals
        if signal in consents and file.noted(consents[signal]).state is ConsentState.GIVEN
    ]


def withdraw(file: ConsentFile, signals: Collection[FeedbackSignal], clock: Clock, language: str) -> None:
    """Write down that these are off. The agent reads it before each event and request, and tells the server (ADR 13).

    Where the disk takes no writes it is noted elsewhere, and the agent looks there too. What is off already gets the time of
    this: what was asked for before, and is turned on late, is told by that. Raises NotRecorded.
    """
    fault: errors.DiskFault | None = None
    for consent in _recorded(file, signals):
        try:
            file.write(_off(consent, clock, language))
        except errors.DiskFault as error:
            fault = error
    if fault is not None:
        raise NotRecorded(fault.detail) from fault


def _recorded(file: ConsentFile, signals: Collection[FeedbackSignal]) -> list[Consent]:
    """Without those of which a withdrawal is noted that the record does not have."""
    try:
        consents = file.recorded()
    except errors.DiskFault:
        return [Consent(signal) for signal in signals]
    if not consents:
        return []
    asked = [consents.get(signal, Consent(signal)) for signal in signals]
    return [
        consent
        for consent in asked
        if (noted := file.noted(consent)) == consent or noted.state is not ConsentState.WITHDRAWN
    ]


def _off(consent: Consent, clock: Clock, language: str) -> Consent:
    """The time is the act's to the microsecond, as two may follow each other closely; the agent dates the withdrawal."""
    off = consent
    if consent.receipt_id:
        off = rules.refuse(
            replace(consent, owed=None),
            notice_version=consent.notice_version,
            now=rules.LAST_TIME,
            language=language,
        )
    return replace(off, time=clock.now(), company=consent.company)

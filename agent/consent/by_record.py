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
    """Which of these the record says to be given."""
    consents = file.recorded()
    return [
        signal for signal in signals if signal in consents and consents[signal].state is ConsentState.GIVEN
    ]


def withdraw(file: ConsentFile, signals: Collection[FeedbackSignal], clock: Clock, language: str) -> None:
    """Write down that these are off. The agent reads it before each event and request, and tells the server (ADR 13).

    What is off already gets the time of this: what was asked for before, and is turned on late, is told by that. Raises
    NotRecorded.
    """
    fault: errors.DiskFault | None = None
    for signal, consent in file.recorded().items():
        if signal in signals:
            try:
                file.write(_off(consent, clock, language))
            except errors.DiskFault as error:
                fault = error
    if fault is not None:
        raise NotRecorded(fault.detail) from fault


def _off(consent: Consent, clock: Clock, language: str) -> Consent:
    """The time is the act's to the microsecond, as two may follow each other closely; the agent dates the withdrawal."""
    off = consent
    if consent.receipt_id:
        off = rules.refuse(
            consent, notice_version=consent.notice_version, now=rules.LAST_TIME, language=language
        )
    return replace(off, time=clock.now(), company=consent.company)

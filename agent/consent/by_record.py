"""Turning off what an agent that runs does not turn off, as it does not answer: in the record, at which it looks."""

from __future__ import annotations

from collections.abc import Collection

from agent.consent.gate import ConsentGate
from agent.consent.record_file import ConsentFile
from agent.domain.model import ConsentState, FeedbackSignal
from agent.domain.ports import Clock


def given(file: ConsentFile, signals: Collection[FeedbackSignal]) -> list[FeedbackSignal]:
    """Which of these the record says to be given."""
    consents = file.read()
    return [signal for signal in signals if consents[signal].state is ConsentState.GIVEN]


def withdraw(file: ConsentFile, signals: Collection[FeedbackSignal], clock: Clock, language: str) -> None:
    """Write down that these are off. The agent reads it before each event and request, and tells the server (ADR 13).

    Raises NotRecorded.
    """
    ConsentGate(file, clock).choose(dict.fromkeys(signals, False), language)

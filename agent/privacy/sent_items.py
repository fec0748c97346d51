"""The lines of "What was sent about me": the sent log and what still waits, told one by one. Pure.

A message that was tried several times is one line. What the server erased since is told as deleted, where its kept
receipt proves it: what an answer says by itself counts for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from agent.domain.model import ConsentMessage, Event, FeedbackSignal
from agent.domain.msgspec_warmup import decode_json, resolve
from agent.domain.my_data_models import (
    ACKNOWLEDGEMENT,
    Comparison,
    Difference,
    Held,
    HeldSignal,
    SentItem,
    SentStatus,
)
from agent.protocol import codec
from agent.store.database import decoding
from agent.store.sent_messages import KeptDocument, SentMessage, SentPart
from agent.verification import receipts

_OUTCOMES = {
    "stored": SentStatus.STORED,
    "duplicate": SentStatus.STORED,
    "dropped_consent": SentStatus.DROPPED,
    "refused": SentStatus.REFUSED,
}
_ONE_BY_ONE = {codec.ME_PATH: "correction", codec.ENROLMENTS_PATH: "enrolment", codec.TOKEN_PATH: "key"}
_TAKEN = (200, 201, 204)
_IN_A_MESSAGE = 1_000
"""More than the parts that a message can have: a line's number is made of the message's and the part's."""


class _Confirmed(Struct, frozen=True):
    event_id: str
    campaign_id: str


class _Results(Struct, frozen=True):
    results: tuple[Raw, ...]


class Sent:
    """All that is known here. ``titles``: of the announcements, by campaign id; ``documents``: the kept receipts."""

    def __init__(
        self,
        messages: Sequence[SentMessage],
        parts: Sequence[SentPart],
        queued: Iterable[Event],
        owed: Iterable[ConsentMessage],
        confirmed: Iterable[tuple[str, bytes]],
        titles: Mapping[str, str],
        documents: Iterable[KeptDocument],
    ) -> None:
        self._messages = {message.message_id: message for message in messages}
        self._proven = {
            (kept.receipt_id, kept.status): kept.document for kept in documents if kept.genuine is True
        }
        """The receipts whose signature and content were right."""
        self._parts = parts
        self._queued = queued
        self._owed = owed
        self._confirmed = confirmed
        self._titles = titles
        self._withdrawn: dict[str, int] = {}
        """The last message for each signal with which the server deleted what it had."""

    def items(self) -> list[SentItem]:
        """Newest first; what was never sent yet comes before all."""
        whole = list(self._whole())
        events = list(self._events())
        waiting = list(self._waiting(whole, events))
        return waiting + sorted(whole + events, key=lambda item: item.number, reverse=True)

    def _whole(self) -> Iterator[SentItem]:
        """All but signals. Consents, withdrawals and confirmations are a line each, however often they were tried."""
        consents: dict[bytes, SentMessage] = {}
        acknowledged: dict[bytes, SentMessage] = {}
        for message in self._messages.values():
            if (kind := _ONE_BY_ONE.get(message.path)) is not None:
                yield self._one(message, kind)
            elif message.path == codec.ACKNOWLEDGEMENTS_PATH:
                known = acknowledged.get(message.body)
                if known is None or (known.answer is None and message.answer is not None):
                    acknowledged[message.body] = message
            elif message.path == codec.CONSENTS_PATH:
                known = consents.get(message.body)
                if known is None or (known.answer is None and message.answer is not None):
                    consents[message.body] = message
        for message in consents.values():
            yield self._consent(message)
        for message in acknowledged.values():
            yield self._acknowledgement(message)

    def _consent(self, message: SentMessage) -> SentItem:
        with decoding("message"):
            said = decode_json(message.body, ConsentMessage)
        status, erased = SentStatus.WAITING, 0
        if message.answer is not None:
            status = SentStatus.REFUSED
            if message.status == 200:
                status = SentStatus.STORED
                if said.status == "withdrawn":
                    status, erased = self._withdrawal(message, said)
        return self._item(message, said.status, said.signal.value, status, erased=erased)

    def _withdrawal(self, message: SentMessage, said: ConsentMessage) -> tuple[SentStatus, int]:
        """What became of it, and how many entries were erased. Without a right receipt it is owed still."""
        proof = self._proven.get((said.receipt_id, said.status))
        if proof is None:
            return SentStatus.WAITING, 0
        last = self._withdrawn.get(said.signal.value, 0)
        self._withdrawn[said.signal.value] = max(last, message.message_id)
        return SentStatus.ERASED, receipts.content(proof).erased

    def _acknowledgement(self, message: SentMessage) -> SentItem:
        with decoding("message"):
            said = decode_json(message.body, _Confirmed)
        status, reason = SentStatus.WAITING, ""
        if message.answer is not None and message.status == 200:
            answer = codec.decode_acknowledgement(message.answer)
            status, reason = _OUTCOMES[answer.status], answer.reason
        elif message.answer is not None:
            status = SentStatus.REFUSED
        item = self._item(message, ACKNOWLEDGEMENT, "", status)
        title = self._titles.get(said.campaign_id, "")
        return replace(item, campaign_id=said.campaign_id, title=title, reason=reason or item.reason)

    def _one(self, message: SentMessage, kind: str) -> SentItem:
        status = SentStatus.WAITING
        if message.answer is not None:
            status = SentStatus.STORED if message.status in _TAKEN else SentStatus.REFUSED
        return self._item(message, kind, "", status)

    def _item(
        self, message: SentMessage, kind: str, signal: str, status: SentStatus, *, erased: int = 0
    ) -> SentItem:
        reason = ""
        if status is SentStatus.REFUSED and message.answer is not None:
            problem = codec.decode_problem(message.answer)
            reason = problem.detail or problem.title
        return SentItem(
            message.message_id * _IN_A_MESSAGE,
            message.sent_at,
            kind,
            signal,
            "",
            "",
            message.body,
            status,
            message.answer,
            erased,
            reason,
        )

    def _events(self) -> Iterator[SentItem]:
        told: dict[str, tuple[int, SentPart]] = {}
        place: dict[int, int] = {}
        for part in self._parts:
            index = place.get(part.message_id, 0)
            place[part.message_id] = index + 1
            known = told.get(part.event_id)
            if known is None or (part.outcome and not known[1].outcome):
                told[part.event_id] = (index, part)
        answers: dict[int, list[bytes]] = {}
        for index, part in told.values():
            if part.message_id not in answers:
                answers[part.message_id] = _answers(self._messages.get(part.message_id))
            yield self._event(index, part, answers[part.message_id])

    def _event(self, index: int, part: SentPart, answers: Sequence[bytes]) -> SentItem:
        status = _OUTCOMES.get(part.outcome, SentStatus.WAITING)
        held = status in (SentStatus.STORED, SentStatus.WAITING)
        if held and self._withdrawn.get(part.signal, 0) > part.message_id:
            status = SentStatus.DELETED
        answer = answers[index] if index < len(answers) else None
        reason = ""
        if status is SentStatus.REFUSED and answer is not None:
            reason = decode_json(answer, codec.SignalResult).reason
        return SentItem(
            part.message_id * _IN_A_MESSAGE + index + 1,
            part.sent_at,
            part.signal,
            part.signal,
            part.campaign_id,
            self._titles.get(part.campaign_id, ""),
            part.body,
            status,
            answer,
            reason=reason,
        )

    def _waiting(self, whole: Sequence[SentItem], events: Sequence[SentItem]) -> Iterator[SentItem]:
        """What was made and never left yet. Its numbers are negative."""
        told = {item.body for item in (*whole, *events)}
        number = 0
        for message in self._owed:
            body = codec.encode_consent(message)
            if body not in told:
                number -= 1
                yield _unsent(number, message.status, message.signal, body)
        for campaign_id, body in self._confirmed:
            if body not in told:
                number -= 1
                title = self._titles.get(campaign_id, "")
                yield SentItem(
                    number, None, ACKNOWLEDGEMENT, "", campaign_id, title, body, SentStatus.WAITING
                )
        for event in self._queued:
            if event.body not in told:
                number -= 1
                title = self._titles.get(event.campaign_id, "")
                yield _unsent(number, event.signal.value, event.signal, event.body, event.campaign_id, title)


def compare(items: Sequence[SentItem], held: Held, ended: Collection[str]) -> Comparison:
    """What the server holds against what this computer sent, by event id and content.

    ``ended``: campaigns that may be closed, so that the server need not have their signals any more. What was not answered
    for may be there or not.
    """
    own = {}
    for item in items:
        if item.kind in tuple(FeedbackSignal) and item.status in (SentStatus.STORED, SentStatus.WAITING):
            with decoding("message"):
                event = decode_json(item.body, dict[str, Any])
            own[str(event["event_id"])] = (item, _comparable(event))
    agreed, differences = 0, []
    for row in held.signals:
        mine = own.pop(row.event_id, None)
        if mine is not None and mine[1] == _comparable(msgspec.structs.asdict(row)):
            agreed += 1
            continue
        differences.append(Difference("server", row.event_id, row.signal.value, row.campaign_id))
        if mine is not None:
            differences.append(_missing(row.event_id, mine[0]))
    places = {_place(row) for row in held.signals}
    for event_id, (item, told) in own.items():
        # The server keeps one row in each place: a later like, or the same act told by another computer, is enough.
        is_kept = item.campaign_id in ended or _place(told) in places
        if item.status is SentStatus.STORED and not is_kept:
            differences.append(_missing(event_id, item))
    same, others = _compare_acknowledgements(items, held)
    agreed += same
    differences += others
    return Comparison(agreed, tuple(differences))


def _compare_acknowledgements(items: Iterable[SentItem], held: Held) -> tuple[int, list[Difference]]:
    """By campaign: of several computers' the server keeps the first."""
    theirs = {row.campaign_id: row.event_id for row in held.acknowledgements}
    agreed, differences = 0, []
    for item in items:
        if item.kind != ACKNOWLEDGEMENT or item.status not in (SentStatus.STORED, SentStatus.WAITING):
            continue
        if theirs.pop(item.campaign_id, None) is not None:
            agreed += 1
        elif item.status is SentStatus.STORED:
            event_id = decode_json(item.body, _Confirmed).event_id
            differences.append(_missing(event_id, item))
    differences += [
        Difference("server", event_id, ACKNOWLEDGEMENT, campaign_id)
        for campaign_id, event_id in theirs.items()
    ]
    return agreed, differences


def _place(event: HeldSignal) -> tuple[str, ...]:
    """What the server keeps one row for (`docs/protocol`, Signals)."""
    if event.signal is FeedbackSignal.CLICK:
        return event.campaign_id, event.signal.value, event.link_id, event.date
    return event.campaign_id, event.signal.value


def _missing(event_id: str, item: SentItem) -> Difference:
    return Difference("computer", event_id, item.kind, item.campaign_id)


def _comparable(event: Mapping[str, Any]) -> HeldSignal:
    """What both sides keep of an event: no receipt, since no stored signal names its person."""
    return HeldSignal(
        str(event["event_id"]),
        str(event["campaign_id"]),
        FeedbackSignal(event["signal"]),
        str(event["date"]),
        event.get("link_id") or "",
        event.get("value"),
        event.get("seq"),
    )


def _unsent(
    number: int, kind: str, signal: FeedbackSignal, body: bytes, campaign_id: str = "", title: str = ""
) -> SentItem:
    return SentItem(number, None, kind, signal.value, campaign_id, title, body, SentStatus.WAITING)


def _answers(message: SentMessage | None) -> list[bytes]:
    """The answer for each part, its exact bytes; the whole answer for each where it is not such a list."""
    if message is None or message.answer is None:
        return []
    try:
        return [bytes(raw) for raw in decode_json(message.answer, _Results).results]
    except msgspec.DecodeError:
        return [message.answer] * _IN_A_MESSAGE


resolve(_Results, _Confirmed, ConsentMessage)

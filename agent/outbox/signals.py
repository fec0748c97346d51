"""The outbox: gate → queue → send → keep or drop.

An event is made only under a receipt in force and is on disk when ``make`` returns. It is sent only while that still
holds, as often as needed, and leaves the queue when the server has answered for it: the server counts an event id once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from agent.consent.choice_errors import ReceiptRefused
from agent.consent.gate import ConsentGate
from agent.domain import errors, limits
from agent.domain.model import ConsentMessage, Event, FeedbackSignal, is_trial_id
from agent.domain.ports import Clock, Transport
from agent.outbox.sent_log import SentLog
from agent.protocol import codec
from agent.store.event_queue import EventQueue
from agent.store.sent_messages import KeptDocument, MessageStore
from agent.transport import send_all
from agent.verification.receipt_checks import AnsweredConsent, CheckedReceipt, ReceiptChecker

log = logging.getLogger(__name__)


class Outbox:
    """The only way of signals and consents to the server: past the gate, one batch after the other."""

    def __init__(
        self,
        gate: ConsentGate,
        queue: EventQueue,
        sent_log: SentLog,
        messages: MessageStore,
        receipts: ReceiptChecker,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._queue = queue
        self._sent_log = sent_log
        self._messages = messages
        self._receipts = receipts
        self._clock = clock
        self._consent_changed = False
        self._confirmed = set[str]()
        """The receipts of which the server said in this process that they are in force."""

    def make(
        self,
        signal: FeedbackSignal,
        campaign_id: str,
        *,
        link_id: str | None = None,
        value: int | None = None,
        seq: int | None = None,
    ) -> bool:
        """Make an event if the gate allows it; it is durable when this returns True. Raises DiskFault.

        Of a test that somebody sent to themselves none is ever made.
        """
        if is_trial_id(campaign_id):
            return False
        with self._gate.holding(signal) as receipt_id:
            if receipt_id is None:
                return False
            event_id = str(uuid.uuid4())
            body = codec.encode_event(
                signal,
                event_id=event_id,
                campaign_id=campaign_id,
                day=self._clock.now().date(),
                receipt_id=receipt_id,
                link_id=link_id,
                value=value,
                seq=seq,
            )
            self._queue.append(Event(event_id, campaign_id, signal, body))
            return True

    def withdraw(self, signals: Iterable[FeedbackSignal]) -> None:
        """The gate is closed already: what waits for these signals is unlinked. Raises DiskFault when all was tried."""
        fault: errors.DiskFault | None = None
        for signal in signals:
            try:
                self._queue.destroy(signal)
            except errors.DiskFault as error:
                fault = error
        if fault is not None:
            raise fault

    def drop_ended(self) -> None:
        """What was made under a consent that ended is not sent under a later one. Raises DiskFault."""
        self.withdraw(self._gate.ended())

    def waiting(self) -> int:
        """Events and consent messages that the server has not answered."""
        return self._queue.count() + self._gate.owed()

    def announce_kept(self) -> None:
        """Record what the server has acknowledged, now that its receipt is on the disk."""
        for message in self._gate.answered():
            if not self._messages.holds_receipt(message.receipt_id, message.status):
                self._gate.announced(message)

    def confirm_again(self) -> None:
        """The server is another one, or the same one as it was some time ago: what it knows of consents is asked anew."""
        self._confirmed.clear()

    def consent_changed(self) -> bool:
        """Whether the server's answers have ended a consent since this was asked last."""
        changed, self._consent_changed = self._consent_changed, False
        return changed

    def send(self, transport: Transport) -> None:
        """Send all there is to send: consents first, then events.

        Raises as the transport does, ReceiptRefused and DiskFault; nothing is lost then, and one signal keeps back no other.
        """
        of_signals = [partial(self._send_all, signal) for signal in FeedbackSignal]
        send_all.all_of(transport, [self.send_consents, *of_signals])

    def _send_all(self, signal: FeedbackSignal, transport: Transport) -> None:
        answered = set[str]()
        while self._send_batch(transport, signal, limits.SIGNAL_BATCH_MAX, answered):
            pass

    def send_consents(self, transport: Transport) -> None:
        """The part of ``send`` that is allowed while all is off."""
        if self._gate.is_undated():
            # Else a consent would count less than a withdrawal that this person made before it.
            with suppress(errors.Refused, errors.NotOurServer, errors.ServerBusy, errors.ServerFault):
                transport.request("GET", codec.HEALTH_PATH, headers={}, max_bytes=limits.ANSWER_MAX_BYTES)
        self.announce_kept()
        while messages := self._gate.messages():
            answered: list[AnsweredConsent] = []
            try:
                for message in messages:
                    told = self._gate.as_told(message)
                    if document := self._tell(transport, message, told):
                        answered.append(AnsweredConsent(message, told.time, document))
            finally:
                if answered:
                    self._take(self._receipts.check(answered))

    def _tell(self, transport: Transport, message: ConsentMessage, told: ConsentMessage) -> str:
        """Returns the receipt, not looked at yet; none where the notice is not the present one."""
        withdrawal = message.status == "withdrawn"
        body = codec.encode_consent(told)
        try:
            _, answer = self._sent_log.send(
                transport,
                codec.CONSENTS_PATH,
                body,
                headers=codec.ANSWERING_RECEIPTS,
                must_leave=withdrawal,
            )
        except errors.NoticeChanged:
            if withdrawal:
                raise
            self._gate.notice_changed(message)
            self._ended()
            return ""
        return codec.decode_receipt(answer.body)

    def _take(self, receipts: Iterable[CheckedReceipt]) -> None:
        """Keep the receipts; those that prove something settle what they answer. Raises ReceiptRefused for the others.

        What is settled by a receipt that the disk did not take is told again after a restart: the server answers the same.
        """
        problems = []
        for each in receipts:
            kept = KeptDocument(
                each.receipt_id,
                each.status,
                each.message.signal.value,
                self._clock.now(),
                each.document,
                not each.problem,
            )
            is_kept = self._messages.keep_receipt(kept)
            if each.problem:
                problems.append(each.problem)
            elif each.ended:
                self._gate.ended_elsewhere(each.message)
                self._ended()
            else:
                self._gate.announced(each.message, is_kept=is_kept)
                self._confirmed.add(each.receipt_id)
        if problems:
            raise ReceiptRefused(", ".join(problems))

    def _ended(self) -> None:
        self._consent_changed = True
        self.drop_ended()

    def _send_batch(
        self, transport: Transport, signal: FeedbackSignal, count: int, answered: set[str]
    ) -> bool:
        """Send the oldest events of a signal. Returns whether to go on.

        ``answered``: those of this turn. One that is here again was put back, and to go on might be to do so for ever.
        """
        receipt_id, events = self._oldest(signal, count)
        if not events:
            return False
        if not answered.isdisjoint(event.event_id for event in events):
            log.warning("Events that the server answered are in the queue of %s again.", signal.value)
            return False
        strangers = [event.event_id for event in events if receipt_id.encode() not in event.body]
        if (
            strangers
        ):  # left by a disk that did not let go of them: they were made under a consent that has ended
            return self._remove(signal, strangers, answered)
        if not self._is_in_force(transport, signal, receipt_id):
            return False
        body, offsets = codec.encode_batch([event.body for event in events])
        try:
            message_id, answer = self._sent_log.send(
                transport,
                codec.SIGNALS_PATH,
                body,
                events,
                offsets,
                may_leave=lambda: self._gate.receipt(signal) == receipt_id,
            )
        except errors.NotUnderstood as error:
            return self._refused(transport, signal, events, error, answered)
        results = codec.decode_results(answer.body)
        if [result.event_id for result in results] != [event.event_id for event in events]:
            raise errors.NotOurServer("answers for other events than were sent")
        for result in results:
            if result.status == "refused":
                log.warning("The server refused a %s for good: %s", signal.value, result.reason)
        self._sent_log.outcomes(message_id, answer, {result.event_id: result.status for result in results})
        go_on = self._remove(signal, [event.event_id for event in events], answered)
        if any(result.status == "dropped_consent" for result in results) and self._gate.doubt(
            signal, receipt_id
        ):
            self._consent_changed = True
            self.withdraw([signal])
        return go_on

    def _oldest(self, signal: FeedbackSignal, count: int) -> tuple[str, list[Event]]:
        """The receipt in force and so many events; none where nothing may leave."""
        with self._gate.holding(signal) as receipt_id:
            if receipt_id is None or not self._gate.settled(signal):
                return "", []
            return receipt_id, self._queue.head(signal, count)

    def _is_in_force(self, transport: Transport, signal: FeedbackSignal, receipt_id: str) -> bool:
        """Whether the server knows of no withdrawal. Raises as the transport does, ReceiptRefused.

        A process begins with what the disk says, which a backup may have put back: the consent is told once more before
        the first signal leaves under it. The server answers with its receipt, or with that of the withdrawal.
        """
        if receipt_id in self._confirmed:
            return True
        message = self._gate.given(signal)
        if message is None or message.receipt_id != receipt_id:
            return False
        told = self._gate.as_told(message)
        if document := self._tell(transport, message, told):
            self._take(self._receipts.check([AnsweredConsent(message, told.time, document)]))
        return receipt_id in self._confirmed

    def _remove(self, signal: FeedbackSignal, event_ids: list[str], answered: set[str]) -> bool:
        """Returns whether they are gone: where they are not, to go on would be to send the same for ever."""
        answered.update(event_ids)
        if self._queue.remove(signal, event_ids):
            return True
        log.warning("None of %d events left the queue of %s; the rest waits.", len(event_ids), signal.value)
        return False

    def _refused(
        self,
        transport: Transport,
        signal: FeedbackSignal,
        events: list[Event],
        error: errors.Refused,
        answered: set[str],
    ) -> bool:
        """The whole batch was refused: find the events that are wrong by sending them one by one, and drop only those."""
        if len(events) > 1:
            return self._send_batch(transport, signal, 1, answered)
        log.error("The server does not understand a %s; it is dropped: %s", signal.value, error.detail)
        return self._remove(signal, [events[0].event_id], answered)

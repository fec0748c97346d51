"""The outbox: gate → queue → send → keep or drop.

An event is made only under a receipt in force and is on disk when ``make`` returns. It is sent only while that still
holds, as often as needed, and leaves the queue when the server has answered for it: the server counts an event id once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable

from agent import errors, policy, wire
from agent.consent import ConsentMessage
from agent.consent_gate import ConsentGate
from agent.ledger import Ledger
from agent.model import Event, Signal
from agent.ports import Clock, Transport
from agent.store.messages import MessageStore
from agent.store.queue import EventQueue

log = logging.getLogger(__name__)


class Outbox:
    def __init__(
        self, gate: ConsentGate, queue: EventQueue, ledger: Ledger, messages: MessageStore, clock: Clock
    ) -> None:
        self._gate = gate
        self._queue = queue
        self._ledger = ledger
        self._messages = messages
        self._clock = clock

    def make(
        self,
        signal: Signal,
        campaign_id: str,
        *,
        link_id: str | None = None,
        value: int | None = None,
        seq: int | None = None,
    ) -> bool:
        """Make an event if the gate allows it; it is durable when this returns True. Raises DiskFault."""
        with self._gate.holding(signal) as receipt_id:
            if receipt_id is None:
                return False
            event_id = str(uuid.uuid4())
            body = wire.encode_event(
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

    def withdraw(self, signals: Iterable[Signal]) -> None:
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

    def send(self, transport: Transport) -> bool:
        """Send all there is to send: consents first, then events. Raises as the transport does; nothing is lost then.

        Returns whether the server knows a newer notice than we.
        """
        outdated = self.send_consents(transport)
        for signal in Signal:
            while self._send_batch(transport, signal, policy.SIGNAL_BATCH_MAX):
                pass
        return outdated

    def send_consents(self, transport: Transport) -> bool:
        """The part of ``send`` that is allowed while all is off."""
        outdated = False
        while (message := self._gate.next_message()) is not None:
            outdated |= not self._send_consent(transport, message)
        return outdated

    def _send_consent(self, transport: Transport, message: ConsentMessage) -> bool:
        """Returns whether the notice that it names is still the present one."""
        try:
            _, answer = self._ledger.send(transport, wire.CONSENTS_PATH, wire.encode_consent(message))
        except errors.NoticeChanged:
            if message.status != "given":
                raise
            self._gate.notice_changed(message)
            self.drop_ended()
            return False
        receipt = wire.decode_receipt(answer.body)
        self._messages.keep_receipt(
            message.receipt_id, message.status, message.signal.value, self._clock.now(), receipt
        )
        self._gate.announced(message)
        return True

    def _send_batch(self, transport: Transport, signal: Signal, count: int) -> bool:
        """Send the oldest events of a signal. Returns whether any left the queue."""
        with self._gate.holding(signal) as receipt_id:
            if receipt_id is None or not self._gate.settled(signal):
                return False
            events = self._queue.head(signal, count)
        if not events:
            return False
        body, offsets = wire.encode_batch([event.body for event in events])
        try:
            message_id, answer = self._ledger.send(transport, wire.SIGNALS_PATH, body, events, offsets)
        except errors.NotUnderstood as error:
            return self._refused(transport, signal, events, error)
        results = wire.decode_results(answer.body)
        if [result.event_id for result in results] != [event.event_id for event in events]:
            raise errors.NotOurServer("answers for other events than were sent")
        for result in results:
            if result.status == "refused":
                log.warning("The server refused a %s for good: %s", signal.value, result.reason)
        self._ledger.outcomes(message_id, answer, {result.event_id: result.status for result in results})
        self._queue.remove(signal, [event.event_id for event in events])
        return True

    def _refused(
        self, transport: Transport, signal: Signal, events: list[Event], error: errors.Refused
    ) -> bool:
        """The whole batch was refused: find the events that are wrong by sending them one by one, and drop only those."""
        if len(events) > 1:
            return self._send_batch(transport, signal, 1)
        log.error("The server does not understand a %s; it is dropped: %s", signal.value, error.detail)
        self._queue.remove(signal, [events[0].event_id])
        return True

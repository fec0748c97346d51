"""The ledger: the exact bytes that left about the person, and what the server answered.

``send`` is the one way in which a message about the person leaves. It writes the bytes down and then sends those very
bytes, so that the ledger cannot differ from what was sent. A message that was cut off stays as "no answer yet".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent import errors, policy
from agent.model import Event
from agent.ports import Answer, Clock, Transport
from agent.store.messages import MessageStore


class Ledger:
    def __init__(self, store: MessageStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def send(
        self,
        transport: Transport,
        path: str,
        body: bytes,
        events: Sequence[Event] = (),
        offsets: Sequence[int] = (),
        *,
        method: str = "POST",
    ) -> tuple[int, Answer]:
        """Write down, then send. Returns the message's number in the ledger and the answer. Raises as the transport does."""
        message_id = self._store.begin(self._clock.now(), method, path, body, events, offsets)
        try:
            answer = transport.request(method, path, body=body, max_bytes=policy.ANSWER_MAX_BYTES)
        except errors.Refused as error:
            self._store.finish(message_id, _status(error), error.answer or error.detail.encode(), {})
            raise
        self._store.finish(message_id, answer.status, answer.body, {})
        return message_id, answer

    def outcomes(self, message_id: int, answer: Answer, outcomes: Mapping[str, str]) -> None:
        """What the server said of each event in a message."""
        self._store.finish(message_id, answer.status, answer.body, outcomes)


def _status(error: errors.Refused) -> int:
    first = error.detail.split(" ")[0]
    return int(first) if first.isdecimal() else 400

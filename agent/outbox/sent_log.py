"""The sent log: the exact bytes that left about the person, and what the server answered.

``send`` is the one way in which a message about the person leaves. It writes the bytes down and then sends those very
bytes, so that the sent log cannot differ from what was sent. A message that was cut off stays as "no answer yet". Only the
message that connects a computer is listed after it was sent, with its secrets blanked: before, there is nobody to list for.

A withdrawal leaves whatever the disk says: the sent log then holds it in memory, where the person sees it, until it can
be written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from agent.domain import errors, limits
from agent.domain.model import Event
from agent.domain.ports import Answer, Clock, Transport
from agent.store.sent_messages import MessageStore

log = logging.getLogger(__name__)


class SentLog:
    """Writes down each message byte for byte before it is sent, and the server's answer after it."""

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
        headers: Mapping[str, str] | None = None,
        must_leave: bool = False,
        may_leave: Callable[[], bool] = lambda: True,
    ) -> tuple[int, Answer]:
        """Write down, then send. Returns the message's number in the sent log and the answer.

        Raises as the transport does, and DiskFault where it could not be written down, unless it ``must_leave``.
        ``may_leave`` is asked last: Interrupted where it says no, and nothing was sent or written down then.
        """
        now = self._clock.now()
        try:
            message_id = self._store.begin(now, method, path, body, events, offsets)
        except errors.DiskFault as error:
            if not must_leave:
                raise
            log.warning("What is sent now is written down later: %s", error.detail)
            message_id = self._store.hold(now, method, path, body)
        if not may_leave():
            self._store.forget(message_id)
            raise errors.Interrupted("withdrawn before it left")
        try:
            answer = transport.request(
                method, path, body=body, headers=headers, max_bytes=limits.ANSWER_MAX_BYTES
            )
        except errors.Refused as error:
            self._store.finish(message_id, _status(error), error.answer or error.detail.encode(), {})
            raise
        self._store.finish(message_id, answer.status, answer.body, {})
        return message_id, answer

    def list_enrolment(self, path: str, body: bytes) -> None:
        """List a message that left before there was a company to list it for, its secrets blanked, as taken."""
        now = self._clock.now()
        try:
            message_id = self._store.begin(now, "POST", path, body, (), ())
            self._store.finish(message_id, 201, b"", {})
        except errors.DiskFault as error:
            log.warning("What was sent is written down later: %s", error.detail)
            self._store.finish(self._store.hold(now, "POST", path, body), 201, b"", {})

    def outcomes(self, message_id: int, answer: Answer, outcomes: Mapping[str, str]) -> None:
        """What the server said of each event in a message."""
        self._store.finish(message_id, answer.status, answer.body, outcomes)


def _status(error: errors.Refused) -> int:
    first = error.detail.split(" ")[0]
    return int(first) if first.isdecimal() else 400

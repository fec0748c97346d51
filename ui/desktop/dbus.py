"""Many questions to a D-Bus at once, with one time limit for all of them.

All are sent before the first answer is read: a service that hangs costs the limit once, and the others' answers count.
No service is started to be asked.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from jeepney import (
    DBusAddress,
    HeaderFields,
    MessageFlag,
    MessageType,
    Parser,
    message_bus,
    new_method_call,
)
from jeepney.bus import get_bus
from jeepney.io.blocking import prep_socket
from jeepney.low_level import Message

log = logging.getLogger(__name__)

Bus = Literal["SESSION", "SYSTEM"]
READ_BYTES = 16 * 1024
_HELLO_SERIAL, _FIRST_SERIAL = 1, 2

_FAULTS = (OSError, RuntimeError, ValueError, KeyError, TypeError)
"""What jeepney raises for a bus that is not there, that hangs (TimeoutError is an OSError), refuses us or writes nonsense."""


class Question(NamedTuple):
    """One method call.

    ``expects`` is the D-Bus signature of its first value, of a variant's content; anything else is taken for no answer.
    """

    address: DBusAddress
    member: str
    expects: str = "b"
    takes: str = ""
    body: tuple[Any, ...] = ()

    def message(self) -> Message:
        call = new_method_call(self.address, self.member, self.takes or None, self.body)
        call.header.flags |= MessageFlag.no_auto_start
        return call


def property_of(address: DBusAddress, name: str, expects: str = "b") -> Question:
    """The question for a property's value."""
    properties = DBusAddress(address.object_path, address.bus_name, "org.freedesktop.DBus.Properties")
    return Question(properties, "Get", expects, "ss", (address.interface, name))


def ask(questions: Mapping[Bus, Sequence[Question]], timeout_s: float) -> dict[Bus, list[Any]]:
    """For each question the first value of its answer (a variant's content), or None where none came in time.

    Args:
        questions: by the bus that they go to.
        timeout_s: for all answers together, in seconds. A bus that does not even let us in costs it once more.
    """
    deadline = time.monotonic() + timeout_s
    with ExitStack() as open_ones:
        conversations = {
            bus: open_ones.enter_context(_Conversation(bus, asked, timeout_s))
            for bus, asked in questions.items()
        }
        return {bus: conversation.answers(deadline) for bus, conversation in conversations.items()}


class _Conversation:
    """Questions under way on one bus; a context manager that lets go of the connection."""

    def __init__(self, bus: Bus, questions: Sequence[Question], timeout_s: float) -> None:
        self._questions = questions
        self._exit = ExitStack()
        self._socket: socket.socket | None = None
        try:
            self._socket = self._exit.enter_context(prep_socket(get_bus(bus), timeout=timeout_s))
            self._socket.settimeout(timeout_s)
            messages = [message_bus.Hello(), *(question.message() for question in questions)]
            sent = b"".join(each.serialise(serial) for serial, each in enumerate(messages, _HELLO_SERIAL))
            self._socket.sendall(sent)
        except _FAULTS as error:
            log.debug("The %s bus: %s", bus, error)
            self._exit.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def answers(self, deadline: float) -> list[Any]:
        """What came until the deadline of ``time.monotonic()``."""
        found: dict[int, Any] = {}
        serials = range(_FIRST_SERIAL, _FIRST_SERIAL + len(self._questions))
        awaited = set(serials)
        try:
            self._read(found, awaited, deadline)
        except _FAULTS as error:
            log.debug(
                "No answer to %s: %s",
                [self._questions[each - _FIRST_SERIAL].member for each in awaited],
                error,
            )
        return [found.get(serial) for serial in serials]

    def _read(self, found: dict[int, Any], awaited: set[int], deadline: float) -> None:
        """Takes out of ``awaited`` what came, and puts its value into ``found``."""
        if self._socket is None:
            return
        parser = Parser()
        while awaited:
            message = parser.get_next_message()
            if message is None:
                self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
                data = self._socket.recv(READ_BYTES)
                if not data:
                    raise ConnectionResetError("the bus closed the connection")
                parser.add_data(data)
                continue
            serial = message.header.fields.get(HeaderFields.reply_serial, 0)
            if serial in awaited:
                awaited.discard(serial)
                found[serial] = _first_value(message, self._questions[serial - _FIRST_SERIAL].expects)


def _first_value(message: Message, expects: str) -> Any:
    """None for an error and for a value of another kind."""
    if message.header.message_type is not MessageType.method_return or not message.body:
        return None
    signature, value = message.header.fields.get(HeaderFields.signature, ""), message.body[0]
    if signature.startswith("v"):
        signature, value = value
    return value if signature.startswith(expects) else None

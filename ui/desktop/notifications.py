"""Shows announcements as notifications of the desktop's own kind (``org.freedesktop.Notifications``), as a helper process.

One helper for each pop-up: orders on standard input, one JSON object a line; what became of the notification on standard
output. It ends with its input, so also when the agent dies, and takes the notification off the screen before it goes.

A server shows a notification where, when and for how long it likes, and tells nobody whether it could be seen. So nothing
here says *seen*. https://specifications.freedesktop.org/notification-spec/1.2/
"""

from __future__ import annotations

import html
import logging
import os
import selectors
import sys
from collections import deque
from typing import Any

import msgspec
from jeepney import DBusAddress, DBusErrorResponse, HeaderFields, MatchRule, message_bus, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.low_level import Message
from jeepney.wrappers import unwrap_msg

from agent.domain.msgspec_warmup import decode_json
from agent.system import log_setup
from ui.desktop.notification_messages import Notification, Outcome, Report, Weight

log = logging.getLogger(__name__)

SERVER = DBusAddress(
    "/org/freedesktop/Notifications",
    bus_name="org.freedesktop.Notifications",
    interface="org.freedesktop.Notifications",
)
ANSWER_TIMEOUT_S = 5.0
WRONG_USAGE = 2
READ_BYTES = 64 * 1024
_DISMISSED, _CLOSED_BY_US = 2, 3
"""Reasons of ``NotificationClosed``."""
_NO_BUS = (OSError, KeyError, RuntimeError, ValueError)
"""What jeepney raises for a bus that is not there (no address is a KeyError), that hangs or refuses us."""

_URGENCIES = {Weight.NORMAL: 1, Weight.CRITICAL: 2}
"""As the Desktop Notifications Specification numbers them; 0 is low."""


def run() -> int:
    """Obey the agent until it goes. Returns the exit code."""
    log_setup.set_up("warning", None)
    try:
        notifier = Notifier(open_dbus_connection("SESSION"))
    except _NO_BUS as error:
        log.info("No session bus: %s", error)
        _tell(Report(Outcome.UNAVAILABLE, str(error)))
        return 0
    with notifier.connection:
        try:
            return notifier.serve()
        except msgspec.DecodeError as error:
            log.error("No order that can be understood: %s", error)
            return WRONG_USAGE
        except _NO_BUS as error:
            log.info("The session bus has gone: %s", error)
            _tell(Report(Outcome.EXPIRED, str(error)))
            return 0


class Notifier:
    """One notification at a time on one bus."""

    def __init__(self, connection: DBusConnection) -> None:
        self.connection = connection
        self._id = 0
        self._token = ""
        self._signals: deque[Message] = deque()
        connection.filter(MatchRule(type="signal"), queue=self._signals)

    def serve(self) -> int:
        """Until standard input ends."""
        for rule in (
            MatchRule(type="signal", interface=SERVER.interface, path=SERVER.object_path),
            _owner_changes(),
        ):
            unwrap_msg(
                self.connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=ANSWER_TIMEOUT_S)
            )
        with selectors.DefaultSelector() as selector:
            selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
            selector.register(self.connection.sock, selectors.EVENT_READ)
            unread = b""
            while True:
                # First: a signal that came with an answer is here already, and no socket tells of it.
                self._hear()
                ready = {key.fd for key, _events in selector.select()}
                if sys.stdin.fileno() not in ready:
                    continue
                data = os.read(sys.stdin.fileno(), READ_BYTES)
                if not data:
                    self._close()
                    return 0
                *lines, unread = (unread + data).split(b"\n")
                for line in lines:
                    self._show(decode_json(line, Notification))

    def _show(self, notification: Notification) -> None:
        try:
            (capabilities,) = self._ask("GetCapabilities")
            body = (*_described(notification, frozenset(capabilities)), notification.timeout_ms)
            (self._id,) = self._ask("Notify", "susssasa{sv}i", ("Tidings", self._id, "tidings", *body))
        except (DBusErrorResponse, TimeoutError) as error:
            log.info("No notification server: %s", error)
            _tell(Report(Outcome.UNAVAILABLE, str(error)))
        else:
            _tell(Report(Outcome.SHOWN))

    def _close(self) -> None:
        if self._id:
            message = new_method_call(SERVER, "CloseNotification", "u", (self._id,))
            self.connection.send(message)

    def _hear(self) -> None:
        """Take in all signals that are there."""
        self._read()
        while self._signals:
            message = self._signals.popleft()
            fields = message.header.fields
            member = fields.get(HeaderFields.member)
            if member == "NameOwnerChanged" and not message.body[2]:
                self._gone(Outcome.EXPIRED)
            elif not message.body or message.body[0] != self._id:
                continue
            elif member == "ActivationToken":
                self._token = message.body[1]
            elif member == "ActionInvoked":
                _tell(Report(Outcome.ACTION, message.body[1], self._token))
                # Servers say next that it closed: that is no answer to what comes in its place.
                self._close()
                self._id, self._token = 0, ""
            elif member == "NotificationClosed" and message.body[1] != _CLOSED_BY_US:
                self._gone(Outcome.DISMISSED if message.body[1] == _DISMISSED else Outcome.EXPIRED)

    def _read(self) -> None:
        try:
            while True:
                self.connection.recv_messages(timeout=0)
        except TimeoutError:
            return

    def _gone(self, outcome: Outcome) -> None:
        if self._id:
            self._id, self._token = 0, ""
            _tell(Report(outcome))

    def _ask(self, member: str, signature: str = "", body: tuple[Any, ...] = ()) -> tuple[Any, ...]:
        """Raises DBusErrorResponse where nobody answers to the server's name, TimeoutError where it hangs."""
        message = new_method_call(SERVER, member, signature or None, body)
        answer: tuple[Any, ...] = unwrap_msg(
            self.connection.send_and_get_reply(message, timeout=ANSWER_TIMEOUT_S)
        )
        return answer


def _described(notification: Notification, capabilities: frozenset[str]) -> tuple[Any, ...]:
    """Summary, body, actions and hints for a server that can do so much."""
    text = notification.body if "body" in capabilities else ""
    if "body-markup" in capabilities:
        text = html.escape(text, quote=False)
    actions = [word for pair in notification.actions for word in pair] if "actions" in capabilities else []
    hints = {
        "urgency": ("y", _URGENCIES[notification.weight]),
        "desktop-entry": ("s", "tidings"),
        "suppress-sound": ("b", True),
    }
    return notification.title, text, actions, hints


def _owner_changes() -> MatchRule:
    rule = MatchRule(
        type="signal",
        sender="org.freedesktop.DBus",
        interface="org.freedesktop.DBus",
        member="NameOwnerChanged",
    )
    rule.add_arg_condition(0, str(SERVER.bus_name))
    return rule


def _tell(report: Report) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()

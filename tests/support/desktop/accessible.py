"""What a screen reader finds on a desktop: widgets by role and name, with their place on the screen.

Speaks AT-SPI over D-Bus (the protocol of Orca and other assistive programs), so whatever is found here is
there for them too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jeepney import (
    DBusAddress,
    DBusErrorResponse,
    HeaderFields,
    MatchRule,
    Properties,
    message_bus,
    new_method_call,
)
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import unwrap_msg

from tests.support.desktop.screen import Box
from tests.support.desktop.session_bus import SessionBus
from tests.support.waiting import PATIENCE_S, OverdueError, until

ACCESSIBLE = "org.a11y.atspi.Accessible"
COMPONENT = "org.a11y.atspi.Component"
TEXT = "org.a11y.atspi.Text"
LAUNCHER = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
REGISTRY = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
REGISTRY_EVENTS = DBusAddress(
    "/org/a11y/atspi/registry", "org.a11y.atspi.Registry", "org.a11y.atspi.Registry"
)
FOCUS = MatchRule(type="signal", interface="org.a11y.atspi.Event.Object", member="StateChanged")
SCREEN_COORDINATES = 0
DEEPEST = 40
ANSWER_WITHIN_S = 5.0
"""Of one call. A program answers none about a widget that it has just taken away, and is asked anew from the top."""
# Bits of AtspiStateType.
STATES = {"checked": 4, "enabled": 8, "focusable": 11, "focused": 12, "showing": 25, "visible": 30}

Reference = tuple[str, str]
"""Bus name and object path of a widget."""


@dataclass(frozen=True)
class Widget:
    """A widget as assistive programs get it. `box` is its place on the screen in pixels."""

    reference: Reference
    role: str
    name: str
    description: str
    states: frozenset[str]
    box: Box
    depth: int

    @property
    def centre(self) -> tuple[int, int]:
        """The pixel in its middle."""
        left, top, right, bottom = self.box
        return (left + right) // 2, (top + bottom) // 2


class Accessibility:
    """The widgets of all programs on a desktop.

    Args:
        bus: the desktop's session bus, with `org.a11y.Bus` startable on it.
    """

    def __init__(self, bus: SessionBus) -> None:
        (self._address,) = bus.call(LAUNCHER, "GetAddress")

    def widgets(self) -> list[Widget]:
        """Every widget that shows now, each program's in the order of its tree."""
        with open_dbus_connection(bus=self._address) as connection:
            return list(self._below(connection, REGISTRY, 0))

    def find(self, name: str = "", role: str = "", within: str = "") -> list[Widget]:
        """Widgets whose whole name and role match these expressions.

        Args:
            name: expression for the name.
            role: expression for the role, as `push button`, `check box`, `label`.
            within: expression for the name of the window or other widget that it must be inside of.
        """
        found: list[Widget] = []
        inside_depth: int | None = None if within else -1
        for widget in self.widgets():
            if within and inside_depth is not None and widget.depth <= inside_depth:
                inside_depth = None
            if within and inside_depth is None and re.fullmatch(within, widget.name):
                inside_depth = widget.depth
            matches = re.fullmatch(name or ".*", widget.name, re.DOTALL) and re.fullmatch(
                role or ".*", widget.role
            )
            if matches and inside_depth is not None:
                found.append(widget)
        return found

    def wait_for(
        self, name: str = "", role: str = "", within: str = "", seconds: float = PATIENCE_S
    ) -> Widget:
        """The first such widget, once there is one."""
        awaited = f"a {role or 'widget'} named {name!r}{f' in {within!r}' if within else ''}"
        try:
            return until(lambda: self.find(name, role, within), awaited, seconds, every=0.2)[0]
        except OverdueError as error:
            raise OverdueError(f"{error}; there is:\n{self.outline()}") from None

    def focused_while(self, press: Callable[[], None]) -> list[Reference]:
        """Which widgets got the keyboard while somebody pressed keys, in order; `press` ends when the keys have come in."""
        with (
            open_dbus_connection(bus=self._address) as connection,
            connection.filter(FOCUS, bufsize=1_000) as heard,
        ):
            for call in (
                message_bus.AddMatch(FOCUS),
                new_method_call(REGISTRY_EVENTS, "RegisterEvent", "s", ("object:state-changed:focused",)),
            ):
                unwrap_msg(connection.send_and_get_reply(call, timeout=PATIENCE_S))
            press()
            (programs,) = self._call(connection, REGISTRY, ACCESSIBLE, "GetChildren")
            for each in programs:  # its answer comes after all that it said before
                self._call(connection, each, ACCESSIBLE, "GetChildren", seconds=PATIENCE_S)
            return [
                (each.header.fields[HeaderFields.sender], each.header.fields[HeaderFields.path])
                for each in heard
                if each.body[0] == "focused" and each.body[1]
            ]

    def outline(self) -> str:
        """All widgets as an indented list, for messages."""
        return "\n".join(f"{'  ' * w.depth}{w.role} {w.name!r} {w.box}" for w in self.widgets())

    def text(self, widget: Widget) -> str:
        """The text in an editor or a label."""
        with open_dbus_connection(bus=self._address) as connection:
            (text,) = self._call(connection, widget.reference, TEXT, "GetText", "ii", (0, -1))
        return str(text)

    def _below(self, connection: DBusConnection, reference: Reference, depth: int) -> Iterator[Widget]:
        try:
            (children,) = self._call(connection, reference, ACCESSIBLE, "GetChildren")
        except (DBusErrorResponse, TimeoutError):  # it went away, or its program is busy or ended
            return
        for child in children:
            widget = self._widget(connection, child, depth) if depth else None
            if widget is not None and "showing" in widget.states:
                yield widget
            if depth < DEEPEST and (depth == 0 or widget is not None):
                yield from self._below(connection, child, depth + 1)

    def _widget(self, connection: DBusConnection, reference: Reference, depth: int) -> Widget | None:
        """What a program tells of a widget; None if it went away meanwhile."""
        try:
            name = self._property(connection, reference, "Name")
            description = self._property(connection, reference, "Description")
            (role,) = self._call(connection, reference, ACCESSIBLE, "GetRoleName")
            ((low, high),) = self._call(connection, reference, ACCESSIBLE, "GetState")
            bits = low | high << 32
            states = frozenset(state for state, bit in STATES.items() if bits >> bit & 1)
            ((x, y, width, height),) = self._call(
                connection, reference, COMPONENT, "GetExtents", "u", (SCREEN_COORDINATES,)
            )
        except (DBusErrorResponse, TimeoutError):
            return None
        return Widget(reference, role, name, description, states, (x, y, x + width, y + height), depth)

    def _call(
        self,
        connection: DBusConnection,
        reference: Reference,
        interface: str,
        method: str,
        signature: str = "",
        body: tuple[Any, ...] = (),
        seconds: float = ANSWER_WITHIN_S,
    ) -> Any:
        address = DBusAddress(reference[1], reference[0], interface)
        message = new_method_call(address, method, signature or None, body)
        return unwrap_msg(connection.send_and_get_reply(message, timeout=seconds))

    def _property(self, connection: DBusConnection, reference: Reference, name: str) -> str:
        address = DBusAddress(reference[1], reference[0], ACCESSIBLE)
        answer = connection.send_and_get_reply(Properties(address).get(name), timeout=ANSWER_WITHIN_S)
        return str(unwrap_msg(answer)[0][1])

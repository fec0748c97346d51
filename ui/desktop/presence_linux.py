"""Presence on Linux, asked of whatever runs: logind, the screen savers, the notification service, the window manager.

Sources: org.freedesktop.login1.Session.LockedHint (systemd), org.freedesktop.ScreenSaver.GetActive and its relatives of
GNOME, Xfce, MATE and Cinnamon; org.freedesktop.Notifications.Inhibited (KDE), Xfce's and GNOME's settings; EWMH.
Nothing is started to be asked.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Any

from jeepney import DBusAddress, DBusErrorResponse, MessageFlag, Properties, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.low_level import Message
from jeepney.wrappers import unwrap_msg

from agent.model import PresenceState, Tristate
from ui.desktop.full_screen_x11 import active_window_is_full_screen

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 0.5

SESSION = DBusAddress(
    "/org/freedesktop/login1/session/auto", "org.freedesktop.login1", "org.freedesktop.login1.Session"
)
SCREEN_SAVERS = (
    DBusAddress("/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver", "org.freedesktop.ScreenSaver"),
    DBusAddress("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver", "org.gnome.ScreenSaver"),
    DBusAddress("/org/xfce/ScreenSaver", "org.xfce.ScreenSaver", "org.xfce.ScreenSaver"),
    DBusAddress("/org/mate/ScreenSaver", "org.mate.ScreenSaver", "org.mate.ScreenSaver"),
    DBusAddress("/org/cinnamon/ScreenSaver", "org.cinnamon.ScreenSaver", "org.cinnamon.ScreenSaver"),
)
NOTIFICATIONS = DBusAddress(
    "/org/freedesktop/Notifications", "org.freedesktop.Notifications", "org.freedesktop.Notifications"
)
XFCONF = DBusAddress("/org/xfce/Xfconf", "org.xfce.Xfconf", "org.xfce.Xfconf")

_ABSENT = (OSError, DBusErrorResponse, TimeoutError, ValueError, KeyError)
"""What asking somebody who is not there, or who does not know the question, raises."""


class LinuxPresence:
    """Asks anew each time; opens and closes its connections, so that nothing stays in memory."""

    def current(self) -> PresenceState:
        locked: list[Tristate] = [_logind_locked()]
        quiet: list[Tristate] = []
        with suppress(*_ABSENT), closing(open_dbus_connection("SESSION")) as session:
            locked += [_yes_no(_method(session, saver, "GetActive")) for saver in SCREEN_SAVERS]
            quiet += [_property(session, NOTIFICATIONS, "Inhibited"), _xfce_do_not_disturb(session)]
        quiet.append(_gnome_do_not_disturb())
        return PresenceState(_any(locked), active_window_is_full_screen(), _any(quiet))


def _any(answers: Iterable[Tristate]) -> Tristate:
    """Yes if anybody says yes, else no if anybody says no, else unknown."""
    known = set(answers)
    return next((each for each in (Tristate.YES, Tristate.NO) if each in known), Tristate.UNKNOWN)


def _yes_no(value: object) -> Tristate:
    if isinstance(value, bool):
        return Tristate.YES if value else Tristate.NO
    return Tristate.UNKNOWN


def _logind_locked() -> Tristate:
    try:
        with closing(open_dbus_connection("SYSTEM")) as system:
            return _property(system, SESSION, "LockedHint")
    except _ABSENT:
        return Tristate.UNKNOWN


def _property(connection: DBusConnection, address: DBusAddress, name: str) -> Tristate:
    answer = _ask(connection, Properties(address).get(name))
    return _yes_no(answer[1]) if isinstance(answer, tuple) else Tristate.UNKNOWN


def _method(
    connection: DBusConnection,
    address: DBusAddress,
    name: str,
    signature: str | None = None,
    body: tuple[Any, ...] = (),
) -> object:
    return _ask(connection, new_method_call(address, name, signature, body))


def _ask(connection: DBusConnection, message: Message) -> object:
    """The first value of the answer, None where there is none. Starts no service to get one."""
    message.header.flags |= MessageFlag.no_auto_start
    try:
        values = unwrap_msg(connection.send_and_get_reply(message, timeout=ANSWER_TIMEOUT_S))
    except _ABSENT as error:
        log.debug("No answer: %s", error)
        return None
    return values[0] if values else None


def _xfce_do_not_disturb(session: DBusConnection) -> Tristate:
    answer = _method(session, XFCONF, "GetProperty", "ss", ("xfce4-notifyd", "/do-not-disturb"))
    return _yes_no(answer[1]) if isinstance(answer, tuple) else Tristate.UNKNOWN


def _gnome_do_not_disturb() -> Tristate:
    tool = shutil.which("gsettings") if "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "") else None
    if tool is None:
        return Tristate.UNKNOWN
    command = [tool, "get", "org.gnome.desktop.notifications", "show-banners"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("gsettings: %s", error)
        return Tristate.UNKNOWN
    return {"true": Tristate.NO, "false": Tristate.YES}.get(done.stdout.strip(), Tristate.UNKNOWN)

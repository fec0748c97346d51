"""Presence on Linux, asked of whatever runs: logind, the desktops' services on D-Bus, the X server.

Sources: org.freedesktop.login1 (LockedHint, Active, IdleHint, ListInhibitors; systemd), org.freedesktop.ScreenSaver.GetActive
and its relatives of GNOME, Xfce, MATE and Cinnamon, org.freedesktop.Notifications.Inhibited (KDE), ``paused`` of dunst,
GetDnd of SwayNotificationCenter, mako's mode "do-not-disturb", Xfce's settings over org.xfce.Xfconf, GNOME's, MATE's and
Cinnamon's by gsettings, org.gnome.Mutter.IdleMonitor. GetSessionIdleTime is not asked: GNOME's relatives answer in
seconds, KDE in milliseconds, on Wayland with 0.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jeepney import DBusAddress

from agent.domain import limits
from agent.domain.model import PresenceState, Tristate
from ui.desktop import dbus
from ui.desktop.dbus import Bus, Question, property_of
from ui.desktop.presence import inhibitors, sway, x11
from ui.desktop.presence.gsettings import gsettings_do_not_disturb
from ui.desktop.presence.x11 import Screen

ANSWER_TIMEOUT_S = 0.4
"""For all that is asked of the buses at once. On a healthy desktop the answers take a few milliseconds."""


def _address(name: str, path: str = "", interface: str = "") -> DBusAddress:
    return DBusAddress(path or f"/{name.replace('.', '/')}", name, interface or name)


SESSION = _address(
    "org.freedesktop.login1", "/org/freedesktop/login1/session/auto", "org.freedesktop.login1.Session"
)
SCREEN_SAVERS = [
    _address(f"org.{desktop}.ScreenSaver") for desktop in ("freedesktop", "gnome", "xfce", "mate", "cinnamon")
]
NOTIFICATIONS = _address("org.freedesktop.Notifications")
DUNST = _address(NOTIFICATIONS.bus_name, NOTIFICATIONS.object_path, "org.dunstproject.cmd0")
MAKO = _address(NOTIFICATIONS.bus_name, "/fr/emersion/Mako", "fr.emersion.Mako")
SWAYNC = _address("org.erikreider.swaync", "/org/erikreider/swaync/cc", "org.erikreider.swaync.cc")
XFCONF = _address("org.xfce.Xfconf")
MUTTER = _address(
    "org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "org.gnome.Mutter.IdleMonitor"
)

Reading = Callable[[Any], Tristate]
Ask = Callable[[Mapping[Bus, Sequence[Question]], float], Mapping[Bus, list[Any]]]


class _Asked(NamedTuple):
    """One question about one field, and what its answer says of it. No answer is never read."""

    field: str
    question: Question
    read: Reading


def _yes_no(value: bool) -> Tristate:
    return Tristate.YES if value else Tristate.NO


def _only(wanted: bool, meaning: Tristate) -> Reading:
    """For what tells one thing and keeps silent of the other."""
    return lambda value: meaning if value is wanted else Tristate.UNKNOWN


def _mako(modes: list[str]) -> Tristate:
    return _yes_no("do-not-disturb" in modes)


_ON_THE_SESSION_BUS = [
    *(_Asked("locked", Question(saver, "GetActive"), _yes_no) for saver in SCREEN_SAVERS),
    _Asked("do_not_disturb", property_of(NOTIFICATIONS, "Inhibited"), _yes_no),
    _Asked("do_not_disturb", property_of(DUNST, "paused"), _yes_no),
    _Asked("do_not_disturb", Question(MAKO, "ListModes", "as"), _mako),
    _Asked("do_not_disturb", Question(SWAYNC, "GetDnd"), _yes_no),
    _Asked(
        "do_not_disturb",
        Question(XFCONF, "GetProperty", "b", "ss", ("xfce4-notifyd", "/do-not-disturb")),
        _yes_no,
    ),
    _Asked(
        "presenting",
        Question(
            XFCONF,
            "GetProperty",
            "b",
            "ss",
            ("xfce4-power-manager", "/xfce4-power-manager/presentation-mode"),
        ),
        _yes_no,
    ),
]
_ON_THE_SYSTEM_BUS = [
    _Asked("locked", property_of(SESSION, "LockedHint"), _yes_no),
    # Another person was switched to: nobody sees this session.
    _Asked("locked", property_of(SESSION, "Active"), _only(False, Tristate.YES)),
    _Asked("presenting", inhibitors.LOGIND_QUESTION, lambda value: inhibitors.of_logind(value, os.getuid())),
]
_IDLE_HINT = [property_of(SESSION, "IdleHint"), property_of(SESSION, "IdleSinceHintMonotonic", "t")]
_MUTTER_IDLE = Question(MUTTER, "GetIdletime", "t")


class LinuxPresence:
    """Asks anew each time and keeps no connection, so that nothing stays in memory.

    Args:
        idle_after_s: without input for so many seconds, the person is away.
        look: at the screen; None asks the X server or sway.
        ask: the buses.
    """

    def __init__(
        self,
        idle_after_s: float = limits.IDLE_AFTER_S,
        look: Callable[[], Screen] | None = None,
        ask: Ask = dbus.ask,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle_after_ms = idle_after_s * 1000
        self._look = look or _look
        self._ask = ask
        self._monotonic = monotonic

    def current(self) -> PresenceState:
        answers = _Answers(self._ask)
        screen = self._look()
        return PresenceState(
            locked=_any([*answers.of("locked"), screen.locked]),
            full_screen=screen.full_screen,
            do_not_disturb=_any([*answers.of("do_not_disturb"), gsettings_do_not_disturb()]),
            presenting=_any(answers.of("presenting")),
            # Before a blanked screen nobody can look, however short a time ago they typed.
            idle=Tristate.YES
            if screen.is_blanked
            else self._idle([screen.idle_ms, answers.mutter_idle_ms], answers.idle_since_us),
        )

    def _idle(self, measured_ms: Iterable[int | None], idle_since_us: int | None) -> Tristate:
        """By the last input, where something measures it; else logind's hint, which says when somebody is idle only."""
        known = [each for each in measured_ms if each is not None]
        if known:
            return _yes_no(min(known) >= self._idle_after_ms)
        if idle_since_us is None:
            return Tristate.UNKNOWN
        return _yes_no(self._monotonic() * 1000 - idle_since_us / 1000 >= self._idle_after_ms)


class _Answers:
    """What the buses answered."""

    def __init__(self, ask: Ask) -> None:
        self._found: list[tuple[str, Tristate]] = []
        of_session = [*inhibitors.GNOME_QUESTIONS, *inhibitors.KDE_QUESTIONS, _MUTTER_IDLE]
        asked: dict[Bus, list[Question]] = {
            "SESSION": [*(each.question for each in _ON_THE_SESSION_BUS), *of_session],
            "SYSTEM": [*(each.question for each in _ON_THE_SYSTEM_BUS), *_IDLE_HINT],
        }
        found = ask(asked, ANSWER_TIMEOUT_S)
        on_session, on_system = found["SESSION"], found["SYSTEM"]
        self._read(_ON_THE_SESSION_BUS, on_session)
        self._read(_ON_THE_SYSTEM_BUS, on_system)
        *_, gnome_inhibited, gnome_paths, kde_inhibited, kde_listed, self.mutter_idle_ms = on_session
        idle, since_us = on_system[-len(_IDLE_HINT) :]
        self.idle_since_us: int | None = since_us if idle is True else None
        self._found.append(("presenting", inhibitors.of_kde(kde_inhibited, kde_listed)))
        self._found.append(("presenting", _gnome_presenting(ask, gnome_inhibited, gnome_paths)))

    def of(self, field: str) -> list[Tristate]:
        return [answer for of_field, answer in self._found if of_field == field]

    def _read(self, asked: list[_Asked], answers: list[Any]) -> None:
        for each, answer in zip(asked, answers, strict=False):
            if answer is not None:
                self._found.append((each.field, each.read(answer)))


def _look() -> Screen:
    on_sway = sway.full_screen()
    return x11.look() if on_sway is Tristate.UNKNOWN else Screen(full_screen=on_sway)


def _gnome_presenting(ask: Ask, inhibited: bool | None, paths: list[str] | None) -> Tristate:
    if inhibited is None:
        return Tristate.UNKNOWN
    if not inhibited or not paths:
        return _yes_no(inhibited)
    questions = [question for path in paths for question in inhibitors.gnome_details(path)]
    return inhibitors.of_gnome(ask({"SESSION": questions}, ANSWER_TIMEOUT_S)["SESSION"])


def _any(answers: Iterable[Tristate]) -> Tristate:
    """Yes if anybody says yes, else no if anybody says no, else unknown."""
    known = set(answers)
    return next((each for each in (Tristate.YES, Tristate.NO) if each in known), Tristate.UNKNOWN)

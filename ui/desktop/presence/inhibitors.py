"""Who asked the desktop to keep the screen on: presentations, videos, calls (docs/adr/0009).

Only what keeps the *display* from its rest counts: logind's "idle", GNOME's flag 8, KDE's type 4. What keeps only the
computer from sleeping (org.freedesktop.PowerManagement.Inhibit, "sleep", GNOME's flag 4) is what music and downloads ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from jeepney import DBusAddress

from agent.domain.model import Tristate
from ui.desktop.dbus import Question

GNOME_IDLE = 8
"""GSM_INHIBITOR_FLAG_IDLE of org.gnome.SessionManager."""
KDE_SCREEN = 4
"""PowerDevil's PolicyAgent::ChangeScreenSettings."""

KEEPS_AWAKE = ("caffeine", "stay awake", "keep awake", "keepawake")
"""Tools that people leave on all day say nothing of a presentation."""
ONLY_SOUND = ("audio", "music")
"""What Chromium ("Playing audio") and Firefox ("audio-playing") say while nothing is to be seen."""

LOGIND = DBusAddress("/org/freedesktop/login1", "org.freedesktop.login1", "org.freedesktop.login1.Manager")
GNOME = DBusAddress("/org/gnome/SessionManager", "org.gnome.SessionManager", "org.gnome.SessionManager")
KDE = DBusAddress(
    "/org/kde/Solid/PowerManagement/PolicyAgent",
    "org.kde.Solid.PowerManagement.PolicyAgent",
    "org.kde.Solid.PowerManagement.PolicyAgent",
)


class Inhibitor(NamedTuple):
    """A program that keeps the screen awake, and the reason that it gave."""

    who: str
    why: str

    @property
    def to_be_watched(self) -> bool:
        """Whether somebody probably looks at what it shows."""
        words = f"{self.who} {self.why}".lower()
        return not any(word in words for word in (*KEEPS_AWAKE, *ONLY_SOUND))


def of_logind(answer: list[tuple[str, str, str, str, int, int]], own_user: int) -> Tristate:
    """From Manager.ListInhibitors: (what, who, why, mode, user, process) of each."""
    return _watched(
        Inhibitor(who, why)
        for what, who, why, mode, user, _process in answer
        if "idle" in what.split(":") and mode == "block" and user == own_user
    )


def of_kde(screen_stays_on: bool | None, listed: list[tuple[str, str]] | None) -> Tristate:
    """From PolicyAgent.HasInhibition(4) and ListInhibitions, which names all, of any type. None is no answer."""
    if screen_stays_on is None:
        return Tristate.UNKNOWN
    if not screen_stays_on or not listed:
        return Tristate.YES if screen_stays_on else Tristate.NO
    return _watched(Inhibitor(who, why) for who, why in listed)


def gnome_details(path: str) -> list[Question]:
    """What to ask of one of GNOME's inhibitors, for ``of_gnome``."""
    address = DBusAddress(path, GNOME.bus_name, "org.gnome.SessionManager.Inhibitor")
    kinds = {"GetAppId": "s", "GetReason": "s", "GetFlags": "u"}
    return [Question(address, member, kind) for member, kind in kinds.items()]


def of_gnome(answers: list[Any]) -> Tristate:
    """From the answers of all inhibitors, three each. One that has just gone answers nothing."""
    threes = zip(answers[0::3], answers[1::3], answers[2::3], strict=True)
    return _watched(
        Inhibitor(str(who), str(why))
        for who, why, flags in threes
        if flags is not None and flags & GNOME_IDLE
    )


def _watched(inhibitors: Iterable[Inhibitor]) -> Tristate:
    return Tristate.YES if any(each.to_be_watched for each in inhibitors) else Tristate.NO


LOGIND_QUESTION = Question(LOGIND, "ListInhibitors", "a(ssssuu)")
GNOME_QUESTIONS = (
    Question(GNOME, "IsInhibited", "b", "u", (GNOME_IDLE,)),
    Question(GNOME, "GetInhibitors", "ao"),
)
KDE_QUESTIONS = (
    Question(KDE, "HasInhibition", "b", "u", (KDE_SCREEN,)),
    Question(KDE, "ListInhibitions", "a(ss)"),
)

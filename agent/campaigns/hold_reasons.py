"""Why a campaign is not on the screen now, and when it will be: one sentence for people for each reason. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from agent.domain.model import HoldReason
from resources.i18n import _

_FOREVER = frozenset(
    {
        HoldReason.EXPIRED,
        HoldReason.RECALLED,
        HoldReason.NOT_LISTED,
        HoldReason.SILENT,
        HoldReason.ALREADY_DISPLAYED,
    }
)
"""A campaign with one of these does not pop up by itself any more."""

_WHENEVER: Mapping[HoldReason, Callable[[], str]] = {
    HoldReason.NOT_STARTED: lambda: _("Held: it has not begun yet"),
    HoldReason.EXPIRED: lambda: _("It has ended"),
    HoldReason.RECALLED: lambda: _("Your company took it back"),
    HoldReason.NOT_LISTED: lambda: _("It is not addressed to you any more"),
    HoldReason.SILENT: lambda: _("It comes to the inbox only, without a pop-up"),
    HoldReason.ALREADY_DISPLAYED: lambda: _("It does not pop up again: it was displayed, or you read it"),
    HoldReason.REMIND_LATER: lambda: _("Comes back at the next login, as you asked"),
    HoldReason.PAUSED: lambda: _("Held: you paused pop-ups"),
    HoldReason.SCREEN_LOCKED: lambda: _("Waits until the screen is unlocked"),
    HoldReason.DO_NOT_DISTURB: lambda: _("Waits while do not disturb is on"),
    HoldReason.QUIET_HOURS: lambda: _("Held: quiet hours"),
    HoldReason.TOO_MANY: lambda: _("Held: as many pop-ups as you want for now have been displayed"),
    HoldReason.TOO_SOON: lambda: _("Held: it is too soon after the last pop-up"),
    HoldReason.FULL_SCREEN: lambda: _("Waits while a program fills the screen"),
    HoldReason.PRESENTING: lambda: _("Waits until your presentation or call is over"),
    HoldReason.AWAY: lambda: _("Waits until somebody is at the keyboard"),
    HoldReason.MEDIA_MISSING: lambda: _("Waits for its picture or video"),
}
_UNTIL: Mapping[HoldReason, Callable[[], str]] = {
    HoldReason.NOT_STARTED: lambda: _("Held until {time}: it has not begun yet"),
    HoldReason.REMIND_LATER: lambda: _("Comes back at {time}, as you asked"),
    HoldReason.PAUSED: lambda: _("Held until {time}: you paused pop-ups"),
    HoldReason.QUIET_HOURS: lambda: _("Held until {time}: quiet hours"),
    HoldReason.TOO_MANY: lambda: _(
        "Held until {time}: as many pop-ups as you want for now have been displayed"
    ),
    HoldReason.TOO_SOON: lambda: _("Held until {time}: it is too soon after the last pop-up"),
    HoldReason.MEDIA_MISSING: lambda: _("Waits for its picture or video, until {time} at most"),
}


def waits(reason: HoldReason) -> bool:
    """Whether the campaign still comes, once the reason has gone."""
    return reason not in _FOREVER


def sentence(reason: HoldReason, until: str = "") -> str:
    """In the language in use, without a full stop. ``until``: when the reason ends, as text; empty where nobody knows."""
    if until and reason in _UNTIL:
        return _UNTIL[reason]().format(time=until)
    return _WHENEVER[reason]()


def clock_text(
    moment: datetime, now: datetime, day: Callable[[datetime], str] = lambda local: f"{local:%Y-%m-%d}"
) -> str:
    """A time for a sentence, local: 14:00 today, else with the day, in the words of ``day``."""
    local = moment.astimezone()
    time = f"{local:%H:%M}"
    days = (local.date() - now.astimezone().date()).days
    if days == 0:
        return time
    if days == 1:
        return _("{time} tomorrow").format(time=time)
    return _("{time} on {day}").format(time=time, day=day(local))

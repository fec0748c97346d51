"""When a normal pop-up may disturb: quiet hours, and how many in a while. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo

from agent import policy
from agent.model import HoldReason
from agent.preferences import Day, Preferences, time_of_day

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_DAYS = tuple(Day)


def quiet_until(now: datetime, preferences: Preferences, zone: tzinfo | None = None) -> datetime | None:
    """When the quiet hours end that hold now; None outside of them. ``zone``: the person's, None for the computer's."""
    if not preferences.quiet_hours:
        return None
    local = now.astimezone(zone)
    begin, end = time_of_day(preferences.quiet_from), time_of_day(preferences.quiet_to)
    today, yesterday = _DAYS[local.weekday()], _DAYS[(local - _DAY).weekday()]
    past_midnight = end <= begin
    since_today = today in preferences.quiet_days and begin <= local.time()
    if since_today and past_midnight:
        return _at(local + _DAY, preferences.quiet_to, zone)
    since_yesterday = past_midnight and yesterday in preferences.quiet_days
    if (since_today or since_yesterday) and local.time() < end:
        return _at(local, preferences.quiet_to, zone)
    return None


def _at(day: datetime, moment: str, zone: tzinfo | None) -> datetime:
    """A local time of a day, by the clock that holds then (daylight saving time may begin or end before it)."""
    wanted = datetime.combine(day.date(), time_of_day(moment), tzinfo=zone)
    return wanted.astimezone(day.tzinfo)


def limited_until(
    now: datetime, displayed: Iterable[datetime], preferences: Preferences, planned: int = 0
) -> tuple[HoldReason, datetime] | None:
    """Why no further pop-up is due, and until when; None when one is.

    ``displayed``: when the others appeared. ``planned``: how many are about to appear now, as pages of one with this.
    """
    found: list[tuple[HoldReason, datetime]] = []
    popups = [now] * planned + _popups(moment for moment in displayed if moment <= now)
    for limit, span in ((preferences.popups_per_hour, _HOUR), (preferences.popups_per_day, _DAY)):
        within = [moment for moment in popups if now - span < moment]
        if limit and len(within) >= limit:
            found.append((HoldReason.TOO_MANY, within[limit - 1] + span))
    gap = timedelta(minutes=preferences.minutes_between)
    if popups and not planned and now < popups[0] + gap:
        found.append((HoldReason.TOO_SOON, popups[0] + gap))
    return max(found, key=lambda each: each[1], default=None)


def _popups(displayed: Iterable[datetime]) -> list[datetime]:
    """When pop-ups appeared, newest first. What a digest names was displayed all at once: that is one."""
    found: list[datetime] = []
    for moment in sorted(displayed):
        if not found or found[-1] + timedelta(seconds=policy.SAME_POPUP_S) < moment:
            found.append(moment)
    return found[::-1]

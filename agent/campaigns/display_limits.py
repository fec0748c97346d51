"""When a normal pop-up may disturb: quiet hours, and how many in a while. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo

from agent.domain import limits
from agent.domain.model import HoldReason
from agent.domain.preferences import Day, Preferences, time_of_day

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_DAYS = tuple(Day)


def quiet_until(now: datetime, preferences: Preferences, zone: tzinfo | None = None) -> datetime | None:
    """When the quiet hours end that hold now; None outside of them. ``zone``: the person's, None for the computer's."""
    if not preferences.quiet_hours:
        return None
    today = now.astimezone(zone).date()
    days_long = 1 if time_of_day(preferences.quiet_to) <= time_of_day(preferences.quiet_from) else 0
    for day in (today - _DAY, today):
        begin = _at(day, preferences.quiet_from, zone)
        end = _at(day + days_long * _DAY, preferences.quiet_to, zone)
        if _DAYS[day.weekday()] in preferences.quiet_days and begin <= now < end:
            return end
    return None


def _at(day: date, moment: str, zone: tzinfo | None) -> datetime:
    """A local time of a day, in UTC.

    As in calendars (RFC 5545 section 3.3.5), one that a change of the clock skips lies as far after the hour before, and of
    one that comes twice the first counts.
    """
    return datetime.combine(day, time_of_day(moment), tzinfo=zone).astimezone(UTC)


def is_plausible_future(now: datetime, moment: datetime) -> bool:
    """Whether a moment that the person asked for is still to come, rather than left behind by a clock that was wrong."""
    return now < moment <= now + timedelta(seconds=limits.ASKED_FOR_AT_MOST_S)


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
        if not found or found[-1] + timedelta(seconds=limits.SAME_POPUP_S) < moment:
            found.append(moment)
    return found[::-1]

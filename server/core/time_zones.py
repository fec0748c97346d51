"""Time zones by their names in the IANA database, as the machine has them: `Europe/Paris`, or `UTC`."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.utils.translation import gettext as _

PLAIN = "UTC"


class Skipped(Exception):
    """A time that the zone's clocks never show, because they are put forward."""


def checked(name: str) -> str:
    """The name. Raises `ValueError` for one that is unknown here, or of no place: `CET` has no summer in some of them."""
    if name == PLAIN or ("/" in name and name in available_timezones()):
        return name
    raise ValueError(_("no such time zone is known here; write UTC, or an area and a city: Europe/Paris"))


def zone_named(name: str) -> tzinfo:
    """The zone; UTC where the machine does not have it any more, which whatever shows a time then says."""
    if name == PLAIN:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def name_of(zone: tzinfo) -> str:
    """As people read it beside a field: `Europe/Paris`."""
    return zone.key if isinstance(zone, ZoneInfo) and zone.key else PLAIN


def short_name(moment: datetime) -> str:
    """As people read it beside a time, with summer and winter apart: `CET`, `CEST`, `UTC+05`."""
    name = moment.tzname() or PLAIN
    return f"{PLAIN}{name}" if name[0] in "+-" else name


def in_zone(clock_time: datetime, zone: tzinfo) -> datetime:
    """The moment at which the zone's clocks show this; the first of two where they are put back.

    Raises `Skipped`.
    """
    moment = clock_time.replace(tzinfo=zone, fold=0)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != clock_time:
        raise Skipped
    return moment

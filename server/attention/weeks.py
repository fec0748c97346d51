"""Weeks by the company's clock, from Monday to Sunday."""

from datetime import UTC, date, datetime, time, timedelta

from server.core import time_zones
from server.directory.models import Company

DAY = timedelta(days=1)
WEEK = 7 * DAY


def monday_of(company: Company, moment: datetime) -> date:
    """The Monday of the week in which the moment lies."""
    day = moment.astimezone(time_zones.zone_named(company.time_zone)).date()
    return day - timedelta(days=day.weekday())


def begins(company: Company, day: date) -> datetime:
    """When the day begins there."""
    zone = time_zones.zone_named(company.time_zone)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)

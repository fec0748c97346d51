"""How pages write and read times: by the company's clock, which `middleware.time_zone` makes the current one."""

from datetime import date, datetime, tzinfo

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from server.core import clock, time_zones
from server.directory.models import Company


def zone_of(company: Company) -> tzinfo:
    """The zone in which the company's people think."""
    return time_zones.zone_named(company.time_zone)


def in_zone(value: datetime, company: Company) -> datetime:
    """The same time, as a clock on the company's wall shows it."""
    return value.astimezone(zone_of(company))


def local_moment(text: str, company: Company) -> datetime | None:
    """The time that somebody wrote by the company's clock; None where it is none, or not of this century.

    Where clocks are put back, a time comes twice: the first is meant. Raises `time_zones.Skipped` for one that never comes.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 2000 <= moment.year <= 2100:
        return None
    return moment if moment.tzinfo else time_zones.in_zone(moment, zone_of(company))


def day_text(value: date) -> str:
    """A day, with the year where it is not this one."""
    shown = localtime(value) if isinstance(value, datetime) else value
    this_year = localtime(clock.now()).year
    # Translators: how a day is written this year, and in another one; see Django's date formats.
    return date_format(shown, _("D j M") if shown.year == this_year else _("j M Y"))


def moment_text(value: datetime) -> str:
    """A day and a time, with the zone."""
    local = localtime(value)
    return _("{day}, {time} {zone}").format(
        day=day_text(value), time=date_format(local, "H:i"), zone=time_zones.short_name(local)
    )

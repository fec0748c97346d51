"""How pages write and read times: in UTC, until companies say their zone."""

from datetime import UTC, datetime, tzinfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from server.core import clock
from server.directory.models import Company


def zone_of(_company: Company) -> tzinfo:
    """The zone in which the company's people think."""
    return UTC


def in_zone(value: datetime, company: Company) -> datetime:
    """The same time, as a clock on the company's wall shows it."""
    return value.astimezone(zone_of(company))


def local_moment(text: str, company: Company) -> datetime | None:
    """The time that somebody wrote by the company's clock; None where it is none, or not of this century."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 2000 <= moment.year <= 2100:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone_of(company))


def day_text(value: datetime) -> str:
    """A day, with the year where it is not this one."""
    # Translators: how a day is written this year, and in another one; see Django's date formats.
    return date_format(value, _("D j M") if value.year == clock.now().year else _("j M Y"))


def moment_text(value: datetime) -> str:
    """A day and a time, with the zone."""
    return _("{day}, {time} UTC").format(day=day_text(value), time=date_format(value, "H:i"))

"""How pages write times: in UTC, until companies say their zone."""

from datetime import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from server.core import clock


def day_text(value: datetime) -> str:
    """A day, with the year where it is not this one."""
    # Translators: how a day is written this year, and in another one; see Django's date formats.
    return date_format(value, _("D j M") if value.year == clock.now().year else _("j M Y"))


def moment_text(value: datetime) -> str:
    """A day and a time, with the zone."""
    return _("{day}, {time} UTC").format(day=day_text(value), time=date_format(value, "H:i"))

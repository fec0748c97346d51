"""The values of preferences in words."""

from __future__ import annotations

from collections.abc import Sequence

from agent.domain.preferences import TEXT_SIZES, Appearance, Corner, Day, Language, Screen
from resources.i18n import _, ngettext

HOUR_LIMITS = (0, 1, 2, 4, 6, 12, 20)
DAY_LIMITS = (0, 3, 5, 10, 20, 50)
GAPS = (0, 1, 5, 15, 30, 60)

Options = list[tuple[object, str]]


def times() -> Options:
    """Every half hour of the day."""
    moments = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]
    return [(moment, moment) for moment in moments]


def days() -> dict[Day, tuple[str, str]]:
    """Short and whole names."""
    return {
        Day.MONDAY: (_("Mon"), _("Monday")),
        Day.TUESDAY: (_("Tue"), _("Tuesday")),
        Day.WEDNESDAY: (_("Wed"), _("Wednesday")),
        Day.THURSDAY: (_("Thu"), _("Thursday")),
        Day.FRIDAY: (_("Fri"), _("Friday")),
        Day.SATURDAY: (_("Sat"), _("Saturday")),
        Day.SUNDAY: (_("Sun"), _("Sunday")),
    }


def limits(counts: Sequence[int]) -> Options:
    """At most so many; 0 is no limit."""
    return [(count, str(count) if count else _("No limit")) for count in counts]


def gaps() -> Options:
    """Minutes between two pop-ups."""
    return [(minutes, gap(minutes)) for minutes in GAPS]


def gap(minutes: int) -> str:
    """A pause between two pop-ups, given in minutes."""
    if not minutes:
        return _("None")
    return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)


def corners() -> Options:
    """Where on the screen."""
    return [
        (Corner.BOTTOM_RIGHT, _("Bottom right")),
        (Corner.BOTTOM_LEFT, _("Bottom left")),
        (Corner.TOP_RIGHT, _("Top right")),
        (Corner.TOP_LEFT, _("Top left")),
    ]


def screens() -> Options:
    """Which of several screens."""
    return [(Screen.ACTIVE, _("The one I am looking at")), (Screen.PRIMARY, _("The main screen"))]


def languages() -> Options:
    """Each in itself, so that it is found whatever is shown now."""
    return [
        (Language.SYSTEM, _("As the system")),
        (Language.ENGLISH, "English"),
        (Language.FRENCH, "Français"),
    ]


def appearances() -> Options:
    """Colours of the windows."""
    return [
        (Appearance.SYSTEM, _("As the system")),
        (Appearance.LIGHT, _("Light")),
        (Appearance.DARK, _("Dark")),
        (Appearance.HIGH_CONTRAST, _("High contrast")),
    ]


def text_sizes() -> Options:
    """Percent of the desktop's size of text."""
    return [(size, _("{percent} %").format(percent=size)) for size in TEXT_SIZES]

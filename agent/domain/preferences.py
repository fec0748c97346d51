"""What a person sets about pop-ups and windows: typed, validated, and only on this computer. Pure.

An organisation can fix some of them by the device policy file; what it fixes is shown as such and cannot be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields, replace

from agent.domain.msgspec_warmup import decode_json, resolve

TimeOfDay = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""``HH:MM``, 24 hours, in the person's time zone."""


class Day(StrEnum):
    """In the order of ``datetime.weekday``."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Corner(StrEnum):
    """Where on the screen a pop-up comes."""

    BOTTOM_RIGHT = "bottom_right"
    BOTTOM_LEFT = "bottom_left"
    TOP_RIGHT = "top_right"
    TOP_LEFT = "top_left"


class Screen(StrEnum):
    """Which of several screens a pop-up comes on."""

    ACTIVE = "active"
    """The one that the person is looking at."""
    PRIMARY = "primary"


class Language(StrEnum):
    """The language of texts and windows."""

    SYSTEM = "system"
    ENGLISH = "en"
    FRENCH = "fr"


class Appearance(StrEnum):
    """Which colours windows have."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"
    HIGH_CONTRAST = "high_contrast"


TEXT_SIZES = (100, 125, 150, 200)
"""In percent of the system's (WCAG 2.2, success criterion 1.4.4 asks for 200 %)."""


class Preferences(Struct, frozen=True, forbid_unknown_fields=True):
    """Quiet hours begin on ``quiet_days`` at ``quiet_from``, and may end on the next day. A limit of 0 is none."""

    quiet_hours: bool = False
    quiet_from: TimeOfDay = "19:00"
    quiet_to: TimeOfDay = "08:00"
    quiet_days: tuple[Day, ...] = tuple(Day)
    popups_per_hour: Annotated[int, Meta(ge=0, le=60)] = 12
    popups_per_day: Annotated[int, Meta(ge=0, le=500)] = 0
    minutes_between: Annotated[int, Meta(ge=0, le=240)] = 0
    """The least time between two pop-ups, in minutes."""
    corner: Corner = Corner.BOTTOM_RIGHT
    screen: Screen = Screen.ACTIVE
    sound: bool = False
    language: Language = Language.SYSTEM
    appearance: Appearance = Appearance.SYSTEM
    text_size: Annotated[int, Meta(ge=100, le=200)] = 100


NAMES = frozenset(field.name for field in fields(Preferences))

DEFAULTS = Preferences()


def decode(text: str | None) -> Preferences:
    """What was kept. What is missing, unknown or damaged is as it was at first."""
    try:
        values = decode_json(text or "{}", object)
    except msgspec.DecodeError:
        return DEFAULTS
    if not isinstance(values, dict):
        return DEFAULTS
    kept = DEFAULTS
    for name in NAMES & values.keys():
        try:
            kept = with_values(kept, {name: values[name]})
        except msgspec.ValidationError:
            continue
    return kept


def encode(preferences: Preferences) -> str:
    """As the store keeps them: JSON."""
    return msgspec.json.encode(preferences).decode()


def with_values(preferences: Preferences, values: Mapping[str, Any]) -> Preferences:
    """The same with other values, given as plain data. Raises msgspec.ValidationError."""
    plain = msgspec.to_builtins(preferences) | values
    changed = msgspec.convert(plain, type=Preferences)
    if changed.text_size not in TEXT_SIZES:
        raise msgspec.ValidationError(f"text_size must be one of {TEXT_SIZES}")
    return changed


def locked(preferences: Preferences, fixed: Preferences, names: frozenset[str]) -> Preferences:
    """The same, with what an organisation fixed."""
    return replace(preferences, **{name: getattr(fixed, name) for name in names})


def time_of_day(text: TimeOfDay) -> time:
    """A preference's time (`HH:MM`) as a value. Raises ValueError."""
    return time.fromisoformat(text)


resolve(Preferences)

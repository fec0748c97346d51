"""What the agent and its notification helper say to each other: one JSON object a line."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Weight(StrEnum):
    """The specification's urgency levels, but for “low”."""

    NORMAL = "normal"
    CRITICAL = "critical"


class Notification(Struct, frozen=True, forbid_unknown_fields=True):
    """What to show, in place of what this helper shows now. All texts are plain.

    ``actions`` are keys and their words; a click on the notification itself is ``default``. ``timeout_ms`` 0 is for ever.
    """

    title: str
    body: str = ""
    actions: tuple[tuple[str, str], ...] = ()
    weight: Weight = Weight.NORMAL
    timeout_ms: int = -1


class Outcome(StrEnum):
    """What became of a notification."""

    SHOWN = "shown"
    """The server has it. Whether anybody could look at it, it does not tell."""
    ACTION = "action"
    """The person chose one; ``detail`` is its key."""
    DISMISSED = "dismissed"
    """The person closed it."""
    EXPIRED = "expired"
    """It went by itself, or with its server."""
    UNAVAILABLE = "unavailable"
    """Nobody shows notifications on this desktop."""


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a notification. ``token`` lets the window that is opened now come to the front (xdg-activation)."""

    outcome: Outcome
    detail: str = ""
    token: str = ""

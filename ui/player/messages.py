"""What the agent and its player say to each other: one JSON object a line, over the player's standard input and output."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec import Struct

MAX_LINE_BYTES = 64 * 1024


class CaptionFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A verified WebVTT file on this computer."""

    language: str
    label: str
    path: str


class PlayRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The one request. Paths are absolute and of verified files on this computer; never an address."""

    title: str
    video: str
    poster: str = ""
    captions: tuple[CaptionFile, ...] = ()
    language: str = "en"
    accent: str = ""
    high_contrast: bool = False
    liked: bool = False


class Event(StrEnum):
    READY = "ready"
    """The window is open."""
    FIRST_FRAME = "first_frame"
    """The first picture of the video is on the screen."""
    STARTED = "started"
    """The video runs for the first time."""
    ENDED = "ended"
    LIKED = "liked"
    UNLIKED = "unliked"
    FAILED = "failed"
    """It cannot be played; ``detail`` is for the log."""
    CLOSED = "closed"


class PlayerEvent(Struct, frozen=True, forbid_unknown_fields=True):
    event: Event
    detail: str = ""


def line(message: PlayRequest | PlayerEvent) -> bytes:
    """A message as it is sent."""
    return msgspec.json.encode(message) + b"\n"


def read_request(text: bytes) -> PlayRequest:
    """Raises msgspec.ValidationError, msgspec.DecodeError."""
    return msgspec.json.decode(text, type=PlayRequest)


def read_event(text: bytes) -> PlayerEvent:
    """Raises msgspec.ValidationError, msgspec.DecodeError."""
    return msgspec.json.decode(text, type=PlayerEvent)

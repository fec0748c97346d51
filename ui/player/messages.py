"""What the agent and its player say to each other: one JSON object a line, over the player's standard input and output."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agent.domain.model import Sha256
from agent.domain.msgspec_warmup import decode_json, resolve

MAX_LINE_BYTES = 256 * 1024


class Look(Struct, frozen=True, forbid_unknown_fields=True, tag="look"):
    """How the person's windows look now. The first line of all; again whenever it changes."""

    language: str = "en"
    scheme: str = "dark"
    accent: str = ""
    text_scale: Annotated[float, Meta(ge=1.0, le=2.0)] = 1.0
    reduced_motion: bool = False


class CaptionFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A verified WebVTT file on this computer."""

    language: str
    label: str
    path: str


class LinkButton(Struct, frozen=True, forbid_unknown_fields=True):
    """A link by its id and words, and the host that it leads to, for people to read. To open it is the agent's business."""

    link_id: str
    label: str
    destination: str = ""


class Problem(StrEnum):
    """Why a video is not played."""

    MISSING = "missing"
    """Its file is not there."""
    DAMAGED = "damaged"
    """The file is not the signed one, or no video."""
    UNSUPPORTED = "unsupported"
    """No frame came out of it."""
    CRASHED = "crashed"
    """The player before this one ended in the middle."""


class PlayRequest(Struct, frozen=True, forbid_unknown_fields=True, tag="play"):
    """Open the window. Once. Paths are absolute, of files on this computer, and as ``named``; never an address.

    With ``problem`` nothing is decoded: the window says what happened.
    """

    title: str
    video: str
    sha256: Sha256
    poster: str = ""
    captions: tuple[CaptionFile, ...] = ()
    captions_language: str | None = None
    """What the person chose in an earlier video; empty for none, None where they never chose."""
    width: int = 16
    height: int = 9
    duration_ms: int = 0
    sender: str = ""
    body: str = ""
    links: tuple[LinkButton, ...] = ()
    liked: bool = False
    share_line: str = ""
    problem: Problem | None = None


class Told(Struct, frozen=True, forbid_unknown_fields=True, tag="told"):
    """What the agent knows of the announcement changed while its window is open."""

    liked: bool
    share_line: str


Order = Look | PlayRequest | Told


class Event(StrEnum):
    """What the player tells the agent."""

    READY = "ready"
    """The window is open."""
    FIRST_FRAME = "first_frame"
    """The first picture of the video is on the screen."""
    STARTED = "started"
    """The video runs for the first time."""
    ENDED = "ended"
    LIKED = "liked"
    UNLIKED = "unliked"
    CAPTIONS = "captions"
    """The person chose captions: ``detail`` is their language, empty for none."""
    FOLLOWED = "followed"
    """The person wants to open a link: ``detail`` is its id."""
    CHANGE = "change"
    """The person wants to change what is shared."""
    FAILED = "failed"
    """It cannot be played; ``detail`` is a ``Problem`` and, for the log, what is known of it."""
    CLOSED = "closed"


class PlayerEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """One line from the player's process to the agent."""

    event: Event
    detail: str = ""


def named(path: Path) -> str:
    """A path as it is sent: its bytes as characters, since a name need not be UTF-8 and JSON is."""
    return os.fsencode(path.absolute()).decode("latin-1")


def path_of(name: str) -> Path:
    """The path that was named so. Raises ValueError for what names none."""
    return Path(os.fsdecode(name.encode("latin-1")))


def line(message: Order | PlayerEvent) -> bytes:
    """A message as it is sent."""
    return msgspec.json.encode(message) + b"\n"


def read_order(text: bytes) -> Order:
    """Raises msgspec.DecodeError."""
    order: Order = decode_json(text, Order)
    return order


def read_event(text: bytes) -> PlayerEvent:
    """Raises msgspec.DecodeError."""
    return decode_json(text, PlayerEvent)


resolve(Look, PlayRequest, Told, PlayerEvent)

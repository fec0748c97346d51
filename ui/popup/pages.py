"""What a pop-up shows, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.domain.model import Urgency
from ui.style import text_format
from ui.widgets.acknowledge import ReadRequest


@dataclass(frozen=True)
class PopupLink:
    """``destination``: the host that it leads to, as people read it."""

    link_id: str
    label: str
    destination: str


@dataclass(frozen=True)
class DigestLine:
    """One announcement that a digest names. ``facts``: from whom, and when."""

    campaign_id: str
    title: str
    facts: str


@dataclass(frozen=True)
class PopupPage:
    """One announcement on the card. All texts are plain and in the person's language.

    ``picture`` is a picture's or a video poster's file, ``logo`` the company's, None while there is none. ``duration_ms`` is
    the video's length, None without a video that can be played; ``note`` says why not. ``position`` counts from 1.
    ``acknowledge`` is what the company asks beyond reading, None if nothing; ``ends`` when it is over. ``is_trial``: the
    person sent it to themselves. ``campaign_id`` is empty for a digest.
    """

    title: str
    body: str
    company: str
    sender: str
    urgency: Urgency
    received: str
    share_line: str
    picture: Path | None = None
    has_picture: bool = False
    picture_alt: str = ""
    duration_ms: int | None = None
    has_captions: bool = False
    logo: Path | None = None
    note: str = ""
    links: tuple[PopupLink, ...] = ()
    liked: bool = False
    position: int = 1
    count: int = 1
    digest: tuple[DigestLine, ...] = ()
    acknowledge: ReadRequest | None = None
    is_trial: bool = False
    ends: datetime | None = None
    campaign_id: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What a press on this page is about: with another key the page is another one."""
        return self.campaign_id, self.title, self.body, self.links, self.digest, self.has_video

    @property
    def marked_title(self) -> str:
        """For where there is no room for the mark of a test."""
        return text_format.titled(self.title, is_trial=self.is_trial)

    @property
    def has_video(self) -> bool:
        return self.duration_ms is not None

    @property
    def can_like(self) -> bool:
        """Hearts are for videos."""
        return self.has_video

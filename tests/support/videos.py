"""Short videos with real H.264, drawn when they are wanted, and an agent that has nothing but them."""

import hashlib
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from PIL import Image

from agent.domain.model import (
    Campaign,
    CampaignState,
    CampaignStatus,
    InboxItem,
    Interaction,
    SignalChoice,
    Urgency,
    Variant,
    Video,
)
from resources.sample.drawing import gradient
from resources.sample.make_media import FRAMES_PER_SECOND, encode

WIDTH, HEIGHT = 320, 180
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def make_video(
    path: Path, seconds: float, width: int = WIDTH, height: int = HEIGHT, shift: float = 0.0
) -> Path:
    """Write a moving gradient with a soft chord."""

    def frames() -> Iterator[Image.Image]:
        for number in range(max(round(seconds * FRAMES_PER_SECOND), 1)):
            yield gradient(width, height, shift=shift + number / FRAMES_PER_SECOND)

    return encode(path, frames(), "libx264", {"preset": "ultrafast"})


def campaign(file: Path, number: int, seconds: float) -> Campaign:
    """An announcement with this video."""
    video = Video(sha256_of(file), file.stat().st_size, "video/mp4", WIDTH, HEIGHT, round(seconds * 1000))
    variants = {"en": Variant(f"Video {number}", video=video)}
    ends = NOW + timedelta(days=7)
    return Campaign(
        f"c-{number}", 1, CampaignStatus.LIVE, "Internal news", Urgency.NORMAL, NOW, ends, "en", variants
    )


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


class VideoAgent:
    """What ``Playback`` asks of the agent. ``recorded`` is called with each interaction."""

    def __init__(self, videos: list[Path], seconds: float, recorded: Callable[[Interaction], None]) -> None:
        self._files = {sha256_of(file): file for file in videos}
        self._items = [
            InboxItem(campaign(file, number, seconds), CampaignState(received=NOW))
            for number, file in enumerate(videos)
        ]
        self._recorded = recorded

    def inbox(self, *, newest: int | None = None, only: Collection[str] | None = None) -> list[InboxItem]:
        return [item for item in self._items if only is None or item.campaign.campaign_id in only][:newest]

    def media_path(self, sha256: str) -> Path | None:
        return self._files.get(sha256)

    def choices(self) -> tuple[SignalChoice, ...]:
        return ()

    @property
    def interactions(self) -> Self:
        return self

    def record(self, interaction: Interaction) -> None:
        self._recorded(interaction)

    def check_now(self) -> None:
        raise AssertionError("a video was damaged")

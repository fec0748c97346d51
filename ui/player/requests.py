"""What the player is given of a campaign."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from agent.domain.model import InboxItem
from resources import i18n
from ui.player.messages import CaptionFile, LinkButton, PlayRequest, Problem, named
from ui.style import text_format

MediaPath = Callable[[str], Path | None]


def play_request(
    item: InboxItem,
    media_path: MediaPath,
    share_line: str,
    captions_language: str | None = None,
    problem: Problem | None = None,
) -> PlayRequest | None:
    """None where the verified video file is not here."""
    text = item.campaign.variant(i18n.language())
    video = text.video
    path = media_path(video.sha256) if video else None
    if video is None or path is None:
        return None
    return PlayRequest(
        title=text_format.titled(text.title, is_trial=item.campaign.is_trial),
        video=named(path),
        sha256=video.sha256,
        poster=_absolute(media_path, video.poster.sha256 if video.poster else ""),
        captions=tuple(
            CaptionFile(each.language, each.label, place)
            for each in video.captions
            if (place := _absolute(media_path, each.sha256))
        ),
        captions_language=captions_language,
        width=video.width,
        height=video.height,
        duration_ms=video.duration_ms,
        sender=text_format.sender_of(item.campaign),
        body=text.body,
        links=tuple(LinkButton(link.link_id, link.label, link.destination) for link in text.links),
        liked=item.state.liked,
        share_line=text_format.sharing_of(item.campaign, share_line),
        problem=problem,
    )


def _absolute(media_path: MediaPath, sha256: str) -> str:
    """Empty while the file is not here."""
    path = media_path(sha256) if sha256 else None
    return named(path) if path is not None else ""

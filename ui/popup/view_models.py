"""From what the agent knows to what windows show: values in the person's language, with the files that are here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agent.domain.model import Company, Image, InboxItem, SignalChoice, Urgency, Video
from resources import i18n
from resources.i18n import _, ngettext
from ui.popup.pages import DigestLine, PopupLink, PopupPage
from ui.popup.ports import CardContent, DigestContent
from ui.style import text_format
from ui.widgets.acknowledge import read_request

MediaPath = Callable[[str], Path | None]


def popup_page(
    content: CardContent,
    company: Company | None,
    choices: tuple[SignalChoice, ...],
    media_path: MediaPath,
    now: datetime,
) -> PopupPage:
    """The page of a campaign. ``media_path`` gives the verified file for a hash, None while it is not here."""
    campaign, state = content.item.campaign, content.item.state
    text = campaign.variant(i18n.language())
    picture = _picture(text.video, text.image)
    playable = text.video is not None and media_path(text.video.sha256) is not None
    return PopupPage(
        title=text.title,
        body=text.body,
        company=company.name if company else "",
        sender=campaign.sender,
        urgency=campaign.urgency,
        received=text_format.received_text(state.received, now),
        share_line=text_format.sharing_of(campaign, text_format.share_line(choices)),
        logo=_logo(company, media_path),
        note=""
        if text.video is None or playable
        else _("The video is still being fetched. It will be in your inbox."),
        picture=media_path(picture.sha256) if picture else None,
        has_picture=picture is not None,
        picture_alt=picture.alt if picture else "",
        duration_ms=text.video.duration_ms if text.video and playable else None,
        has_captions=bool(text.video and text.video.captions),
        links=tuple(PopupLink(link.link_id, link.label, link.destination) for link in text.links),
        liked=state.liked,
        position=content.position,
        count=content.count,
        acknowledge=read_request(content.item, company),
        is_trial=campaign.is_trial,
        ends=campaign.ends,
        campaign_id=campaign.campaign_id,
    )


def digest_page(
    content: DigestContent,
    company: Company | None,
    choices: tuple[SignalChoice, ...],
    media_path: MediaPath,
    now: datetime,
) -> PopupPage:
    """The page that names what was missed."""
    count = len(content.items)
    return PopupPage(
        title=ngettext(
            "While you were away: {n} announcement", "While you were away: {n} announcements", count
        ).format(n=count),
        body="",
        company=company.name if company else "",
        sender="",
        urgency=Urgency.NORMAL,
        received="",
        share_line=text_format.share_line(choices),
        logo=_logo(company, media_path),
        position=content.position,
        count=content.count,
        digest=tuple(_digest_line(item, now) for item in content.items),
    )


def _digest_line(item: InboxItem, now: datetime) -> DigestLine:
    campaign = item.campaign
    facts = text_format.joined(campaign.sender, text_format.list_time(campaign.starts, now))
    return DigestLine(campaign.campaign_id, campaign.variant(i18n.language()).title, facts)


def _logo(company: Company | None, media_path: MediaPath) -> Path | None:
    return media_path(company.logo.sha256) if company is not None and company.logo is not None else None


def _picture(video: Video | None, image: Image | None) -> Image | None:
    """What stands above the text: a video's poster, else the picture."""
    return video.poster if video is not None and video.poster is not None else image

"""What may be shown now, and for each other campaign why not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from agent import policy
from agent.model import CampaignStatus, HoldReason, InboxItem, PresenceState, Selection, Tristate, Urgency

_ORDER = {Urgency.EMERGENCY: 0, Urgency.URGENT: 1, Urgency.NORMAL: 2, Urgency.SILENT: 3}


def select(
    items: Iterable[InboxItem],
    *,
    now: datetime,
    presence: PresenceState,
    paused_until: datetime | None = None,
    media_missing: Collection[str] = (),
) -> Selection:
    """Choose by urgency, then by start. ``media_missing``: ids of campaigns whose files are not all here."""
    show: list[InboxItem] = []
    held: dict[str, HoldReason] = {}
    for item in items:
        reason = _reason(item, now, presence, paused_until, item.campaign.campaign_id in media_missing)
        if reason is None:
            show.append(item)
        else:
            held[item.campaign.campaign_id] = reason
    show.sort(
        key=lambda item: (_ORDER[item.campaign.urgency], item.campaign.starts, item.campaign.campaign_id)
    )
    return Selection(tuple(show), held)


def over(item: InboxItem, now: datetime) -> HoldReason | None:
    """Why a campaign may no longer be on the screen at all, or None."""
    campaign = item.campaign
    if campaign.status is CampaignStatus.RECALLED:
        return HoldReason.RECALLED
    if now >= campaign.ends:
        return HoldReason.EXPIRED
    if not item.state.listed:
        return HoldReason.NOT_LISTED
    return None


def _reason(
    item: InboxItem,
    now: datetime,
    presence: PresenceState,
    paused_until: datetime | None,
    media_missing: bool,
) -> HoldReason | None:
    return (
        over(item, now)
        or _not_yet(item, now, media_missing)
        or _not_at_this_moment(item, now, presence, paused_until)
    )


def _not_yet(item: InboxItem, now: datetime, media_missing: bool) -> HoldReason | None:
    state = item.state
    if now < item.campaign.starts:
        return HoldReason.NOT_STARTED
    if item.campaign.urgency is Urgency.SILENT:
        return HoldReason.SILENT
    if state.remind_at is not None:
        return HoldReason.REMIND_LATER if now < state.remind_at else None
    if state.displayed is not None or state.read:
        return HoldReason.ALREADY_DISPLAYED
    if media_missing and now < state.received + timedelta(seconds=policy.MEDIA_WAIT_S):
        return HoldReason.MEDIA_MISSING
    return None


def _not_at_this_moment(
    item: InboxItem, now: datetime, presence: PresenceState, paused_until: datetime | None
) -> HoldReason | None:
    if presence.locked is Tristate.YES:
        return HoldReason.SCREEN_LOCKED
    if item.campaign.urgency is Urgency.EMERGENCY:
        return None
    if presence.full_screen is Tristate.YES:
        return HoldReason.FULL_SCREEN
    if item.campaign.urgency is Urgency.URGENT:
        return None
    if paused_until is not None and now < paused_until:
        return HoldReason.PAUSED
    if presence.do_not_disturb is Tristate.YES:
        return HoldReason.DO_NOT_DISTURB
    return None

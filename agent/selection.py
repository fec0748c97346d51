"""What may be shown now, and for each other campaign why not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta, tzinfo

from msgspec.structs import replace

from agent import moments, policy
from agent.model import CampaignStatus, HoldReason, InboxItem, PresenceState, Selection, Tristate, Urgency
from agent.preferences import DEFAULTS, Preferences

_ORDER = {Urgency.EMERGENCY: 0, Urgency.URGENT: 1, Urgency.NORMAL: 2, Urgency.SILENT: 3}


def select(
    items: Iterable[InboxItem],
    *,
    now: datetime,
    presence: PresenceState,
    paused_until: datetime | None = None,
    media_missing: Collection[str] = (),
    preferences: Preferences = DEFAULTS,
    zone: tzinfo | None = None,
) -> Selection:
    """Choose by urgency, then by start. ``media_missing``: ids of campaigns whose files are not all here.

    ``zone`` is the person's time zone, None for the computer's.
    """
    items = list(items)
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
    return _spare_the_person(items, show, held, now, preferences, zone)


def _spare_the_person(
    items: list[InboxItem],
    show: list[InboxItem],
    held: dict[str, HoldReason],
    now: datetime,
    preferences: Preferences,
    zone: tzinfo | None,
) -> Selection:
    """Hold normal ones back in quiet hours, and beyond the limits those that the person did not ask for again."""
    quiet = moments.quiet_until(now, preferences, zone)
    displayed = [item.state.displayed for item in items if item.state.displayed is not None]
    limited = moments.limited_until(now, displayed, preferences)
    again: list[datetime] = []
    kept: list[InboxItem] = []
    for item in show:
        asked_for = item.state.remind_at is not None
        if item.campaign.urgency is not Urgency.NORMAL:
            kept.append(item)
        elif quiet is not None:
            held[item.campaign.campaign_id] = HoldReason.QUIET_HOURS
            again.append(quiet)
        elif limited is not None and not asked_for:
            held[item.campaign.campaign_id] = limited[0]
            again.append(limited[1])
        else:
            kept.append(item)
            if not asked_for:
                displayed.append(now)
                # Those that are due at the same time are pages of one pop-up: only the number of them counts.
                together = replace(preferences, minutes_between=0)
                limited = moments.limited_until(now, displayed, together)
    return Selection(tuple(kept), held, min(again, default=None))


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

"""What may be shown now, and for each other campaign why not, and until when. Pure.

How urgent a campaign is says what it may interrupt:

- silent: nothing; it is in the inbox only
- normal: nothing; neither quiet hours, a pause and the like, nor beyond what the person set as a limit
- urgent: quiet hours, limits, a pause and do-not-disturb; no full-screen program, no presentation, no empty chair
- emergency: everything but a locked screen, where nobody could read it

A test that the person sent to themselves interrupts what an urgent one does, unless it is silent or an emergency.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta, tzinfo

from msgspec import Struct

from agent.campaigns import display_limits
from agent.domain import limits
from agent.domain.model import (
    CampaignStatus,
    HoldReason,
    InboxItem,
    PresenceState,
    Selection,
    Tristate,
    Urgency,
)
from agent.domain.preferences import DEFAULTS, Preferences

_ORDER = {Urgency.EMERGENCY: 0, Urgency.URGENT: 1, Urgency.NORMAL: 2, Urgency.SILENT: 3}

_Held = dict[str, tuple[HoldReason, datetime | None]]


class _Around(Struct, frozen=True):
    """What surrounds the campaigns: see ``select``."""

    now: datetime
    presence: PresenceState
    paused_until: datetime | None
    media_missing: Collection[str]
    preferences: Preferences
    login: str
    connected: datetime | None


def select(
    items: Iterable[InboxItem],
    *,
    now: datetime,
    presence: PresenceState,
    paused_until: datetime | None = None,
    media_missing: Collection[str] = (),
    preferences: Preferences = DEFAULTS,
    zone: tzinfo | None = None,
    login: str = "",
    connected: datetime | None = None,
) -> Selection:
    """Choose by urgency, then by start; what was missed in an absence becomes one digest.

    ``media_missing``: ids of campaigns whose files are not all here. ``zone``: the person's time zone, None for the
    computer's. ``login``: the id of this login session. ``connected``: when this computer was connected to its company.
    """
    around = _Around(now, presence, paused_until, media_missing, preferences, login, connected)
    items = list(items)
    due: list[InboxItem] = []
    held: _Held = {}
    for item in items:
        reason = _reason(item, around)
        if reason is None:
            due.append(item)
        else:
            held[item.campaign.campaign_id] = reason
    due.sort(
        key=lambda item: (_ORDER[item.campaign.urgency], item.campaign.starts, item.campaign.campaign_id)
    )
    quiet = display_limits.quiet_until(now, preferences, zone)
    spared = due if quiet is None else _hold_in_quiet_hours(due, held, quiet)
    missed = _missed(spared, around)
    show, digest = _hold_beyond_limits(items, spared, missed, held, around)
    until = {campaign_id: moment for campaign_id, (_, moment) in held.items() if moment is not None}
    return Selection(
        tuple(show),
        {campaign_id: reason for campaign_id, (reason, _) in held.items()},
        min(until.values(), default=None),
        tuple(digest),
        until,
        quiet,
    )


def _hold_in_quiet_hours(due: list[InboxItem], held: _Held, quiet: datetime) -> list[InboxItem]:
    kept = []
    for item in due:
        if item.campaign.interrupts is Urgency.NORMAL:
            held[item.campaign.campaign_id] = (HoldReason.QUIET_HOURS, quiet)
        else:
            kept.append(item)
    return kept


def _missed(due: Iterable[InboxItem], around: _Around) -> list[InboxItem]:
    """What belongs into a digest, newest first.

    A few that are late are shown as always. What had begun long before this computer was connected may have been displayed on
    it before, if it was connected anew: that is no pop-up of its own, however few they are.
    """
    long_ago = timedelta(seconds=limits.DIGEST_AFTER_S)
    late = [
        item
        for item in due
        if item.campaign.interrupts is Urgency.NORMAL
        and not asked_for(item)
        and item.campaign.starts <= around.now - long_ago
    ]
    if len(late) < limits.DIGEST_LEAST:
        connected = around.connected
        if connected is None or connected > around.now:
            return []
        late = [item for item in late if item.campaign.starts <= connected - long_ago]
    return sorted(late, key=lambda item: (item.campaign.starts, item.campaign.campaign_id), reverse=True)


def _hold_beyond_limits(
    items: list[InboxItem], due: list[InboxItem], missed: list[InboxItem], held: _Held, around: _Around
) -> tuple[list[InboxItem], list[InboxItem]]:
    """Hold back what is too much. A digest is one pop-up; what the person asked for again is none."""
    now, preferences = around.now, around.preferences
    displayed = [item.state.popped_up for item in items if item.state.popped_up is not None]
    limited = display_limits.limited_until(now, displayed, preferences)
    digest = missed if limited is None else []
    in_digest = {item.campaign.campaign_id for item in digest}
    show: list[InboxItem] = []
    planned = 1 if digest else 0
    for item in due:
        campaign_id = item.campaign.campaign_id
        if campaign_id in in_digest:
            continue
        if item.campaign.interrupts is not Urgency.NORMAL or asked_for(item):
            show.append(item)
            continue
        if planned:
            limited = display_limits.limited_until(now, displayed, preferences, planned)
        if limited is None:
            show.append(item)
            planned += 1
        else:
            held[campaign_id] = limited
    return show, digest


def end_of(item: InboxItem) -> datetime:
    """When a campaign leaves the screen: at its end, or when its document expires if that is before."""
    expires = item.state.expires
    return item.campaign.ends if expires is None else min(item.campaign.ends, expires)


def over(item: InboxItem, now: datetime) -> HoldReason | None:
    """Why a campaign may no longer be on the screen at all, or None."""
    campaign = item.campaign
    if campaign.status is CampaignStatus.RECALLED:
        return HoldReason.RECALLED
    if now >= end_of(item):
        return HoldReason.EXPIRED
    if not item.state.listed:
        return HoldReason.NOT_LISTED
    return None


def not_now(urgency: Urgency, presence: PresenceState, *, paused: bool) -> HoldReason | None:
    """Why a pop-up would disturb at this very moment, or be seen by nobody. What is unknown holds nothing back."""
    if presence.locked is Tristate.YES:
        return HoldReason.SCREEN_LOCKED
    if urgency is Urgency.EMERGENCY:
        return None
    if presence.full_screen is Tristate.YES:
        return HoldReason.FULL_SCREEN
    if presence.presenting is Tristate.YES:
        return HoldReason.PRESENTING
    if urgency is not Urgency.URGENT:
        if paused:
            return HoldReason.PAUSED
        if presence.do_not_disturb is Tristate.YES:
            return HoldReason.DO_NOT_DISTURB
    return HoldReason.AWAY if presence.idle is Tristate.YES else None


def asked_for(item: InboxItem) -> bool:
    """The person wants to see it again, now or later."""
    return item.state.remind_at is not None or bool(item.state.remind_after_login)


def _reason(item: InboxItem, around: _Around) -> tuple[HoldReason, datetime | None] | None:
    gone = over(item, around.now)
    if gone is not None:
        return gone, None
    not_yet = _not_yet(item, around)
    if not_yet is not None:
        return not_yet
    paused = around.paused_until is not None and around.now < around.paused_until
    reason = not_now(item.campaign.interrupts, around.presence, paused=paused)
    if reason is None:
        return None
    return reason, around.paused_until if reason is HoldReason.PAUSED else None


def _not_yet(item: InboxItem, around: _Around) -> tuple[HoldReason, datetime | None] | None:
    state, now = item.state, around.now
    if now < item.campaign.starts:
        return HoldReason.NOT_STARTED, item.campaign.starts
    if item.campaign.urgency is Urgency.SILENT:
        return HoldReason.SILENT, None
    if state.remind_at is not None:
        return (
            (HoldReason.REMIND_LATER, state.remind_at)
            if display_limits.is_plausible_future(now, state.remind_at)
            else None
        )
    if state.remind_after_login:
        same = around.login in ("", state.remind_after_login)
        return (HoldReason.REMIND_LATER, None) if same else None
    if state.displayed is not None or state.read:
        return HoldReason.ALREADY_DISPLAYED, None
    if item.campaign.urgency is Urgency.EMERGENCY or item.campaign.campaign_id not in around.media_missing:
        return None
    media_by = state.received + timedelta(seconds=limits.MEDIA_WAIT_S)
    return (HoldReason.MEDIA_MISSING, media_by) if state.received <= now < media_by else None

"""The test that a person sent to their own computers: in memory only, and gone when it ends (ADR 53).

It is no campaign: it stands in no store, and what somebody does with it is told to nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from agent.domain.model import Campaign, CampaignState, InboxItem, Interaction, InteractionKind
from agent.domain.ports import Clock
from agent.system import login_session


class Trials:
    """Those that the last feed named, each with what the person did with it. From any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._items: dict[str, InboxItem] = {}
        """By the digest of the document, so that one that is known is not verified again."""

    def digests(self) -> frozenset[str]:
        """Of the documents that are known."""
        with self._lock:
            return frozenset(self._items)

    def apply(self, named: Collection[str], new: Mapping[str, tuple[Campaign, int]]) -> None:
        """Take the tests of a feed. ``named``: the digests of all; ``new``: those not known yet, and when each expires."""
        now = self._clock.now()
        with self._lock:
            kept = {digest: item for digest, item in self._items.items() if digest in named}
            self._items = kept | {digest: _item(*each, now) for digest, each in new.items()}

    def clear(self) -> None:
        """The computer was disconnected."""
        self.apply((), {})

    def inbox(self, only: Collection[str] | None = None) -> list[InboxItem]:
        """Those that have not ended, newest first; ``only``: of these ids."""
        now = self._clock.now()
        with self._lock:
            items = [item for item in self._items.values() if _expires(item) > now]
        found = [item for item in items if only is None or item.campaign.campaign_id in only]
        return sorted(found, key=lambda item: item.state.received, reverse=True)

    def get(self, trial_id: str) -> InboxItem | None:
        """One that has not ended."""
        return next(iter(self.inbox({trial_id})), None)

    def unread(self) -> int:
        """How many nobody has read."""
        return sum(not item.state.read for item in self.inbox())

    def record(self, interaction: Interaction) -> None:
        """Remember what the person did, as far as a window shows it."""
        act, now = interaction.act, self._clock.now()
        if act is InteractionKind.DISPLAYED:
            self.displayed([interaction.campaign_id])
        elif act in (InteractionKind.LIKED, InteractionKind.UNLIKED):
            self._change([interaction.campaign_id], liked=act is InteractionKind.LIKED)
        elif act in (InteractionKind.CLICKED, InteractionKind.READ, InteractionKind.DISMISSED):
            self._change([interaction.campaign_id], read=True, displayed=now)

    def displayed(self, trial_ids: Collection[str]) -> None:
        """They came to the screen; a reminder is done. No limit of pop-ups counts them."""
        self._change(trial_ids, displayed=self._clock.now(), remind_at=None, remind_after_login="")

    def mark(self, trial_ids: Collection[str], *, read: bool) -> None:
        """As read or unread, which brings back no pop-up."""
        self._change(trial_ids, read=read, displayed=self._clock.now())

    def acknowledge(self, trial_id: str) -> None:
        """Show it as confirmed. Nothing is sent."""
        self._change([trial_id], acknowledged=self._clock.now())

    def remind(self, trial_id: str, delay_s: float | None) -> None:
        """Show it again after so many seconds; None: at the next login."""
        if delay_s is None:
            self._change([trial_id], remind_at=None, remind_after_login=login_session.session_id())
        else:
            moment = self._clock.now() + timedelta(seconds=delay_s)
            self._change([trial_id], remind_at=moment, remind_after_login="")

    def _change(self, trial_ids: Collection[str], **state: object) -> None:
        with self._lock:
            for digest, item in self._items.items():
                if item.campaign.campaign_id in trial_ids:
                    self._items[digest] = replace(item, state=replace(item.state, **state))


def _item(campaign: Campaign, expires: int, now: datetime) -> InboxItem:
    """It begins now, whatever the campaign will say, and by this computer's clock."""
    return InboxItem(
        replace(campaign, starts=min(campaign.starts, now)),
        CampaignState(received=now, expires=datetime.fromtimestamp(expires, UTC)),
    )


def _expires(item: InboxItem) -> datetime:
    return item.state.expires or item.state.received

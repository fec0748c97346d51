"""What happens between a person and a campaign: noted here, and made into a signal only while the gate allows that."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta

from agent.campaigns.trials import Trials
from agent.consent.gate import ConsentGate
from agent.domain.model import Change, FeedbackSignal, Interaction, InteractionKind, is_trial_id
from agent.domain.ports import Clock
from agent.outbox.acknowledgements import AcknowledgementSender
from agent.outbox.signals import Outbox
from agent.store.campaigns import CampaignStore
from agent.system import login_session


class Interactions:
    """``notify`` tells what changed, ``send_soon`` that there is something to send."""

    def __init__(
        self,
        campaigns: CampaignStore,
        trials: Trials,
        gate: ConsentGate,
        outbox: Outbox,
        acknowledgement_sender: AcknowledgementSender,
        clock: Clock,
        notify: Callable[[Change], None],
        send_soon: Callable[[], None],
    ) -> None:
        self._campaigns = campaigns
        self._trials = trials
        self._gate = gate
        self._outbox = outbox
        self._acknowledgement_sender = acknowledgement_sender
        self._clock = clock
        self._notify = notify
        self._send_soon = send_soon

    def record(self, interaction: Interaction) -> None:
        """Note what happened. Raises DiskFault."""
        if is_trial_id(interaction.campaign_id):
            self._trials.record(interaction)
        elif self._noted(interaction):
            self._send_soon()
        if interaction.act is not InteractionKind.TIMED_OUT:
            self._notify(Change.CAMPAIGNS)

    def _noted(self, interaction: Interaction) -> bool:
        """Returns whether a signal was made of it."""
        campaign_id, act = interaction.campaign_id, interaction.act
        made = False
        if act is InteractionKind.DISPLAYED:
            self._campaigns.displayed([campaign_id], self._clock.now())
        elif act is InteractionKind.SEEN:
            made = self._seen(campaign_id)
        elif act is InteractionKind.CLICKED:
            made = self._outbox.make(FeedbackSignal.CLICK, campaign_id, link_id=interaction.link_id)
            self._campaigns.read(campaign_id)
        elif act in (InteractionKind.LIKED, InteractionKind.UNLIKED):
            liked = act is InteractionKind.LIKED
            seq = self._campaigns.like(campaign_id, liked, self._clock.now())
            made = seq > 0 and self._outbox.make(FeedbackSignal.LIKE, campaign_id, value=int(liked), seq=seq)
        elif act in (InteractionKind.READ, InteractionKind.DISMISSED):
            self._campaigns.read(campaign_id)
        return made

    def displayed(self, campaign_ids: Collection[str]) -> None:
        """They came to the screen together: all of them are noted, or none. Raises DiskFault."""
        self._trials.displayed(campaign_ids)
        self._campaigns.displayed(campaign_ids, self._clock.now())
        self._notify(Change.CAMPAIGNS)

    def _seen(self, campaign_id: str) -> bool:
        if self._gate.receipt(FeedbackSignal.SEEN) is None or not self._campaigns.claim_seen(campaign_id):
            return False
        made = False
        try:
            made = self._outbox.make(FeedbackSignal.SEEN, campaign_id)
        finally:
            if not made:
                self._campaigns.unclaim_seen(campaign_id)
        return made

    def acknowledge(self, campaign_id: str) -> None:
        """Confirm by name that one has read it. Raises InvalidInput, DiskFault."""
        if is_trial_id(campaign_id):
            self._trials.acknowledge(campaign_id)
        elif self._acknowledgement_sender.acknowledge(campaign_id):
            self._send_soon()
        self._notify(Change.CAMPAIGNS)
        self._notify(Change.STATUS)

    def mark_read(self, campaign_ids: Collection[str], read: bool) -> None:
        """Mark as read or unread, which brings back no pop-up. Raises DiskFault."""
        self._trials.mark(campaign_ids, read=read)
        self._campaigns.mark(campaign_ids, read=read, now=self._clock.now())
        self._notify(Change.CAMPAIGNS)

    def remind(self, campaign_id: str, delay_s: float | None) -> None:
        """Show it again after so many seconds; None: at the next login. Raises DiskFault."""
        if is_trial_id(campaign_id):
            self._trials.remind(campaign_id, delay_s)
        elif delay_s is None:
            self._campaigns.remind_after(campaign_id, login_session.session_id())
        else:
            self._campaigns.remind(campaign_id, self._clock.now() + timedelta(seconds=delay_s))
        self._notify(Change.CAMPAIGNS)

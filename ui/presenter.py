"""Which campaign is on the screen now, since when, and what the person did with it. Knows no widget class.

Nothing is polled while nothing is due: the presenter is woken by the agent's changes and by one timer, set to the next
moment at which a campaign starts, ends or comes back. The desktop is asked about the person only while a campaign is due
or on the screen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent import errors, policy, selection
from agent.model import Act, HoldReason, InboxItem, Interaction, PresenceState, Selection, Tristate, Urgency
from agent.ports import Clock
from ui.agent_port import Agent
from ui.dwell import Dwell
from ui.timers import Call, Timers

log = logging.getLogger(__name__)

ASK_AGAIN_WHILE_HELD_MS = 15_000
ASK_AGAIN_WHILE_SHOWN_MS = 5_000
_HELD_BY_PRESENCE = {HoldReason.SCREEN_LOCKED, HoldReason.FULL_SCREEN, HoldReason.DO_NOT_DISTURB}


@dataclass(frozen=True)
class CardContent:
    """One page of the pop-up. ``position`` counts from 1."""

    item: InboxItem
    position: int
    count: int


class Card(Protocol):
    """The pop-up on the screen. It tells the presenter what the person does and whether it can be seen."""

    def show(self, content: CardContent) -> None:
        """Show this page, in place of the one before."""

    def close(self) -> None:
        """Leave the screen."""


class Actions(Protocol):
    """What the presenter lets others do."""

    def ask_presence(self, answer: Callable[[PresenceState], None]) -> None:
        """Ask the desktop, off the main thread; ``answer`` is called on it."""

    def open_url(self, url: str) -> bool:
        """In the browser. Returns whether one was started."""

    def play(self, campaign_id: str) -> None:
        """The campaign's video, in the player."""

    def show_choices(self) -> None:
        """The window in which the person says what is shared."""

    def tell(self, fault: errors.TidingsError) -> None:
        """Show what went wrong."""


@dataclass
class _Page:
    item: InboxItem
    displayed: bool = False

    @property
    def campaign_id(self) -> str:
        return self.item.campaign.campaign_id


class Presenter:
    """Owns the one pop-up. All methods are called on the main thread."""

    def __init__(
        self,
        agent: Agent,
        make_card: Callable[[Presenter], Card],
        actions: Actions,
        timers: Timers,
        clock: Clock,
    ) -> None:
        self._agent = agent
        self._make_card = make_card
        self._actions = actions
        self._timers = timers
        self._clock = clock
        self._card: Card | None = None
        self._pages: list[_Page] = []
        self._index = 0
        self._dwell = Dwell(timers, clock, seen=self._stayed, timed_out=self._timed_out)
        self._confirming = ""
        self._asking = False
        self._presence_call: Call | None = None
        self._wake_call: Call | None = None
        self._open = True

    # What is

    def refresh(self) -> None:
        """Something changed, or a moment has come: look again."""
        if not self._open:
            return
        inbox = {item.campaign.campaign_id: item for item in self._agent.inbox()}
        self._keep_what_still_holds(inbox)
        found = self._agent.select(PresenceState())
        if self._new(found.show):
            self._ask_presence()
        self._wake_at_next_moment(found, inbox)

    def close(self) -> None:
        """Take the pop-up away and do nothing any more."""
        self._open = False
        for call in (self._presence_call, self._wake_call):
            if call is not None:
                call.cancel()
        self._pages.clear()
        self._show_or_close()

    @property
    def shown(self) -> str:
        """The id of the campaign on the screen, empty for none."""
        return self._pages[self._index].campaign_id if self._pages else ""

    def _keep_what_still_holds(self, inbox: dict[str, InboxItem]) -> None:
        """Recalled, expired, withdrawn or read elsewhere: off the screen, at once."""
        if not self._pages:
            return
        now, before, kept = self._clock.now(), self.shown, []
        for page in self._pages:
            item = inbox.get(page.campaign_id)
            if item is None or selection.over(item, now) or (item.state.read and not page.item.state.read):
                log.info("%s leaves the screen.", page.campaign_id)
                continue
            page.item = item
            kept.append(page)
        self._pages = kept
        ids = [page.campaign_id for page in kept]
        self._index = ids.index(before) if before in ids else min(self._index, max(len(kept) - 1, 0))
        self._show_or_close()

    def _new(self, due: Iterable[InboxItem]) -> list[InboxItem]:
        on_screen = {page.campaign_id for page in self._pages}
        return [item for item in due if item.campaign.campaign_id not in on_screen]

    # The desktop

    def _ask_presence(self) -> None:
        if not self._asking and self._open:
            self._asking = True
            self._actions.ask_presence(self._presence_known)

    def _presence_known(self, presence: PresenceState) -> None:
        self._asking = False
        if not self._open:
            return
        self._dwell.locked(presence.locked is Tristate.YES)
        self._confirm_seen(presence)
        found = self._agent.select(presence)
        new = self._new(found.show)
        if new:
            self._pages += [_Page(item) for item in new]
            self._show_or_close()
        held = any(reason in _HELD_BY_PRESENCE for reason in found.held.values())
        self._ask_again(
            ASK_AGAIN_WHILE_SHOWN_MS if self._pages else ASK_AGAIN_WHILE_HELD_MS if held else None
        )

    def _ask_again(self, delay_ms: int | None) -> None:
        if self._presence_call is not None:
            self._presence_call.cancel()
        self._presence_call = self._timers.after(delay_ms, self._ask_presence) if delay_ms else None

    def _wake_at_next_moment(self, found: Selection, inbox: dict[str, InboxItem]) -> None:
        if self._wake_call is not None:
            self._wake_call.cancel()
            self._wake_call = None
        moments = [page.item.campaign.ends for page in self._pages]
        if found.look_again is not None:
            moments.append(found.look_again)
        for campaign_id, reason in found.held.items():
            moment = self._moment(reason, inbox.get(campaign_id))
            if moment is not None:
                moments.append(moment)
        if moments:
            wait = (min(moments) - self._clock.now()).total_seconds()
            self._wake_call = self._timers.after(max(wait, 0.0) * 1000 + 50, self.refresh)

    def _moment(self, reason: HoldReason, item: InboxItem | None) -> datetime | None:
        """When a reason to hold a campaign ends by itself."""
        if reason is HoldReason.PAUSED:
            return self._agent.status().paused_until
        if item is None:
            return None
        if reason is HoldReason.NOT_STARTED:
            return item.campaign.starts
        if reason is HoldReason.REMIND_LATER:
            return item.state.remind_at
        if reason is HoldReason.MEDIA_MISSING:
            return item.state.received + timedelta(seconds=policy.MEDIA_WAIT_S)
        return None

    # The screen

    def _show_or_close(self) -> None:
        if not self._pages:
            self._dwell.stop()
            card, self._card = self._card, None
            if card is not None:
                card.close()
            return
        page = self._pages[self._index]
        if self._card is None:
            self._card = self._make_card(self)
        self._dwell.page(page.campaign_id, time_out_ms(page.item.campaign.urgency))
        self._card.show(CardContent(page.item, self._index + 1, len(self._pages)))
        if not page.displayed:
            page.displayed = True
            self._record(page.campaign_id, Act.DISPLAYED)

    def _leave(self, campaign_id: str) -> None:
        """This page is done: show the next one, or close."""
        self._pages = [page for page in self._pages if page.campaign_id != campaign_id]
        self._index = min(self._index, max(len(self._pages) - 1, 0))
        self._show_or_close()

    def _stayed(self, campaign_id: str) -> None:
        """It could be seen long enough. Whether anybody could look at it is asked before it counts."""
        self._confirming = campaign_id
        self._ask_presence()

    def _confirm_seen(self, presence: PresenceState) -> None:
        campaign_id, self._confirming = self._confirming, ""
        if campaign_id and presence.locked is not Tristate.YES and self._dwell.stays(campaign_id):
            self._record(campaign_id, Act.SEEN)

    def _timed_out(self) -> None:
        """What was on the screen goes; what was not yet takes its place."""
        gone = [page for page in self._pages if page.displayed]
        self._pages = [page for page in self._pages if not page.displayed]
        self._index = 0
        for page in gone:
            self._record(page.campaign_id, Act.TIMED_OUT)
        self._show_or_close()

    def _record(self, campaign_id: str, act: Act, link_id: str = "") -> None:
        try:
            self._agent.record(Interaction(campaign_id, act, link_id))
        except errors.TidingsError as fault:
            log.error("%s was not recorded: %s", act, fault.detail)
            self._actions.tell(fault)

    # What the card tells

    def visible(self, on_screen: bool) -> None:
        """The card can be seen, or no more."""
        self._dwell.visible(on_screen)

    def hovered(self, under_pointer: bool) -> None:
        """The pointer is over the card, or left it."""
        self._dwell.hovered(under_pointer)

    def turn(self, pages: int) -> None:
        """Some pages forward, or back."""
        if 0 <= self._index + pages < len(self._pages):
            self._index += pages
            self._show_or_close()

    def dismiss(self) -> None:
        """The person closed this announcement."""
        campaign_id = self.shown
        if campaign_id:
            self._record(campaign_id, Act.DISMISSED)
            self._leave(campaign_id)

    def expired(self) -> None:
        """It went by itself: a notification of the desktop's does so whenever its server likes."""
        if self._pages:
            self._timed_out()

    def follow(self, link_id: str) -> None:
        """A link was clicked: open it in the browser, if the company allows where it leads."""
        campaign_id = self.shown
        if not campaign_id:
            return
        if follow_link(self._agent, self._actions, campaign_id, link_id):
            self._leave(campaign_id)

    def watch(self) -> None:
        """The video, in its own window."""
        campaign_id = self.shown
        if campaign_id:
            self._actions.play(campaign_id)
            self._leave(campaign_id)

    def like(self, liked: bool) -> None:
        """The heart, or taking it back."""
        if self.shown:
            self._record(self.shown, Act.LIKED if liked else Act.UNLIKED)

    def later(self, delay_s: float) -> None:
        """Show it again after so many seconds."""
        campaign_id = self.shown
        if not campaign_id:
            return
        try:
            self._agent.remind(campaign_id, delay_s)
        except errors.TidingsError as fault:
            self._actions.tell(fault)
            return
        self._leave(campaign_id)

    def change(self) -> None:
        """The person wants to change what is shared."""
        self._actions.show_choices()


def follow_link(agent: Agent, actions: Actions, campaign_id: str, link_id: str) -> bool:
    """Note the click and open the link. Returns whether the browser opened it; else the person was told why not."""
    try:
        url = agent.allowed_url(campaign_id, link_id)
        agent.record(Interaction(campaign_id, Act.CLICKED, link_id))
    except errors.TidingsError as fault:
        actions.tell(fault)
        return False
    return actions.open_url(url)


def time_out_ms(urgency: Urgency) -> int | None:
    """How long a pop-up stays by itself, in milliseconds; None until the person closes it."""
    if urgency is Urgency.EMERGENCY:
        return None
    return policy.POPUP_TIMEOUT_URGENT_MS if urgency is Urgency.URGENT else policy.POPUP_TIMEOUT_MS

"""Which campaign is on the screen now, since when, and what the person did with it. Knows no widget class.

Nothing is polled while nothing is due: the presenter is woken by the agent's changes and by one timer, set to the next
moment at which a campaign starts, ends or comes back. The desktop is asked about the person only while a campaign is due
or on the screen.

A pop-up that is in the way makes way: when a full-screen program comes to the front, a presentation begins or the person
wants a pause, it leaves the screen, and comes back afterwards unless it had been there long enough to be seen. Before a
locked screen, which only an emergency would cover and so leaves, and an empty chair it stays, and its time stands still.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from agent.campaigns import selection
from agent.domain import limits
from agent.domain.model import HoldReason, InteractionKind, PresenceState, Selection, Tristate, Urgency
from agent.domain.ports import Clock
from ui.core.agent_port import Agent
from ui.core.recorder import Recorder
from ui.core.timers import Call, Timers
from ui.popup.display_recorder import Noting
from ui.popup.dwell import Dwell, time_out_ms
from ui.popup.ports import Actions, Card, CardContent, DigestContent, MakeCard
from ui.popup.queue import PopupQueue, QueuedPage

log = logging.getLogger(__name__)

ASK_AGAIN_WHILE_HELD_MS = 15_000
ASK_AGAIN_WHILE_SHOWN_MS = 5_000
_NOBODY_LOOKS = {HoldReason.SCREEN_LOCKED, HoldReason.AWAY}
_HELD_BY_PRESENCE = {
    *_NOBODY_LOOKS,
    HoldReason.FULL_SCREEN,
    HoldReason.PRESENTING,
    HoldReason.DO_NOT_DISTURB,
}


class Presenter:
    """Owns the one pop-up. All methods are called on the main thread."""

    def __init__(
        self, agent: Agent, make_card: MakeCard, actions: Actions, timers: Timers, clock: Clock
    ) -> None:
        self._agent = agent
        self._make_card = make_card
        self._actions = actions
        self._timers = timers
        self._clock = clock
        self._card: Card | None = None
        self._card_is_for_emergencies = False
        self._queue = PopupQueue()
        self._dwell = Dwell(timers, clock, seen=self._stayed, timed_out=self._timed_out)
        self._confirming = ""
        self._noting = Noting(agent, actions)
        self._recorder = Recorder(agent, actions.tell)
        self._asking = False
        self._after_a_look: list[Callable[[], None]] = []
        self._presence_call: Call | None = None
        self._wake_call: Call | None = None
        self._open = True

    # What is

    def refresh(self) -> None:
        """Something changed, or a moment has come: look again."""
        if not self._open:
            return
        known = self._queue.ids() | self._noting.owed
        inbox = {item.campaign.campaign_id: item for item in self._agent.inbox(only=known)}
        self._noting.again(inbox)
        for campaign_id in self._queue.keep(inbox, self._clock.now()):
            log.info("%s leaves the screen.", campaign_id)
        self._make_way(PresenceState())
        self._show_or_close()
        found = self._noting.without(self._agent.select(PresenceState()))
        if self._queue.has_news(found) or self._may_return(found, PresenceState()):
            self._ask_presence()
        self._wake_at_next_moment(found)

    def close(self) -> None:
        """Take the pop-up away and do nothing any more."""
        self._open = False
        for call in (self._presence_call, self._wake_call):
            if call is not None:
                call.cancel()
        self._queue.clear()
        self._show_or_close()

    def retranslate(self) -> None:
        """The language is another one: the card is made again, with the page that was on it."""
        if self._card is not None:
            card, self._card = self._card, None
            self._dwell.stop()
            card.close()
            self._show_or_close()

    @property
    def shown(self) -> str:
        """The id of the campaign on the screen, empty for none and for a digest."""
        top = self._queue.top
        return "" if top is None or top.digest else top.item.campaign.campaign_id

    # The desktop

    def _ask_presence(self) -> None:
        if not self._asking and self._open:
            self._asking = True
            self._actions.ask_presence(self._presence_known)

    def _presence_known(self, presence: PresenceState) -> None:
        self._asking = False
        if not self._open:
            return
        if self._card is not None:
            self._card.look()
        self._dwell.locked(Tristate.YES in (presence.locked, presence.idle))
        self._confirm_seen(presence)
        self._make_way(presence)
        found = self._noting.without(self._agent.select(presence))
        self._queue.bring_back(self._may_return(found, presence))
        self._queue.keep_plans(found)
        self._queue.add(found)
        self._show_or_close()
        while self._after_a_look:
            self._after_a_look.pop(0)()
        self._wake_at_next_moment(found)
        if self._queue.top is not None or any(map(_is_emergency, self._queue.aside)):
            self._ask_again(ASK_AGAIN_WHILE_SHOWN_MS)
        else:
            held = any(reason in _HELD_BY_PRESENCE for reason in found.held.values())
            waits = held or bool(self._may_return(found, PresenceState()))
            self._ask_again(ASK_AGAIN_WHILE_HELD_MS if waits else None)

    def after_a_look(self, call: Callable[[], None]) -> None:
        """Call this once it is known whether somebody may look now, and what is in the way has left."""
        self._after_a_look.append(call)
        self._ask_presence()

    def _may_return(self, found: Selection, presence: PresenceState) -> list[QueuedPage]:
        """Which of those that made way may come back, as far as this is known of the person."""
        return [
            page
            for page in self._queue.aside
            if self._in_the_way(page, presence) is None
            and any(selection.over(item, self._clock.now()) is None for item in page.items)
            and (found.quiet_until is None or page.interrupts is not Urgency.NORMAL)
        ]

    def _in_the_way(self, page: QueuedPage, presence: PresenceState) -> HoldReason | None:
        until = self._agent.status().paused_until
        return selection.not_now(
            page.interrupts, presence, paused=until is not None and self._clock.now() < until
        )

    def _make_way(self, presence: PresenceState) -> None:
        """What disturbs now leaves the screen; it comes back unless it was seen, an emergency until it was closed."""
        reasons = [(page, self._in_the_way(page, presence)) for page in self._queue]
        stays = {None, *_NOBODY_LOOKS}
        going = [page for page, reason in reasons if reason not in stays or (reason and _is_emergency(page))]
        done = [page for page in going if page.seen and not _is_emergency(page)]
        self._queue.drop(done)
        self._queue.put_aside([page for page in going if page not in done])
        self._note_timed_out(done)

    def _ask_again(self, delay_ms: int | None) -> None:
        if self._presence_call is not None:
            self._presence_call.cancel()
        self._presence_call = self._timers.after(delay_ms, self._ask_presence) if delay_ms else None

    def _wake_at_next_moment(self, found: Selection) -> None:
        if self._wake_call is not None:
            self._wake_call.cancel()
            self._wake_call = None
        pages = (*self._queue, *self._queue.aside)
        moments: list[datetime] = [selection.end_of(item) for page in pages for item in page.items]
        if self._queue.aside:
            ends = (self._agent.status().paused_until, found.quiet_until)
            moments += [end for end in ends if end is not None and end > self._clock.now()]
        if found.next_check_at is not None:
            moments.append(found.next_check_at)
        if moments:
            wait = (min(moments) - self._clock.now()).total_seconds()
            self._wake_call = self._timers.after(max(wait, 0.0) * 1000 + 50, self.refresh)

    # The screen

    def _show_or_close(self) -> None:
        page = self._queue.top
        emergency = page is not None and _is_emergency(page)
        if self._card is not None and (page is None or emergency is not self._card_is_for_emergencies):
            card, self._card = self._card, None
            self._dwell.stop()
            card.close()
        if page is None:
            return
        if self._card is None:
            self._card_is_for_emergencies = emergency
            self._card = self._make_card(self, emergency)
        self._note_displayed(page)
        self._dwell.page(page.key, _time_out_ms(page))
        position, count = self._queue.position, len(self._queue.view)
        if page.digest:
            self._card.show(DigestContent(page.items, position, count))
        else:
            self._card.show(CardContent(page.item, position, count))

    def _note_displayed(self, page: QueuedPage) -> None:
        """Before it can be seen: who is killed in between must not show it twice. An emergency comes until it was closed."""
        new = page.ids() - page.displayed
        page.displayed.update(new)
        if not _is_emergency(page):
            self._noting.displayed(new)

    def _leave(self, *, put_off: bool = False) -> None:
        """The page on top is done: show the next one, or close."""
        page = self._queue.top
        if page is not None:
            if _is_emergency(page) and not put_off:
                self._noting.displayed(page.displayed)
            self._queue.drop([page])
        self._show_or_close()

    def _stayed(self, key: str) -> None:
        """It could be seen long enough. Whether anybody could look at it is asked before it counts."""
        self._confirming = key
        self._ask_presence()

    def _confirm_seen(self, presence: PresenceState) -> None:
        key, self._confirming = self._confirming, ""
        page = self._queue.top
        if not key or page is None or not self._dwell.stays(key) or self._in_the_way(page, presence):
            return
        page.seen = True
        if not page.digest:
            self._noting.record(key, InteractionKind.SEEN)

    def _timed_out(self) -> None:
        """What was on the screen goes; what was not yet takes its place."""
        gone = [page for page in self._queue.view if page.displayed]
        self._queue.drop(gone)
        self._note_timed_out(gone)
        self._show_or_close()

    def _note_timed_out(self, pages: list[QueuedPage]) -> None:
        for campaign_id in sorted(campaign_id for page in pages for campaign_id in page.displayed):
            self._noting.record(campaign_id, InteractionKind.TIMED_OUT)

    # What the card tells

    def visible(self, on_screen: bool) -> None:
        """The card can be seen, or no more."""
        self._dwell.visible(on_screen)

    def hovered(self, under_pointer: bool) -> None:
        """The pointer is over the card, or left it."""
        self._dwell.hovered(under_pointer)

    def turn(self, pages: int) -> None:
        """Some pages forward, or back."""
        if self._queue.turn(pages):
            self._show_or_close()

    def dismiss(self) -> None:
        """The person closed this page. What a digest named stays unread."""
        if self.shown:
            self._noting.record(self.shown, InteractionKind.DISMISSED)
        self._leave()

    def expired(self) -> None:
        """It went by itself: a notification of the desktop's does so whenever its server likes."""
        if self._queue.top is not None:
            self._timed_out()

    def follow(self, link_id: str) -> None:
        """A link was clicked: open it in the browser, if the company allows where it leads."""
        if self.shown and self._recorder.follow_link(self.shown, link_id, self._actions.open_url):
            self._leave()

    def watch(self) -> None:
        """The video, in its own window."""
        if self.shown:
            self._actions.play(self.shown)
            self._leave()

    def like(self, liked: bool) -> None:
        """The heart, or taking it back."""
        if self.shown:
            self._recorder.record(self.shown, InteractionKind.LIKED if liked else InteractionKind.UNLIKED)

    def acknowledge(self) -> None:
        """The person confirms by name that they have read it. The page stays and says so."""
        page = self._queue.top
        if page is not None and self.shown:
            page.confirmed = self._recorder.acknowledge(self.shown)

    def later(self, delay_s: float | None) -> None:
        """Show it again after so many seconds, or at the next login."""
        if self.shown and self._recorder.remind(self.shown, delay_s):
            self._leave(put_off=True)

    def open_inbox(self, campaign_id: str = "") -> None:
        """The person goes on in the inbox, with one of those on this page or with all."""
        self._actions.show_inbox(campaign_id or self.shown)
        self._leave()

    def change(self) -> None:
        """The person wants to change what is shared."""
        self._actions.show_choices()


def _is_emergency(page: QueuedPage) -> bool:
    return page.urgency is Urgency.EMERGENCY


def _time_out_ms(page: QueuedPage) -> int | None:
    """A digest has more to be read, by somebody who has just come back."""
    return limits.POPUP_TIMEOUT_URGENT_MS if page.digest else time_out_ms(page.urgency)

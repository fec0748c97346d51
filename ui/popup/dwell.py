"""How long one page stays before somebody's eyes: long enough to count as seen, and until it goes by itself."""

from __future__ import annotations

from collections.abc import Callable

from agent.domain import limits
from agent.domain.model import Urgency
from agent.domain.ports import Clock
from ui.core.timers import Call, Timers

LEAST_AFTER_POINTER_MS = 3_000
"""What is left of the time-out, at least, when the pointer leaves: nothing vanishes under the person's hand."""


def time_out_ms(urgency: Urgency) -> int | None:
    """How long a pop-up stays by itself, in milliseconds; None until the person closes it."""
    if urgency is Urgency.EMERGENCY:
        return None
    return limits.POPUP_TIMEOUT_URGENT_MS if urgency is Urgency.URGENT else limits.POPUP_TIMEOUT_MS


class Dwell:
    """Two timers for the page on the screen.

    *Seen* needs ``limits.SEEN_AFTER_MS`` in one piece: the card can be seen and the screen is not locked. The time-out waits
    while the pointer is over the card, and while nobody could look.
    """

    def __init__(
        self, timers: Timers, clock: Clock, *, seen: Callable[[str], None], timed_out: Callable[[], None]
    ) -> None:
        self._timers = timers
        self._clock = clock
        self._seen = seen
        self._timed_out = timed_out
        self._page = ""
        self._visible = self._locked = self._hovered = False
        self._left_ms: float | None = None
        self._running_since = 0.0
        self._seen_call: Call | None = None
        self._end_call: Call | None = None

    def page(self, campaign_id: str, stays_ms: int | None) -> None:
        """This page is on the screen now. Saying it again changes nothing."""
        if campaign_id != self._page:
            self._halt()
            self._page, self._left_ms = campaign_id, stays_ms
            self._go_on()

    def stop(self) -> None:
        """No page any more."""
        self._halt()
        self._page = ""
        self._visible = self._hovered = False

    def visible(self, on_screen: bool) -> None:
        self._visible = on_screen
        self._look_again()

    def locked(self, locked: bool) -> None:
        self._locked = locked
        self._look_again()

    def hovered(self, under_pointer: bool) -> None:
        if self._hovered and not under_pointer and self._left_ms is not None:
            self._left_ms = max(self._left_ms, LEAST_AFTER_POINTER_MS)
        self._hovered = under_pointer
        self._look_again()

    def stays(self, campaign_id: str) -> bool:
        """Whether this page is the one that can be seen."""
        return campaign_id == self._page and self._can_be_seen()

    def _can_be_seen(self) -> bool:
        return bool(self._page) and self._visible and not self._locked

    def _look_again(self) -> None:
        if not self._can_be_seen():
            self._halt()
            return
        if self._hovered:
            self._halt_time_out()
        self._go_on()

    def _go_on(self) -> None:
        if not self._can_be_seen():
            return
        if self._seen_call is None:
            self._seen_call = self._timers.after(limits.SEEN_AFTER_MS, self._tell_seen)
        if self._end_call is None and self._left_ms is not None and not self._hovered:
            self._running_since = self._clock.monotonic()
            self._end_call = self._timers.after(self._left_ms, self._tell_timed_out)

    def _halt(self) -> None:
        if self._seen_call is not None:
            self._seen_call.cancel()
            self._seen_call = None
        self._halt_time_out()

    def _halt_time_out(self) -> None:
        if self._end_call is not None and self._left_ms is not None:
            self._end_call.cancel()
            self._end_call = None
            passed_ms = (self._clock.monotonic() - self._running_since) * 1000
            self._left_ms = max(self._left_ms - passed_ms, 0.0)

    def _tell_seen(self) -> None:
        self._seen(self._page)

    def _tell_timed_out(self) -> None:
        self._end_call = None
        self._timed_out()

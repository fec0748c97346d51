"""What the presenter and a pop-up tell one another, and what the presenter lets others do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.domain import errors
from agent.domain.model import InboxItem, PresenceState


@dataclass(frozen=True)
class CardContent:
    """One page of the pop-up. ``position`` counts from 1."""

    item: InboxItem
    position: int
    count: int


@dataclass(frozen=True)
class DigestContent:
    """One page for all that was missed in an absence, newest first. ``position`` counts from 1."""

    items: tuple[InboxItem, ...]
    position: int
    count: int


class Card(Protocol):
    """The pop-up on the screen. It tells the presenter what the person does and whether it can be seen."""

    def show(self, content: CardContent | DigestContent) -> None:
        """Show this page, in place of the one before."""

    def look(self) -> None:
        """Tell anew whether it can be seen, where that changes without a word of the desktop."""

    def close(self) -> None:
        """Leave the screen."""


class PopupEvents(Protocol):
    """What a pop-up tells of the person and of the screen. All are called on the main thread."""

    @property
    def shown(self) -> str:
        """The id of the campaign on the screen, empty for none and for a digest."""

    def visible(self, on_screen: bool) -> None:
        """The card can be seen, or no more."""

    def hovered(self, under_pointer: bool) -> None:
        """The pointer is over the card, or left it."""

    def turn(self, pages: int) -> None:
        """Some pages forward, or back."""

    def dismiss(self) -> None:
        """The person closed this page."""

    def expired(self) -> None:
        """It went by itself."""

    def follow(self, link_id: str) -> None:
        """A link was clicked."""

    def watch(self) -> None:
        """The person wants to see the video."""

    def like(self, liked: bool) -> None:
        """The heart, or taking it back."""

    def acknowledge(self) -> None:
        """The person confirms by name that they have read it."""

    def later(self, delay_s: float | None) -> None:
        """Show it again after so many seconds, or at the next login."""

    def open_inbox(self, campaign_id: str = "") -> None:
        """The person goes on in the inbox."""

    def change(self) -> None:
        """The person wants to change what is shared."""

    def after_a_look(self, call: Callable[[], None]) -> None:
        """Call this once it is known whether somebody may look now, and what is in the way has left."""


class MakeCard(Protocol):
    """Makes the widget that shows an announcement."""

    def __call__(self, events: PopupEvents, emergency: bool, /) -> Card:
        """A card of its own kind for emergencies, which cover every screen."""


class Actions(Protocol):
    """What the presenter lets others do."""

    def ask_presence(self, answer: Callable[[PresenceState], None]) -> None:
        """Ask the desktop, off the main thread; ``answer`` is called on it."""

    def open_url(self, url: str) -> bool:
        """In the browser. Returns whether one was started."""

    def play(self, campaign_id: str) -> None:
        """The campaign's video, in the player."""

    def show_inbox(self, campaign_id: str = "") -> None:
        """The inbox, at a campaign if one is named."""

    def show_choices(self) -> None:
        """The window in which the person says what is shared."""

    def tell(self, fault: errors.TidingsError, *, quietly: bool = False) -> None:
        """Show what went wrong; ``quietly`` where the person did nothing, and works elsewhere."""

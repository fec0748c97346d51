"""What the presenter and a pop-up say to one another, and what the presenter lets others do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent import errors
from agent.model import InboxItem, PresenceState

if TYPE_CHECKING:
    from ui.presenter import Presenter


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

    def close(self) -> None:
        """Leave the screen."""


class MakeCard(Protocol):
    def __call__(self, presenter: Presenter, emergency: bool) -> Card:
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

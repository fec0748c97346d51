"""A process that displays whatever is due, one page after the other, and says of each when it can be seen.

`python -m … FOLDER SECONDS`. The wall clock is off by so many seconds. The presenter and the store are the real ones.
"""

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.domain import errors
from agent.domain.model import PresenceState
from tests.support.agent.parts import SettableClock, an_agent
from ui.popup.ports import CardContent, DigestContent
from ui.popup.presenter import Presenter

ALL = "all"


class Paper:
    """A pop-up on standard output."""

    def show(self, content: CardContent | DigestContent) -> None:
        """Once for each page, as long as it is on top."""
        items = content.items if isinstance(content, DigestContent) else (content.item,)
        say("+".join(item.campaign.campaign_id for item in items))

    def look(self) -> None:
        """Nothing is in front of it."""

    def close(self) -> None:
        """Nothing is left of it."""


class Alone:
    """Nobody is in the way, and nothing is opened."""

    def ask_presence(self, answer: Callable[[PresenceState], None]) -> None:
        """At once."""
        answer(PresenceState())

    def open_url(self, url: str) -> bool:
        """No browser."""
        return False

    def play(self, campaign_id: str) -> None:
        """No player."""

    def show_inbox(self, campaign_id: str = "") -> None:
        """No inbox."""

    def show_choices(self) -> None:
        """No window."""

    def tell(self, fault: errors.TidingsError, *, quietly: bool = False) -> None:
        """What went wrong ends the process."""
        raise fault


class NoTimers:
    """Nothing comes by itself."""

    def after(self, delay_ms: float, call: Callable[[], None]) -> "NoTimers":
        """Never."""
        return self

    def cancel(self) -> None:
        """It was never to come."""


def say(text: str) -> None:
    """A line that is there at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def display(folder: Path, offset: timedelta) -> None:
    """All that is due; then stays until it is killed."""
    with an_agent(folder, clock=SettableClock(datetime.now(UTC) + offset)) as agent:
        agent.runtime.preferences.change({"popups_per_hour": 0})
        presenter = Presenter(agent.runtime, lambda *_: Paper(), Alone(), NoTimers(), agent.clock)
        presenter.refresh()
        while presenter.shown:
            presenter.dismiss()
        say(ALL)
        threading.Event().wait()


if __name__ == "__main__":
    display(Path(sys.argv[1]), timedelta(seconds=float(sys.argv[2])))

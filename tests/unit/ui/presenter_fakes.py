"""What the presenter talks to: a pop-up on paper, and everything around it."""

from collections.abc import Callable

from agent.domain import errors
from agent.domain.model import PresenceState
from tests.unit.ui.memory_agent import ManualTime, MemoryAgent
from ui.popup.ports import CardContent, DigestContent, PopupEvents
from ui.popup.presenter import Presenter


class PaperCard:
    """A pop-up on paper: what it shows, and whether it is there."""

    def __init__(self, on_show: Callable[[], object] = lambda: None) -> None:
        self.content: CardContent | DigestContent | None = None
        self.open = True
        self.emergency = False
        self.on_look: Callable[[], object] = lambda: None
        self._on_show = on_show

    def show(self, content: CardContent | DigestContent) -> None:
        assert self.open, "a closed card is never shown again"
        self.content = content
        self._on_show()

    def look(self) -> None:
        self.on_look()

    def close(self) -> None:
        self.open = False


def name(content: CardContent | DigestContent) -> str:
    if isinstance(content, CardContent):
        return content.item.campaign.campaign_id
    return "+".join(item.campaign.campaign_id for item in content.items)


class Fakes:
    """The presenter with everything around it."""

    def __init__(self) -> None:
        self.time = ManualTime()
        self.agent = MemoryAgent(self.time)
        self.presence = PresenceState()
        self.covered: bool | None = None
        """Whether another window covers the card; None where nobody knows."""
        self.asked = 0
        self.cards: list[PaperCard] = []
        self.opened: list[str] = []
        self.played: list[str] = []
        self.told: list[errors.TidingsError] = []
        self.told_quietly: list[errors.TidingsError] = []
        self.choices_shown = 0
        self.inbox_shown: list[str] = []
        self.on_show: Callable[[], object] = lambda: None
        self.presenter = Presenter(self.agent, self._make_card, self, self.time, self.time)
        self.agent.subscribe(lambda _change: self.time.after(0, self.presenter.refresh) and None)

    def _make_card(self, events: PopupEvents, emergency: bool) -> PaperCard:
        self.cards.append(PaperCard(self.on_show))
        self.cards[-1].emergency = emergency
        self.cards[-1].on_look = lambda: self.covered is None or events.visible(not self.covered)
        self.time.after(0, lambda: events.visible(True))
        return self.cards[-1]

    def ask_presence(self, answer: Callable[[PresenceState], None]) -> None:
        self.asked += 1
        self.time.after(1, lambda: answer(self.presence))

    def open_url(self, url: str) -> bool:
        self.opened.append(url)
        return True

    def play(self, campaign_id: str) -> None:
        self.played.append(campaign_id)

    def show_inbox(self, campaign_id: str = "") -> None:
        self.inbox_shown.append(campaign_id)

    def show_choices(self) -> None:
        self.choices_shown += 1

    def tell(self, fault: errors.TidingsError, *, quietly: bool = False) -> None:
        (self.told_quietly if quietly else self.told).append(fault)

    @property
    def shown(self) -> list[str]:
        """What is on the screen, with its place: "c-1 1/2"; nothing when no card is open."""
        cards = [card for card in self.cards if card.open and card.content]
        return [f"{name(c)} {c.position}/{c.count}" for card in cards if (c := card.content)]

    def arrives(self, *campaigns: object) -> None:
        self.agent.arrives(*campaigns)  # type: ignore[arg-type]
        self.time.pass_by(0.1)

"""The presenter's pop-up as it stands on the screen, with the person's clicks."""

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from agent.domain.model import InteractionKind, Urgency
from tests.unit.ui.memory_agent import COMPANY, campaign
from tests.unit.ui.presenter_fakes import Fakes
from ui.popup import view_models
from ui.popup.hosts.window import PopupHost
from ui.popup.pages import PopupPage
from ui.popup.ports import CardContent, DigestContent, PopupEvents
from ui.popup.presenter import Presenter
from ui.popup.widgets.card import PopupCard
from ui.style.theme import Theme
from ui.widgets.buttons import Button

pytestmark = pytest.mark.usefixtures("presses_count")

LEFT = Qt.MouseButton.LeftButton


class ScreenFakes(Fakes):
    """The presenter with real pop-ups."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.hosts: list[PopupHost] = []
        self.presenter = Presenter(self.agent, self._make_host, self, self.time, self.time)

    def _make_host(self, events: PopupEvents, _emergency: bool) -> PopupHost:
        self.hosts.append(PopupHost(events, self._page, self._theme, timers=self.time))
        return self.hosts[-1]

    def _page(self, content: CardContent | DigestContent) -> PopupPage:
        if isinstance(content, DigestContent):
            return view_models.digest_page(
                content, COMPANY, self.agent.choices(), self.agent.media_path, self.time.now()
            )
        return view_models.popup_page(
            content, COMPANY, self.agent.choices(), self.agent.media_path, self.time.now()
        )

    @property
    def card(self) -> PopupCard:
        return self.hosts[-1].card


@pytest.fixture
def fakes(qtbot: QtBot, theme: Theme) -> Iterator[ScreenFakes]:
    fakes = ScreenFakes(theme)
    yield fakes
    fakes.presenter.close()


def click(qtbot: QtBot, fakes: ScreenFakes, button: Button) -> None:
    qtbot.mouseClick(button, LEFT)
    fakes.time.pass_by(0.1)


def test_i_have_read_this_reaches_the_agent_and_the_page_stays_and_says_so(
    qtbot: QtBot, fakes: ScreenFakes
) -> None:
    fakes.arrives(campaign(urgency=Urgency.URGENT, acknowledge=True))
    acknowledge = fakes.card.acknowledge
    click(qtbot, fakes, acknowledge.ask)
    fakes.time.pass_by(3)
    click(qtbot, fakes, acknowledge.question.confirm)
    assert fakes.agent.items["c-1"].state.acknowledged is not None
    assert fakes.card.isVisible()
    assert acknowledge.done.isVisible()
    assert InteractionKind.CLICKED not in fakes.agent.acts("c-1")


def test_news_of_the_person_do_not_close_the_question(qtbot: QtBot, fakes: ScreenFakes) -> None:
    fakes.arrives(campaign(urgency=Urgency.URGENT, acknowledge=True))
    click(qtbot, fakes, fakes.card.acknowledge.ask)
    fakes.agent.choose(dict.fromkeys(COMPANY.signals, True))
    fakes.time.pass_by(0.1)
    assert fakes.card.acknowledge.question.isVisible()


def test_a_campaign_that_is_recalled_vanishes_from_the_screen(fakes: ScreenFakes) -> None:
    fakes.arrives(campaign("c-1"), campaign("c-2"))
    first, card = fakes.presenter.shown, fakes.card
    fakes.agent.recall(first)
    fakes.time.pass_by(0.1)
    assert fakes.card is card
    assert card.isVisible()
    assert fakes.presenter.shown not in ("", first)
    fakes.agent.recall(fakes.presenter.shown)
    fakes.time.pass_by(0.1)
    assert not card.isVisible()


def test_a_campaign_that_ends_vanishes_from_the_screen_at_that_moment(fakes: ScreenFakes) -> None:
    ending = msgspec.structs.replace(
        campaign(urgency=Urgency.URGENT), ends=fakes.time.now().replace(second=30)
    )
    fakes.arrives(ending)
    fakes.card.hover_changed.emit(True)
    fakes.time.pass_by(25)
    assert fakes.card.isVisible()
    fakes.time.pass_by(10)
    assert not fakes.card.isVisible()

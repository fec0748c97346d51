"""The presenter's pop-up as it stands on the screen, with the person's clicks."""

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from agent.domain.model import InteractionKind, Urgency
from tests.unit.ui.desk import COMPANY, campaign
from tests.unit.ui.presenter_desk import Desk
from ui.popup import view_models
from ui.popup.hosts.window import PopupHost
from ui.popup.pages import PopupPage
from ui.popup.ports import CardContent, DigestContent, PopupEvents
from ui.popup.presenter import Presenter
from ui.popup.widgets.card import PopupCard
from ui.style.theme import Theme
from ui.widgets.buttons import Button

LEFT = Qt.MouseButton.LeftButton


class ScreenDesk(Desk):
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
def desk(qtbot: QtBot, theme: Theme) -> Iterator[ScreenDesk]:
    desk = ScreenDesk(theme)
    yield desk
    desk.presenter.close()


def click(qtbot: QtBot, desk: ScreenDesk, button: Button) -> None:
    qtbot.mouseClick(button, LEFT)
    desk.time.pass_by(0.1)


def test_i_have_read_this_reaches_the_agent_and_the_page_stays_and_says_so(
    qtbot: QtBot, desk: ScreenDesk
) -> None:
    desk.arrives(campaign(urgency=Urgency.URGENT, acknowledge=True))
    acknowledge = desk.card.acknowledge
    click(qtbot, desk, acknowledge.ask)
    desk.time.pass_by(3)
    click(qtbot, desk, acknowledge.question.confirm)
    assert desk.agent.items["c-1"].state.acknowledged is not None
    assert desk.card.isVisible()
    assert acknowledge.done.isVisible()
    assert InteractionKind.CLICKED not in desk.agent.acts("c-1")


def test_news_of_the_person_do_not_close_the_question(qtbot: QtBot, desk: ScreenDesk) -> None:
    desk.arrives(campaign(urgency=Urgency.URGENT, acknowledge=True))
    click(qtbot, desk, desk.card.acknowledge.ask)
    desk.agent.choose(dict.fromkeys(COMPANY.signals, True))
    desk.time.pass_by(0.1)
    assert desk.card.acknowledge.question.isVisible()


def test_a_campaign_that_is_recalled_vanishes_from_the_screen(desk: ScreenDesk) -> None:
    desk.arrives(campaign("c-1"), campaign("c-2"))
    first, card = desk.presenter.shown, desk.card
    desk.agent.recall(first)
    desk.time.pass_by(0.1)
    assert desk.card is card
    assert card.isVisible()
    assert desk.presenter.shown not in ("", first)
    desk.agent.recall(desk.presenter.shown)
    desk.time.pass_by(0.1)
    assert not card.isVisible()


def test_a_campaign_that_ends_vanishes_from_the_screen_at_that_moment(desk: ScreenDesk) -> None:
    ending = msgspec.structs.replace(
        campaign(urgency=Urgency.URGENT), ends=desk.time.now().replace(second=30)
    )
    desk.arrives(ending)
    desk.card.hover_changed.emit(True)
    desk.time.pass_by(25)
    assert desk.card.isVisible()
    desk.time.pass_by(10)
    assert not desk.card.isVisible()

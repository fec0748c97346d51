"""An emergency as it stands on the screen: what closes it, what does not, and where keys go."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton
from pytestqt.qtbot import QtBot

from agent.domain.model import InteractionKind, PresenceState, Tristate, Urgency
from tests.support.ui.gallery_emergency import emergency_page
from tests.unit.ui.memory_agent import COMPANY, VIDEO, campaign
from tests.unit.ui.presenter_fakes import Fakes
from ui.popup import view_models
from ui.popup.hosts.emergency import EmergencyHost
from ui.popup.pages import PopupPage
from ui.popup.ports import CardContent, DigestContent, PopupEvents
from ui.popup.presenter import Presenter
from ui.popup.widgets.emergency import EmergencyCover
from ui.style.theme import Theme
from ui.widgets.buttons import Button

LEFT = Qt.MouseButton.LeftButton
READY_S = 3.1


class EmergencyFakes(Fakes):
    """The presenter with real covers."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.hosts: list[EmergencyHost] = []
        self.presenter = Presenter(self.agent, self._make_host, self, self.time, self.time)

    def _make_host(self, events: PopupEvents, emergency: bool) -> EmergencyHost:
        assert emergency
        self.hosts.append(EmergencyHost(events, self._page, self._theme, timers=self.time))
        return self.hosts[-1]

    def _page(self, content: CardContent | DigestContent) -> PopupPage:
        assert isinstance(content, CardContent)
        return view_models.popup_page(
            content, COMPANY, self.agent.choices(), self.agent.media_path, self.time.now()
        )

    def restarts(self) -> None:
        self.presenter.close()
        self.presenter = Presenter(self.agent, self._make_host, self, self.time, self.time)
        self.presenter.refresh()
        self.time.pass_by(0.1)

    @property
    def cover(self) -> EmergencyCover:
        return self.hosts[-1].cover

    def comes(self, campaign_id: str = "c-1", *, acknowledge: bool = False) -> None:
        self.arrives(campaign(campaign_id, urgency=Urgency.EMERGENCY, acknowledge=acknowledge))


@pytest.fixture
def fakes(qtbot: QtBot, theme: Theme) -> Iterator[EmergencyFakes]:
    fakes = EmergencyFakes(theme)
    yield fakes
    fakes.presenter.close()


def click(qtbot: QtBot, fakes: Fakes, button: QPushButton) -> None:
    qtbot.mouseClick(button, LEFT)
    fakes.time.pass_by(0.1)


def test_it_covers_the_whole_screen_and_shows_its_text(fakes: EmergencyFakes) -> None:
    fakes.comes()
    assert fakes.cover.geometry() == fakes.cover.screen().geometry()
    assert fakes.cover.title.text() == "About c-1"
    assert fakes.cover.card.geometry().center().x() == pytest.approx(fakes.cover.rect().center().x(), abs=1)


def test_a_click_in_its_first_moments_does_not_close_it(qtbot: QtBot, fakes: EmergencyFakes) -> None:
    fakes.comes()
    click(qtbot, fakes, fakes.cover.guard.first)
    assert not fakes.cover.guard.question.isVisible()
    fakes.time.pass_by(READY_S)
    click(qtbot, fakes, fakes.cover.guard.first)
    assert fakes.cover.guard.question.isVisible()


def test_a_double_click_on_close_does_not_close_it(qtbot: QtBot, fakes: EmergencyFakes) -> None:
    fakes.comes()
    fakes.time.pass_by(READY_S)
    first = fakes.cover.guard.first
    place = first.mapTo(fakes.cover, first.rect().center())
    click(qtbot, fakes, first)
    under_it = fakes.cover.childAt(place)
    if isinstance(under_it, Button):
        click(qtbot, fakes, under_it)
    click(qtbot, fakes, fakes.cover.guard.yes)
    assert fakes.cover.isVisible()
    assert InteractionKind.DISMISSED not in fakes.agent.acts("c-1")


def test_two_deliberate_steps_close_it(qtbot: QtBot, fakes: EmergencyFakes) -> None:
    fakes.comes()
    fakes.time.pass_by(READY_S)
    cover = fakes.cover
    click(qtbot, fakes, cover.guard.first)
    fakes.time.pass_by(1)
    click(qtbot, fakes, cover.guard.yes)
    assert not cover.isVisible()
    assert InteractionKind.DISMISSED in fakes.agent.acts("c-1")


def test_keep_it_open_goes_back_to_the_first_step(qtbot: QtBot, fakes: EmergencyFakes) -> None:
    fakes.comes()
    fakes.time.pass_by(READY_S)
    click(qtbot, fakes, fakes.cover.guard.first)
    click(qtbot, fakes, fakes.cover.guard.keep)
    assert fakes.cover.guard.first.isVisible()
    assert not fakes.cover.guard.question.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_A])
def test_keys_that_were_meant_for_another_program_do_nothing(
    qtbot: QtBot, fakes: EmergencyFakes, key: Qt.Key
) -> None:
    fakes.comes(acknowledge=True)
    fakes.time.pass_by(READY_S)
    for _ in range(3):
        qtbot.keyClick(fakes.cover.focusWidget() or fakes.cover, key)
        fakes.time.pass_by(2)
    assert fakes.cover.isVisible()
    assert not fakes.cover.guard.question.isVisible()
    assert not fakes.cover.acknowledge.question.isVisible()
    assert fakes.agent.acts("c-1") == []


def test_the_keyboard_comes_to_the_text_and_closes_it_in_two_steps(
    qtbot: QtBot, fakes: EmergencyFakes
) -> None:
    fakes.comes()
    cover = fakes.cover
    assert cover.focusWidget() is None, "at first it takes no keys"
    fakes.time.pass_by(READY_S)
    assert cover.focusWidget() is cover.text
    cover.guard.first.setFocus()
    qtbot.keyClick(cover.guard.first, Qt.Key.Key_Return)
    assert cover.focusWidget() is cover.guard.keep
    qtbot.keyClick(cover.guard.keep, Qt.Key.Key_Escape)
    assert cover.focusWidget() is cover.guard.first
    qtbot.keyClick(cover.guard.first, Qt.Key.Key_Space)
    fakes.time.pass_by(1)
    qtbot.keyClick(cover.guard.yes, Qt.Key.Key_Return)
    assert not cover.isVisible()


def test_a_window_managers_own_way_does_not_close_it(fakes: EmergencyFakes) -> None:
    fakes.comes()
    event = QCloseEvent()
    QApplication.sendEvent(fakes.cover, event)
    assert not event.isAccepted()
    assert fakes.cover.isVisible()


def test_the_next_one_takes_its_place_and_must_be_read_too(qtbot: QtBot, fakes: EmergencyFakes) -> None:
    fakes.comes("c-1")
    fakes.comes("c-2")
    assert fakes.cover.position.text() == "1 of 2"
    fakes.time.pass_by(READY_S)
    click(qtbot, fakes, fakes.cover.guard.first)
    fakes.time.pass_by(1)
    click(qtbot, fakes, fakes.cover.guard.yes)
    assert fakes.cover.title.text() == "About c-2"
    assert not fakes.cover.guard.first.isEnabled()
    assert len(fakes.hosts) == 1


def test_one_that_is_recalled_uncovers_the_screen(fakes: EmergencyFakes) -> None:
    fakes.comes()
    cover = fakes.cover
    fakes.agent.recall("c-1")
    fakes.time.pass_by(0.1)
    assert not cover.isVisible()


def test_nothing_in_it_can_be_pressed_in_its_first_moments(qtbot: QtBot, fakes: EmergencyFakes) -> None:
    fakes.agent.media[VIDEO.sha256] = Path("video.mp4")
    fakes.arrives(campaign(urgency=Urgency.EMERGENCY, acknowledge=True, video=VIDEO))
    cover = fakes.cover
    buttons = [button for button in cover.findChildren(QAbstractButton) if button.isVisible()]
    assert {cover.watch, cover.like, cover.picture.play, cover.acknowledge.ask} <= set(buttons)
    assert not any(button.isEnabled() for button in buttons)
    for button in buttons:
        qtbot.mouseClick(button, LEFT)
    assert (fakes.opened, fakes.played, fakes.agent.recorded) == ([], [], [])
    assert not cover.acknowledge.question.isVisible()
    fakes.time.pass_by(READY_S)
    assert all(button.isEnabled() for button in buttons)
    click(qtbot, fakes, cover.watch)
    assert fakes.played == ["c-1"]


def test_it_leaves_a_screen_that_is_locked_and_is_there_when_it_is_open_again(fakes: EmergencyFakes) -> None:
    fakes.comes()
    fakes.time.pass_by(20)
    cover = fakes.cover
    fakes.presence = PresenceState(locked=Tristate.YES)
    fakes.time.pass_by(6)
    assert not cover.isVisible()
    fakes.time.pass_by(3_600)
    assert len(fakes.hosts) == 1
    fakes.presence = PresenceState(locked=Tristate.NO)
    fakes.time.pass_by(6)
    assert fakes.cover.isVisible()
    assert not fakes.cover.guard.first.isEnabled()


def test_a_screen_that_changes_while_it_is_locked_does_not_bring_it_above_the_lock(
    fakes: EmergencyFakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.comes()
    fakes.time.pass_by(1)
    raised: list[str] = []
    monkeypatch.setattr(fakes.cover, "raise_", lambda: raised.append("raised"))
    fakes.cover.screen().geometryChanged.emit(fakes.cover.geometry())
    fakes.time.pass_by(0.1)
    assert raised == ["raised"], "an open screen is covered again"
    fakes.presence = PresenceState(locked=Tristate.YES)
    cover = fakes.cover
    cover.screen().geometryChanged.emit(cover.geometry())
    fakes.time.pass_by(0.1)
    assert raised == ["raised"]
    assert not cover.isVisible()


def test_one_that_nobody_closed_is_there_after_a_restart_and_one_that_was_closed_is_not(
    qtbot: QtBot, fakes: EmergencyFakes, theme: Theme
) -> None:
    fakes.comes()
    fakes.time.pass_by(60)
    fakes.restarts()
    assert fakes.cover.isVisible()
    fakes.time.pass_by(READY_S)
    click(qtbot, fakes, fakes.cover.guard.first)
    fakes.time.pass_by(1)
    click(qtbot, fakes, fakes.cover.guard.yes)
    fakes.restarts()
    assert len(fakes.hosts) == 2
    fakes.agent.interactions.mark_read(["c-1"], False)
    fakes.time.pass_by(1)
    assert len(fakes.hosts) == 2, "marked as unread it does not come again"


def test_confirming_it_was_read_keeps_it_and_says_so(qtbot: QtBot, fakes: EmergencyFakes) -> None:
    fakes.comes(acknowledge=True)
    fakes.time.pass_by(READY_S)
    acknowledge = fakes.cover.acknowledge
    click(qtbot, fakes, acknowledge.ask)
    fakes.time.pass_by(3)
    click(qtbot, fakes, acknowledge.question.confirm)
    assert fakes.agent.items["c-1"].state.acknowledged is not None
    assert acknowledge.done.isVisible()


def test_news_of_the_same_one_do_not_make_its_close_button_wait_again(
    qtbot: QtBot, fakes: EmergencyFakes
) -> None:
    fakes.comes()
    fakes.time.pass_by(READY_S)
    fakes.agent.choose(dict.fromkeys(COMPANY.signals, True))
    fakes.time.pass_by(0.1)
    assert fakes.cover.guard.first.isEnabled()


@pytest.mark.parametrize("text_scale", [1.0, 2.0])
def test_a_long_text_is_scrolled_and_the_close_button_stays_in_sight(
    qtbot: QtBot, theme: Theme, text_scale: float
) -> None:
    cover = EmergencyCover(replace(theme, text_scale=text_scale), Fakes().time, bypass=False)
    qtbot.addWidget(cover)
    cover.resize(1024, 700)
    cover.show_page(replace(emergency_page(), body="Go to the meeting point. " * 200), anew=True)
    cover.show()
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
    assert cover.text.verticalScrollBar().maximum() > 0
    button = cover.guard.first
    assert cover.rect().contains(button.mapTo(cover, button.rect().bottomRight()))

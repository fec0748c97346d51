"""A click or key that was meant for another program, or for what stood there before, counts for nothing (ADR 59)."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from agent.domain.model import FeedbackSignal
from tests.support.ui import gallery_data as data
from tests.support.ui import gallery_player, gallery_popup
from tests.unit.ui.memory_agent import ManualTime
from ui.inbox.window import InboxWindow
from ui.onboarding.first_run import FirstRunWindow
from ui.player.messages import Problem
from ui.player.window import PlayerWindow
from ui.popup.widgets.card import PopupCard
from ui.privacy.confirm_window import ConfirmWindow
from ui.privacy.window import PrivacyWindow
from ui.style.theme import Theme

LEFT = Qt.MouseButton.LeftButton
GUARD_S = 1.0
HINT = "One moment. This has only just come."
AT_ONCE = {
    "Remind me later",
    "Previous announcement",
    "Next announcement",
    "Mark as unread",
    "Cancel",
    "Full notice",
    "Try again",
}
"""What only shows something else, or nothing: no press of these stores, sends, deletes or opens anything elsewhere."""


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


def pop_up(theme: Theme, time: ManualTime) -> tuple[QWidget, QWidget]:
    card = PopupCard(theme, translucent=True, timers=time)
    card.show_page(replace(gallery_popup.asking_video_page(), position=2, count=3))
    card.appear(QPoint(300, 100))
    card.later_button.click()
    return card, card


def digest(theme: Theme, time: ManualTime) -> tuple[QWidget, QWidget]:
    card = PopupCard(theme, translucent=True, timers=time)
    card.show_page(gallery_popup.digest_page())
    card.appear(QPoint(300, 100))
    return card, card


def inbox(theme: Theme, time: ManualTime) -> tuple[QWidget, QWidget]:
    window = InboxWindow(theme, now=lambda: data.NOW, timers=time)
    window.show_items(data.items(), data.media_path, data.choices(), data.status())
    window.show()
    window.open(next(item for item in data.items() if item.campaign.variant("en").video).campaign.campaign_id)
    window.offer_reminder()
    return window, window.detail


def privacy(theme: Theme, time: ManualTime) -> tuple[QWidget, QWidget]:
    window = PrivacyWindow(theme, now=lambda: data.NOW, timers=time)
    window.show_state(data.status(), data.choices())
    window.show()
    return window, window.share


def deleting(theme: Theme, time: ManualTime) -> tuple[QWidget, QWidget]:
    window = ConfirmWindow(theme, "Delete all you shared?", ["It is gone for good."], "Delete", time)
    window.show()
    return window, window


def welcome(theme: Theme, time: ManualTime) -> tuple[QWidget, QWidget]:
    window = FirstRunWindow(theme, time)
    window.show_choose(data.person(), data.company(), data.choices(*FeedbackSignal))
    window.show()
    return window, window.choose_page


def player(theme: Theme, time: ManualTime) -> tuple[QWidget, QWidget]:
    window = PlayerWindow(gallery_player.request(QSize(1280, 720), Problem.CRASHED), theme, timers=time)
    window.begin()
    return window, window


@pytest.mark.parametrize("make", [pop_up, digest, inbox, privacy, deleting, welcome, player])
def test_no_press_counts_before_what_it_lands_on_has_stood_for_a_second(
    make: Callable[[Theme, ManualTime], tuple[QWidget, QWidget]], theme: Theme, time: ManualTime, qtbot: QtBot
) -> None:
    window, page = make(theme, time)
    qtbot.addWidget(window)
    if not isinstance(window, PopupCard):
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
    guarded = [
        button
        for button in page.findChildren(QAbstractButton)
        if button.isVisible() and button.isEnabled() and button.accessibleName() not in AT_ONCE
    ]
    names = [button.accessibleName() for button in guarded]
    pressed: list[str] = []
    for name, button in zip(names, guarded, strict=True):
        button.clicked.connect(lambda _on=False, name=name: pressed.append(name))
    for button in guarded:
        for press in (qtbot.mouseClick, qtbot.mouseDClick):
            press(button, LEFT)
        for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
            qtbot.keyClick(button, key)
        time.pass_by(GUARD_S * 0.9)
    assert guarded
    assert pressed == []
    assert any(hint.isVisible() and hint.text() == HINT for hint in window.findChildren(QLabel))
    for button in guarded:
        time.pass_by(GUARD_S)
        assert not any(hint.isVisible() for hint in window.findChildren(QLabel) if hint.text() == HINT)
        qtbot.mouseClick(button, LEFT)
    assert pressed == names


@pytest.fixture
def card(theme: Theme, time: ManualTime, qtbot: QtBot) -> PopupCard:
    card = PopupCard(theme, translucent=True, timers=time)
    qtbot.addWidget(card)
    card.show_page(data.video_page())
    card.appear(QPoint(300, 100))
    time.pass_by(GUARD_S)
    return card


def test_the_page_that_comes_next_takes_no_press_that_was_meant_for_the_one_before(
    card: PopupCard, time: ManualTime, qtbot: QtBot
) -> None:
    pressed: list[str] = []
    card.watch_clicked.connect(lambda: pressed.append("watch"))
    card.dismissed.connect(lambda: pressed.append("close"))
    qtbot.mousePress(card.watch, LEFT)
    card.show_page(replace(data.video_page(), campaign_id="c-next"))
    qtbot.mouseRelease(card.watch, LEFT)
    qtbot.mouseClick(card.watch, LEFT)
    assert pressed == []
    qtbot.mouseClick(card.close_button, LEFT)
    assert pressed == ["close"], "one after the other is closed without a wait"
    time.pass_by(GUARD_S)
    qtbot.mouseClick(card.watch, LEFT)
    assert pressed == ["close", "watch"]


def test_news_of_the_same_page_make_nobody_wait(card: PopupCard, qtbot: QtBot) -> None:
    card.show_page(replace(data.video_page(), liked=True, received="2 min", position=1, count=2))
    with qtbot.waitSignal(card.watch_clicked, timeout=0, raising=False) as watched:
        qtbot.mouseClick(card.watch, LEFT)
    assert watched.signal_triggered


def test_a_pop_up_that_stands_elsewhere_takes_no_click_at_once(card: PopupCard, qtbot: QtBot) -> None:
    card.move(500, 300)
    with qtbot.assertNotEmitted(card.watch_clicked):
        qtbot.mouseClick(card.watch, LEFT)


def test_a_screen_readers_press_names_its_button_and_counts_at_once(card: PopupCard, qtbot: QtBot) -> None:
    card.show_page(replace(data.video_page(), campaign_id="c-next"))
    with qtbot.waitSignal(card.watch_clicked, timeout=0, raising=False) as watched:
        card.watch.click()
    assert watched.signal_triggered

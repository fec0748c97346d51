"""What somebody does without meaning it: a second click, a key that is held, a pointer over a text that is none of ours."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.support.ui import gallery_data as data
from tests.support.ui import gallery_popup
from ui.inbox.window import InboxWindow
from ui.player.keys import PlayerCommand, command_of
from ui.popup.widgets.card import PopupCard
from ui.style.theme import Theme
from ui.widgets.toggle import ToggleSwitch

pytestmark = pytest.mark.usefixtures("presses_count")

MARKUP = '<b>bold</b><img src="file:///etc/hostname">'


@pytest.fixture
def card(qtbot: QtBot, theme: Theme) -> PopupCard:
    card = PopupCard(theme, translucent=True)
    qtbot.addWidget(card)
    return card


def double_click(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
    middle, left = QPointF(widget.rect().center()), Qt.MouseButton.LeftButton
    place = QPointF(widget.mapToGlobal(middle))
    for kind, held in (
        (QEvent.Type.MouseButtonDblClick, left),
        (QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton),
    ):
        event = QMouseEvent(kind, middle, place, left, held, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(widget, event)


def test_the_second_half_of_a_double_click_is_nothing_for_the_announcement_that_comes_next(
    card: PopupCard, qtbot: QtBot
) -> None:
    card.show_page(data.video_page())
    card.appear(QPoint(300, 100))
    told: list[str] = []
    card.dismissed.connect(lambda: told.append("close"))
    card.watch_clicked.connect(lambda: told.append("watch"))
    card.link_clicked.connect(told.append)
    for button in (card.close_button, card.watch, card.picture.play, card.links.buttons[0]):
        told.clear()
        double_click(qtbot, button)
        assert len(told) == 1, button.accessibleName()


def test_turning_pages_fast_turns_each(card: PopupCard, qtbot: QtBot) -> None:
    card.show_page(replace(data.video_page(), position=1, count=5))
    card.appear(QPoint(300, 100))
    turned: list[int] = []
    card.next.connect(lambda: turned.append(1))
    double_click(qtbot, card.next_button)
    assert len(turned) == 2


@pytest.mark.parametrize("key", [Qt.Key.Key_H, Qt.Key.Key_M, Qt.Key.Key_Space, Qt.Key.Key_F])
def test_a_key_of_the_player_that_is_held_acts_once(key: Qt.Key) -> None:
    def event(held: bool) -> QKeyEvent:
        return QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, "", held)

    assert isinstance(command_of(event(False)), PlayerCommand)
    assert command_of(event(True)) is None


def test_a_held_like_in_the_inbox_is_one_like(qtbot: QtBot, theme: Theme) -> None:
    window = InboxWindow(theme, now=lambda: data.NOW)
    qtbot.addWidget(window)
    window.show_items(data.items(), data.media_path, data.choices(), data.status())
    window.show()
    window.list.setFocus()
    qtbot.keyClick(window.list, Qt.Key.Key_Down)
    liked: list[object] = []
    window.like_toggled.connect(lambda *said: liked.append(said))
    for held in (False, True, True):
        QApplication.sendEvent(
            window, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_L, Qt.KeyboardModifier.NoModifier, "l", held)
        )
    assert len(liked) == 1


def test_a_tool_tip_shows_a_companys_text_and_opens_no_file(card: PopupCard, qtbot: QtBot) -> None:
    card.show_page(replace(gallery_popup.picture_page(), picture_alt=MARKUP, sender=MARKUP))
    card.appear(QPoint(300, 100))
    qtbot.waitUntil(lambda: bool(card.sender_label.toolTip()))
    tips = [card.picture.toolTip(), card.sender_label.toolTip()]
    assert all("&lt;img" in tip and "<img" not in tip and tip.startswith("<qt>") for tip in tips)


def test_a_held_return_flips_a_switch_once(qtbot: QtBot, theme: Theme) -> None:
    switch = ToggleSwitch("Seen", theme)
    qtbot.addWidget(switch)
    flips: list[bool] = []
    switch.toggled.connect(flips.append)
    for held in (False, True, True):
        key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\r", held)
        QApplication.sendEvent(switch, key)
    assert flips == [True]

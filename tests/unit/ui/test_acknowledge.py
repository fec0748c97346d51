from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from tests.unit.ui.memory_agent import COMPANY, ManualTime, MemoryAgent, campaign
from ui.style.theme import Theme
from ui.widgets.acknowledge import Acknowledge, ReadRequest, read_request
from ui.widgets.buttons import Button

LEFT = Qt.MouseButton.LeftButton
REQUEST = ReadRequest("c-1", "Northwind", "Inès Martin, dpo@northwind.example")
CONFIRMED = replace(REQUEST, confirmed=datetime(2026, 11, 23, 9, 12, tzinfo=UTC))
LONG_ENOUGH_S = 5.0


class Window(QWidget):
    """A window that asks, with the question above its buttons."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.time = ManualTime()
        self.acknowledge = Acknowledge(theme, self.time)
        self.other = Button("Details")
        column = QVBoxLayout(self)
        column.addWidget(self.acknowledge)
        column.addWidget(self.acknowledge.ask)
        column.addWidget(self.other)
        self.confirmed: list[str] = []
        self.acknowledge.confirmed.connect(lambda: self.confirmed.append("yes"))
        self.acknowledge.show_request(REQUEST)

    @property
    def ask(self) -> Button:
        return self.acknowledge.ask

    @property
    def confirm(self) -> Button:
        return self.acknowledge.question.confirm


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> Window:
    window = Window(theme)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def press_key(key: Qt.Key) -> None:
    QTest.keyClick(QApplication.focusWidget(), key)


def test_it_takes_two_steps_to_confirm(qtbot: QtBot, window: Window) -> None:
    assert not window.confirm.isVisible()
    qtbot.mouseClick(window.ask, LEFT)
    window.time.pass_by(LONG_ENOUGH_S)
    assert window.confirmed == []
    qtbot.mouseClick(window.confirm, LEFT)
    assert window.confirmed == ["yes"]
    assert not window.confirm.isVisible()


def test_the_second_step_says_what_is_sent_to_whom_and_that_it_stays(qtbot: QtBot, window: Window) -> None:
    qtbot.mouseClick(window.ask, LEFT)
    said = window.acknowledge.question.text.text()
    for part in (
        "your name and the time",
        "Northwind",
        "not one of the three signals",
        "cannot be taken back",
    ):
        assert part in said
    assert "Inès Martin, dpo@northwind.example" in said
    assert window.acknowledge.question.accessibleName() == said
    assert window.confirm.accessibleDescription() == said


def test_a_double_click_opens_the_question_and_answers_nothing(qtbot: QtBot, window: Window) -> None:
    place = window.ask.mapToGlobal(window.ask.rect().center())
    qtbot.mouseClick(window.ask, LEFT)
    qtbot.mouseDClick(window.ask, LEFT)
    assert QApplication.widgetAt(place) not in (window.confirm, window.acknowledge.question.cancel)
    assert window.confirm.isVisible()
    assert not window.confirm.isEnabled()
    qtbot.mouseClick(window.confirm, LEFT)
    qtbot.mouseDClick(window.confirm, LEFT)
    assert window.confirmed == []


def test_cancel_leads_back_and_the_next_time_must_be_waited_for_again(qtbot: QtBot, window: Window) -> None:
    qtbot.mouseClick(window.ask, LEFT)
    window.time.pass_by(LONG_ENOUGH_S)
    qtbot.mouseClick(window.acknowledge.question.cancel, LEFT)
    assert not window.acknowledge.isVisible()
    assert window.ask.isEnabled()
    qtbot.mouseClick(window.ask, LEFT)
    qtbot.mouseClick(window.confirm, LEFT)
    assert window.confirmed == []


def test_from_the_keyboard_it_is_two_presses(window: Window) -> None:
    window.ask.setFocus()
    press_key(Qt.Key.Key_Return)
    assert window.acknowledge.question.hasFocus()
    window.time.pass_by(LONG_ENOUGH_S)
    assert window.confirm.hasFocus()
    press_key(Qt.Key.Key_Return)
    assert window.confirmed == ["yes"]
    assert window.ask.hasFocus()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_whoever_hammers_on_a_key_confirms_nothing(window: Window, key: Qt.Key) -> None:
    window.ask.setFocus()
    press_key(key)
    for _press in range(20):
        press_key(key)
        window.time.pass_by(0.3)
    assert window.confirmed == []
    assert not window.confirm.isEnabled()


def test_a_key_that_is_held_down_confirms_nothing(window: Window) -> None:
    window.ask.setFocus()
    press_key(Qt.Key.Key_Return)
    window.time.pass_by(LONG_ENOUGH_S)
    none = Qt.KeyboardModifier.NoModifier
    for _repeat in range(5):
        held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, none, "\r", True)
        QApplication.sendEvent(window.confirm, held)
    assert window.confirmed == []


def test_escape_leads_back(window: Window) -> None:
    window.ask.setFocus()
    press_key(Qt.Key.Key_Return)
    press_key(Qt.Key.Key_Escape)
    assert not window.acknowledge.isVisible()
    assert window.ask.hasFocus()


def test_afterwards_it_says_when_and_asks_no_more(window: Window) -> None:
    window.acknowledge.show_request(CONFIRMED)
    assert not window.ask.isVisible()
    assert window.acknowledge.done.isVisible()
    when = CONFIRMED.confirmed
    assert when is not None
    assert f"You confirmed on 23 Nov 2026, {when.astimezone():%H:%M}" == window.acknowledge.done.text.text()


def test_news_of_the_same_announcement_keep_the_question_and_another_closes_it(
    qtbot: QtBot, window: Window
) -> None:
    qtbot.mouseClick(window.ask, LEFT)
    window.acknowledge.show_request(replace(REQUEST, contact="Ann, ann@northwind.example"))
    assert window.confirm.isVisible()
    assert "ann@northwind.example" in window.acknowledge.question.text.text()
    window.acknowledge.show_request(replace(REQUEST, campaign_id="c-2"))
    assert not window.confirm.isVisible()
    assert window.ask.isEnabled()


def test_nothing_is_shown_where_nothing_is_asked(window: Window) -> None:
    window.acknowledge.show_request(None)
    assert not window.ask.isVisible()
    assert not window.acknowledge.isVisible()


def test_only_a_campaign_that_asks_or_was_confirmed_gives_a_request() -> None:
    agent = MemoryAgent(ManualTime())
    agent.arrives(campaign("c-1", acknowledge=True), campaign("c-2"))
    items = agent.items
    assert read_request(items["c-1"], COMPANY) == REQUEST
    assert read_request(items["c-2"], COMPANY) is None
    assert read_request(items["c-1"], None) is None
    agent.interactions.acknowledge("c-1")
    confirmed = read_request(items["c-1"], COMPANY)
    assert confirmed is not None
    assert confirmed.confirmed == agent.time.now()

"""Another language is chosen while windows are open: each goes on where it was, in the new language."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import Change, FeedbackSignal, InteractionKind, PresenceState
from resources import i18n
from tests.unit.ui.memory_agent import VIDEO, ManualTime, MemoryAgent, campaign
from ui.about.window import AboutWindow
from ui.app.session import Session
from ui.core.bridge import Bridge
from ui.inbox.model import Filter
from ui.inbox.window import InboxWindow
from ui.onboarding.first_run import FirstRunWindow
from ui.popup.widgets.card import PopupCard
from ui.preferences.rows import ChoiceRow
from ui.preferences.window import PreferencesWindow
from ui.privacy.window import PrivacyWindow
from ui.tray.menu import Tray
from ui.windowing.message_window import MessageWindow


class AwayPresence:
    """Nothing pops up meanwhile."""

    def current(self) -> PresenceState:
        return PresenceState()


class Fakes:
    def __init__(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self.agent = MemoryAgent(ManualTime())
        self.bridge = Bridge()
        self.tray = Tray()
        self.session = Session(application, self.agent, self.bridge, self.tray, presence=AwayPresence())

    def speak(self, language: str) -> None:
        self.agent.preferences.change({"language": language})


@pytest.fixture
def fakes(qtbot: QtBot) -> Iterator[Fakes]:
    fakes = Fakes()
    fakes.session.begin(open_windows=True)
    yield fakes
    fakes.session.close()
    fakes.bridge.close()
    qtbot.waitUntil(lambda: not [each for each in QApplication.topLevelWidgets() if each.isVisible()])
    i18n.use_language("en")


def shown(kind: type[QWidget]) -> Any:
    """The one visible window of a kind."""
    (found,) = [each for each in QApplication.topLevelWidgets() if type(each) is kind and each.isVisible()]
    return found


def test_the_inbox_keeps_its_search_its_filter_and_the_open_announcement(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.agent.arrives(campaign("c-1"), campaign("c-2"), campaign("c-3"))
    fakes.session.show_inbox("c-2")
    inbox = shown(InboxWindow)
    inbox.filters.buttons[Filter.UNREAD].click()
    inbox.search.setText("c-")
    inbox.open("c-1")
    fakes.agent.tell(Change.CAMPAIGNS)
    qtbot.waitUntil(lambda: inbox.model.rowCount() == 2)
    inbox.move(40, 30)
    place, opened = inbox.pos(), list[str]()
    inbox.opened.connect(opened.append)
    fakes.speak("fr")
    qtbot.waitUntil(lambda: shown(InboxWindow).windowTitle() == "Boîte de réception — Northwind")
    after = shown(InboxWindow)
    assert after is not inbox
    assert (after.open_id, after.search.text(), after.model.rowCount()) == ("c-1", "c-", 2)
    assert after.filters.buttons[Filter.UNREAD].isChecked()
    assert after.filters.buttons[Filter.UNREAD].text().startswith("Non lues")
    assert after.pos() == place
    assert opened == []


def test_the_preferences_speak_the_new_language_and_the_keyboard_stays_where_it_was(
    qtbot: QtBot, fakes: Fakes
) -> None:
    fakes.tray.preferences.emit()
    window = shown(PreferencesWindow)
    row = window.rows["language"]
    assert isinstance(row, ChoiceRow)
    row.combo.setFocus()
    row.combo.setCurrentText("Français")
    row.combo.activated.emit(row.combo.currentIndex())
    qtbot.waitUntil(lambda: shown(PreferencesWindow).windowTitle() == "Préférences")
    after = shown(PreferencesWindow)
    assert after.focusWidget() is after.rows["language"].combo
    assert after.rows["language"].combo.currentText() == "Français"
    assert fakes.tray.quit.text() == "Quitter"


def test_what_was_typed_and_switched_in_the_first_run_stays(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.tray.connect_wanted.emit()
    window = shown(FirstRunWindow)
    window.connect_page.address.setText("https://news.northwind.example")
    window.connect_page.code.setText("KX7P")
    fakes.speak("fr")
    qtbot.waitUntil(lambda: shown(FirstRunWindow) is not window)
    after = shown(FirstRunWindow)
    assert after.connect_page.address.text() == "https://news.northwind.example"
    assert after.connect_page.code.text() == "KX7P"
    assert after.connect_page.button.text() == "Connecter"


def test_a_question_half_answered_is_asked_on_and_nothing_is_chosen_meanwhile(
    qtbot: QtBot, fakes: Fakes
) -> None:
    fakes.agent.state = msgspec.structs.replace(fakes.agent.state, choose_now=True)
    fakes.agent.tell(Change.STATUS)
    qtbot.waitUntil(lambda: any(type(each) is FirstRunWindow for each in QApplication.topLevelWidgets()))
    window, given = shown(FirstRunWindow), dict(fakes.agent.given)
    window.choose_page.rows[1].toggle.setChecked(True)
    fakes.speak("fr")
    qtbot.waitUntil(lambda: shown(FirstRunWindow) is not window)
    after = shown(FirstRunWindow)
    assert [row.on for row in after.choose_page.rows] == [False, True, False]
    assert after.choose_page.nothing.text() == "Ne rien partager"
    assert fakes.agent.given == given
    assert [row.signal for row in after.choose_page.rows] == list(FeedbackSignal)


def test_privacy_and_about_change_and_a_message_stays_as_it_was_said(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.session.show_choices()
    fakes.tray.about.emit()
    fakes.session.tell(errors.DiskFault("full"))
    message = shown(MessageWindow)
    fakes.speak("fr")
    qtbot.waitUntil(lambda: shown(AboutWindow).windowTitle() == "À propos de Tidings")
    assert shown(PrivacyWindow).share.delete_button.text() == "Supprimer tout ce que j’ai partagé"
    assert shown(MessageWindow) is message


@pytest.mark.parametrize("kind", [InboxWindow, AboutWindow, PrivacyWindow])
def test_ctrl_comma_opens_the_preferences_and_ctrl_w_closes_the_window(
    qtbot: QtBot, fakes: Fakes, kind: type[QWidget]
) -> None:
    fakes.session.show_inbox()
    fakes.tray.about.emit()
    fakes.session.show_choices()
    window = shown(kind)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert shown(PreferencesWindow).isVisible()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert not window.isVisible()
    assert shown(PreferencesWindow).isVisible()


def test_a_pop_up_on_the_screen_speaks_the_new_language_and_counts_once(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.agent.arrives(campaign("c-1", video=VIDEO))
    qtbot.waitUntil(lambda: any(type(each) is PopupCard for each in QApplication.topLevelWidgets()))
    before = shown(PopupCard)
    fakes.speak("fr")
    qtbot.waitUntil(lambda: not shiboken6.isValid(before) and shown(PopupCard).watch.text() == "Regarder")
    assert fakes.agent.acts("c-1") == [InteractionKind.DISPLAYED]

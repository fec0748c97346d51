"""What I share, the notice, about."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from agent import errors
from agent.model import Connection, Signal
from resources import i18n
from tests.support import gallery_data as data
from ui.about import AboutWindow
from ui.notice_window import NoticeWindow
from ui.privacy_choices import PrivacyChoicesWindow
from ui.theme import Theme


@pytest.fixture
def choices(qtbot: QtBot, theme: Theme) -> PrivacyChoicesWindow:
    window = PrivacyChoicesWindow(theme)
    qtbot.addWidget(window)
    window.show()
    window.show_choices(data.company(), data.choices(Signal.SEEN))
    return window


def states(window: PrivacyChoicesWindow) -> list[bool]:
    return [row.on for row in window.rows]


def test_the_switches_stand_where_the_person_put_them(choices: PrivacyChoicesWindow, qtbot: QtBot) -> None:
    assert states(choices) == [True, False, False]
    with qtbot.assertNotEmitted(choices.chosen):
        choices.show_choices(data.company(), data.choices(Signal.LIKE))
    assert states(choices) == [False, False, True]


def test_withdrawing_takes_one_click_as_giving_does(choices: PrivacyChoicesWindow, qtbot: QtBot) -> None:
    acts: list[tuple[object, bool]] = []
    choices.chosen.connect(lambda signal, on: acts.append((signal, on)))
    for row in choices.rows:
        qtbot.mouseClick(row.toggle, Qt.MouseButton.LeftButton)
    assert acts == [(Signal.SEEN, False), (Signal.CLICK, True), (Signal.LIKE, True)]


def test_a_switch_works_by_space_and_by_enter(choices: PrivacyChoicesWindow, qtbot: QtBot) -> None:
    toggle = choices.rows[1].toggle
    with qtbot.waitSignal(choices.chosen):
        qtbot.keyClick(toggle, Qt.Key.Key_Space)
    with qtbot.waitSignal(choices.chosen):
        qtbot.keyClick(toggle, Qt.Key.Key_Return)
    assert not toggle.isChecked()


def test_what_the_organisation_turned_off_is_off_and_the_own_choice_is_said_to_be_kept(
    choices: PrivacyChoicesWindow,
) -> None:
    choices.show_choices(data.company(), data.choices(Signal.SEEN, Signal.CLICK, locked=Signal.CLICK))
    row = choices.rows[1]
    assert not row.toggle.isEnabled()
    assert not row.on
    assert "Turned off by your organisation. Your own choice, on, is kept." in row.description.text()


def test_a_choice_that_could_not_be_kept_is_said(choices: PrivacyChoicesWindow) -> None:
    fault = errors.DiskFault()
    choices.show_error(fault.title, fault.message)
    assert fault.message in choices.problem.text()
    choices.show_choices(data.company(), data.choices())
    assert not choices.problem.isVisible()


def test_it_says_who_answers_and_leads_to_the_notice(choices: PrivacyChoicesWindow, qtbot: QtBot) -> None:
    assert "Inès Martin" in choices.officer.text()
    assert "dpo@northwind.example" in choices.officer.text()
    assert "the European Union" in choices.storage.text()
    assert choices.notice.full_text == "Read the notice (version 3, 2 Nov 2026)"
    with qtbot.waitSignal(choices.notice_requested):
        qtbot.mouseClick(choices.notice, Qt.MouseButton.LeftButton)


def test_switches_are_check_boxes_with_names_for_screen_readers(choices: PrivacyChoicesWindow) -> None:
    assert [row.toggle.accessibleName() for row in choices.rows] == ["Seen", "Clicks", "Likes"]
    assert all(row.toggle.accessibleDescription() for row in choices.rows)


@pytest.mark.parametrize(("language", "begins"), [("en", "Northwind SAS is"), ("fr", "Northwind SAS est")])
def test_the_notice_is_whole_and_in_the_persons_language(
    qtbot: QtBot, theme: Theme, language: str, begins: str
) -> None:
    i18n.use_language(language)
    window = NoticeWindow(theme, data.company())
    qtbot.addWidget(window)
    window.show()
    assert window.text.toPlainText() == data.NOTICE[language]
    assert window.text.toPlainText().startswith(begins)
    assert window.text.height() >= window.text.document().size().height()


def test_the_notice_is_scrolled_by_keys_and_closed_by_escape(qtbot: QtBot, theme: Theme) -> None:
    window = NoticeWindow(theme, data.company())
    qtbot.addWidget(window)
    window.show()
    window.resize(window.width(), 200)
    qtbot.keyClick(window.text, Qt.Key.Key_PageDown)
    assert window.text.mapTo(window, window.text.rect().topLeft()).y() < 0
    qtbot.keyPress(window.text, Qt.Key.Key_Escape)
    assert not window.isVisible()


@pytest.mark.parametrize("connection", [Connection.CONNECTED, Connection.NOT_CONNECTED])
def test_about_tells_the_version_and_whom_this_computer_belongs_to(
    qtbot: QtBot, theme: Theme, connection: Connection
) -> None:
    window = AboutWindow(theme, "0.1.0", data.status(connection))
    qtbot.addWidget(window)
    texts = [label.text() for label in window.findChildren(QLabel)]
    assert "Version 0.1.0" in texts
    assert ("lea.roux@northwind.example" in texts) == (connection is Connection.CONNECTED)
    assert ("Not connected to a company" in texts) == (connection is Connection.NOT_CONNECTED)

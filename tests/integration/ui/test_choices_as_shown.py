"""A consent is one for the text that was on the screen, through the real windows, agent and server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import ConnectionState, ConsentState, FeedbackSignal
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE, reaches
from tests.support.waiting import until
from tests.unit.ui.windows_fakes import is_open, window
from ui.app.session import Session
from ui.core.bridge import Bridge
from ui.desktop.presence.base import UnknownPresence
from ui.onboarding.first_run import FirstRunWindow
from ui.privacy.window import PrivacyWindow
from ui.tray.menu import Tray
from ui.widgets.press_guard import PressGuard
from ui.windowing.message_window import MessageWindow

pytestmark = [
    pytest.mark.expected_logs("NoticeChanged"),
    pytest.mark.qt_log_ignore(
        r"This plugin does not support raise\(\)", r"This plugin does not support propagateSizeHints\(\)"
    ),
]
CHANGED = errors.NoticeChanged()
WITHDRAWN = ConsentState.WITHDRAWN


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def agent(company: Company, tmp_path: Path) -> Iterator[Agent]:
    with loopback_server(company) as server, an_agent(tmp_path) as opened:
        opened.runtime.start()
        opened.runtime.enrol(server.url, CODE)
        reaches(opened, ConnectionState.CONNECTED)
        yield opened


@pytest.fixture
def session(qtbot: QtBot, agent: Agent) -> Iterator[Session]:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    bridge = Bridge()
    session = Session(application, agent.runtime, bridge, Tray(), presence=UnknownPresence())
    session.begin(open_windows=True)
    yield session
    session.close()
    bridge.close()
    qtbot.waitUntil(lambda: not any(each.isVisible() for each in QApplication.topLevelWidgets()))


def newer_notice(agent: Agent, company: Company, version: int) -> None:
    """The agent has it, while the windows hear of it on the main thread, which has not come to that yet."""
    company.sign_company(notice=company.content["notice"] | {"version": version})
    agent.runtime.check_now()
    until(lambda: known(agent) == version, "the newer notice")


def known(agent: Agent) -> int:
    company = agent.runtime.status().company
    return company.notice.version if company is not None else 0


def on(agent: Agent) -> list[FeedbackSignal]:
    return [each.signal for each in agent.runtime.choices() if each.on]


def press(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def settles(qtbot: QtBot, window: QWidget) -> None:
    """It has stood in front for long enough that presses count."""
    (guard,) = window.findChildren(PressGuard)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    with qtbot.waitSignal(guard.settled):
        guard.begin()


@pytest.mark.usefixtures("session")
def test_the_answer_to_a_question_counts_for_the_notice_that_it_was_asked_for(
    qtbot: QtBot, agent: Agent, company: Company
) -> None:
    first = window(FirstRunWindow)
    settles(qtbot, first)
    newer_notice(agent, company, 4)
    press(qtbot, first.choose_page.everything)
    qtbot.waitUntil(lambda: is_open(MessageWindow) and is_open(FirstRunWindow))
    assert window(MessageWindow).title.text() == CHANGED.title
    again = window(FirstRunWindow)
    assert again.asked_by.notice.version == 4
    press(qtbot, again.choose_page.everything)
    assert on(agent) == []
    assert not company.consents
    settles(qtbot, again)
    press(qtbot, again.choose_page.everything)
    assert on(agent) == list(FeedbackSignal)
    until(lambda: len(company.consents) == len(FeedbackSignal), "the consents")


def test_a_question_that_stands_there_is_asked_anew_where_the_notice_changes(
    qtbot: QtBot, agent: Agent, company: Company, session: Session
) -> None:
    first = window(FirstRunWindow)
    settles(qtbot, first)
    newer_notice(agent, company, 4)
    qtbot.waitUntil(lambda: first.asked_by.notice.version == 4)
    press(qtbot, first.choose_page.everything)
    assert on(agent) == [], "it has only just come"
    assert is_open(FirstRunWindow)


def test_a_switch_counts_for_the_notice_that_its_window_shows(
    qtbot: QtBot, agent: Agent, company: Company, session: Session
) -> None:
    agent.runtime.choose({FeedbackSignal.SEEN: False, FeedbackSignal.CLICK: True, FeedbackSignal.LIKE: False})
    session.show_choices()
    privacy = window(PrivacyWindow)
    settles(qtbot, privacy)
    seen, _click, _like = (card.row.toggle for card in privacy.share.cards)
    newer_notice(agent, company, 4)
    press(qtbot, seen)
    assert on(agent) == []
    assert not seen.isChecked()
    assert privacy.share.problem.text() == f"{CHANGED.title}. {CHANGED.message}"
    assert "version 4" in privacy.share.notice_button.text()
    press(qtbot, seen)
    assert on(agent) == [], "the text has only just come"
    settles(qtbot, privacy)
    press(qtbot, seen)
    assert on(agent) == [FeedbackSignal.SEEN]
    newer_notice(agent, company, 5)
    press(qtbot, seen)
    assert {each.signal: each.state for each in agent.runtime.choices()}[FeedbackSignal.SEEN] is WITHDRAWN

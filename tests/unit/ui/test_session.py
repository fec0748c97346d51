"""Agent, tray, presenter, pop-up and windows put together, in one process without a desktop."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import shiboken6
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from agent.domain.model import Change, InteractionKind, PresenceState, Tristate
from tests.unit.ui.memory_agent import VIDEO, ManualTime, MemoryAgent, campaign
from ui.app.session import Session
from ui.core.bridge import Bridge
from ui.desktop import browser
from ui.inbox.window import InboxWindow
from ui.onboarding.first_run import FirstRunWindow
from ui.popup.widgets.card import PopupCard
from ui.privacy.window import PrivacyWindow
from ui.tray.menu import Tray
from ui.windowing.message_window import MessageWindow


class StillPresence:
    """A desktop that says one thing."""

    def __init__(self) -> None:
        self.state = PresenceState()

    def current(self) -> PresenceState:
        return self.state


class Fakes:
    def __init__(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self.agent = MemoryAgent(ManualTime())
        self.bridge = Bridge()
        self.presence = StillPresence()
        self.tray = Tray()
        self.session = Session(application, self.agent, self.bridge, self.tray, presence=self.presence)
        self.session.begin(open_windows=True)

    def close(self) -> None:
        self.session.close()
        self.bridge.close()


@pytest.fixture
def fakes(qtbot: QtBot) -> Iterator[Fakes]:
    fakes = Fakes()
    yield fakes
    fakes.close()
    qtbot.waitUntil(lambda: not visible(QWidget))


def visible(kind: type[QWidget]) -> list[Any]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, kind) and each.isVisible()]


def card(qtbot: QtBot) -> PopupCard:
    """The pop-up, once it is there."""
    qtbot.waitUntil(lambda: len(visible(PopupCard)) == 1)
    found = visible(PopupCard)[0]
    assert isinstance(found, PopupCard)
    return found


def test_what_arrives_is_on_the_screen_at_the_bottom_right_and_in_the_tray(
    qtbot: QtBot, fakes: Fakes
) -> None:
    fakes.agent.arrives(campaign("c-1", title="The new Lyon studio opens"))
    shown = card(qtbot)
    assert shown.title.text() == "The new Lyon studio opens"
    room = shown.screen().availableGeometry()
    qtbot.waitUntil(lambda: shown.geometry().right() > room.right() - 40)
    qtbot.waitUntil(lambda: shown.geometry().bottom() > room.bottom() - 40)
    assert fakes.tray.inbox.text() == "Open inbox (1 new)"


def test_it_counts_as_seen_when_it_stayed(
    qtbot: QtBot, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.domain.limits.SEEN_AFTER_MS", 50)
    fakes.agent.arrives(campaign())
    qtbot.waitUntil(lambda: InteractionKind.SEEN in fakes.agent.acts("c-1"))


def test_nothing_appears_on_a_locked_screen(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.presence.state = PresenceState(locked=Tristate.YES)
    fakes.agent.arrives(campaign())
    qtbot.wait(100)
    assert not visible(PopupCard)
    assert fakes.agent.recorded == []


def test_a_link_opens_the_browser_and_the_card_goes(
    qtbot: QtBot, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(browser, "open_url", lambda url: not opened.append(url))
    fakes.agent.arrives(campaign())
    shown = card(qtbot)
    shown.link_clicked.emit("l1")
    assert opened == ["https://intranet.northwind.example/lyon"]
    qtbot.waitUntil(lambda: not shiboken6.isValid(shown))


def test_without_a_browser_the_person_is_told_what_to_do(
    qtbot: QtBot, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "open_url", lambda _url: False)
    fakes.agent.arrives(campaign())
    card(qtbot).link_clicked.emit("l1")
    assert visible(MessageWindow)[0].title.text() == "No browser could be started"


def test_a_page_that_did_not_change_is_left_as_it_is(qtbot: QtBot, fakes: Fakes) -> None:
    """A poll in the background must not close what the person has open on the card."""
    fakes.agent.arrives(campaign())
    shown = card(qtbot)
    shown.later_button.click()
    assert shown.later.isVisible()
    fakes.agent.tell(Change.CAMPAIGNS)
    fakes.agent.tell(Change.STATUS)
    qtbot.wait(30)
    assert shown.later.isVisible()


def test_a_video_that_is_not_here_yet_cannot_be_watched(qtbot: QtBot, fakes: Fakes, tmp_path: Path) -> None:
    fakes.agent.arrives(campaign(video=VIDEO))
    shown = card(qtbot)
    assert not shown.watch.isVisible()
    fakes.agent.media[VIDEO.sha256] = tmp_path / "video.mp4"
    fakes.agent.tell(Change.CAMPAIGNS)
    qtbot.waitUntil(shown.watch.isVisible)


def test_the_card_leads_to_the_choices_and_says_what_is_shared_then(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.agent.arrives(campaign())
    shown = card(qtbot)
    assert shown.share_line.text() == "Nothing is shared"
    shown.change_clicked.emit()
    choices = visible(PrivacyWindow)[0]
    choices.share.cards[0].row.toggle.click()
    qtbot.waitUntil(lambda: "seen" in shown.share_line.text())


def test_the_trays_menu_pauses_resumes_checks_and_opens(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.tray.pause_chosen.emit(1_800.0)
    qtbot.waitUntil(lambda: fakes.tray.state.text().startswith("Pop-ups paused"))
    fakes.tray.pause_chosen.emit(None)
    qtbot.waitUntil(lambda: fakes.tray.state.text().startswith("Connected"))
    fakes.tray.check_now.emit()
    assert fakes.agent.calls == ["check_now"]
    fakes.session.show_inbox()
    assert visible(InboxWindow)


def test_after_closing_nothing_is_asked_of_the_agent_any_more(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.agent.arrives(campaign())
    card(qtbot)
    fakes.agent.tell(Change.STATUS)
    fakes.session.close()
    fakes.agent.status = lambda: pytest.fail("the store is closed by now")  # type: ignore[method-assign]
    qtbot.wait(30)
    assert not visible(QWidget)
    assert fakes.agent.listeners == []


def test_whoever_comes_near_a_video_in_the_inbox_or_a_pop_up_finds_a_player_ready(
    qtbot: QtBot, fakes: Fakes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    near: list[str] = []
    monkeypatch.setattr("ui.player.controller.Playback.prepare", lambda _playback: near.append("near"))
    fakes.agent.media[VIDEO.sha256] = tmp_path / "video"
    fakes.agent.arrives(campaign("c-1", video=VIDEO))
    qtbot.waitUntil(lambda: bool(visible(PopupCard)))
    QApplication.sendEvent(visible(PopupCard)[0], QEvent(QEvent.Type.Enter))
    assert near == ["near"]
    fakes.session.show_inbox()
    inbox = visible(InboxWindow)[0]
    inbox.open("c-1")
    qtbot.waitUntil(inbox.detail.picture.play.isVisible)
    QApplication.sendEvent(inbox.detail.picture.play, QEvent(QEvent.Type.Enter))
    assert near == ["near", "near"]


def test_after_the_first_choice_the_icon_says_once_where_it_is(
    qtbot: QtBot, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(fakes.tray.icon, "showMessage", lambda title, *_rest: said.append(title))
    fakes.agent.state = msgspec.structs.replace(fakes.agent.state, choose_now=True)
    fakes.agent.tell(Change.STATUS)
    qtbot.waitUntil(lambda: bool(visible(FirstRunWindow)))
    visible(FirstRunWindow)[0].choose_page.nothing.click()
    assert said == ["Tidings is ready"]
    assert not visible(FirstRunWindow)

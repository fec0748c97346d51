"""The windows around one agent: opened, filled, answered, freed."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import (
    Change,
    ConnectionState,
    ConsentState,
    FeedbackSignal,
    Interaction,
    InteractionKind,
    Status,
)
from tests.unit.ui.memory_agent import VIDEO, campaign
from tests.unit.ui.windows_fakes import Fakes, is_open, window
from ui.about.text_windows import DiagnosticsWindow, LicencesWindow
from ui.about.window import AboutWindow
from ui.inbox.window import InboxWindow
from ui.onboarding.first_run import FirstRunWindow
from ui.privacy.notice_window import NoticeWindow
from ui.privacy.window import PrivacyWindow
from ui.windowing.message_window import MessageWindow

CODE = "KX7P-9QMD-2HTV"


@pytest.fixture
def fakes(qtbot: QtBot) -> Iterator[Fakes]:
    fakes = Fakes()
    yield fakes
    fakes.windows.close()
    qtbot.waitUntil(lambda: not any(each.isVisible() for each in QApplication.topLevelWidgets()))


class TestFirstRun:
    def test_a_code_connects_and_the_question_follows_in_the_same_window(
        self, qtbot: QtBot, fakes: Fakes
    ) -> None:
        connected, fakes.agent.state = fakes.agent.state, Status(ConnectionState.NOT_CONNECTED)
        fakes.windows.show_first_run()
        first_run = window(FirstRunWindow)
        fakes.agent.state = msgspec.structs.replace(connected, connection=ConnectionState.CONNECTED)
        first_run.connect_requested.emit("https://news.northwind.example", CODE)
        qtbot.waitUntil(lambda: first_run.choose_page.isVisible())
        first_run.choose_page.chosen.emit(
            {FeedbackSignal.SEEN: True, FeedbackSignal.CLICK: False, FeedbackSignal.LIKE: False}
        )
        assert fakes.agent.given[FeedbackSignal.SEEN] is ConsentState.GIVEN
        assert not is_open(FirstRunWindow)

    def test_a_wrong_code_is_told_in_the_window_and_can_be_entered_again(
        self, qtbot: QtBot, fakes: Fakes
    ) -> None:
        fakes.not_connected()
        fakes.windows.show_first_run()
        first_run = window(FirstRunWindow)
        first_run.connect_requested.emit("https://news.northwind.example", "WRONG-CODE")
        qtbot.waitUntil(lambda: first_run.connect_page.problem.isVisible())
        assert "administrator" in first_run.connect_page.problem.text()
        assert first_run.connect_page.code.isEnabled()

    def test_closing_the_question_is_no_answer(self, qtbot: QtBot, fakes: Fakes) -> None:
        fakes.agent.state = msgspec.structs.replace(fakes.agent.state, choose_now=True)
        fakes.windows.refresh(frozenset({Change.STATUS}))
        window(FirstRunWindow).close()
        assert set(fakes.agent.given.values()) == {ConsentState.DEFERRED}

    def test_a_question_that_nobody_opened_does_not_take_the_keyboard(self, fakes: Fakes) -> None:
        fakes.agent.state = msgspec.structs.replace(fakes.agent.state, choose_now=True)
        fakes.windows.refresh(frozenset({Change.STATUS}))
        assert window(FirstRunWindow).testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)

    def test_nothing_is_asked_while_no_answer_is_due(self, fakes: Fakes) -> None:
        fakes.windows.refresh(frozenset(Change))
        assert not is_open(FirstRunWindow)


class TestInbox:
    @pytest.fixture
    def inbox(self, fakes: Fakes) -> InboxWindow:
        fakes.agent.arrives(campaign("c-1", video=VIDEO), campaign("c-2"))
        fakes.windows.show_inbox()
        found = window(InboxWindow)
        assert isinstance(found, InboxWindow)
        return found

    def test_it_shows_all_and_what_arrives_while_it_is_open(
        self, qtbot: QtBot, fakes: Fakes, inbox: InboxWindow
    ) -> None:
        assert inbox.model.rowCount() == 2
        fakes.agent.arrives(campaign("c-3"))
        qtbot.waitUntil(lambda: inbox.model.rowCount() == 3)

    def test_what_is_opened_counts_as_read_and_is_no_signal(self, fakes: Fakes, inbox: InboxWindow) -> None:
        inbox.opened.emit("c-2")
        assert fakes.agent.acts("c-2") == [InteractionKind.READ]

    def test_links_videos_hearts_and_reminders_take_the_same_way_as_in_a_pop_up(
        self, fakes: Fakes, inbox: InboxWindow
    ) -> None:
        inbox.link_clicked.emit("c-1", "l1")
        inbox.watch_clicked.emit("c-1")
        inbox.like_toggled.emit("c-1", True)
        inbox.later_chosen.emit("c-1", 900.0)
        assert fakes.opened == ["https://intranet.northwind.example/lyon"]
        assert fakes.played == ["c-1"]
        assert fakes.agent.recorded == [
            Interaction("c-1", InteractionKind.CLICKED, "l1"),
            Interaction("c-1", InteractionKind.LIKED),
        ]
        assert fakes.agent.items["c-1"].state.remind_at is not None

    def test_a_link_that_the_company_does_not_allow_is_told_in_a_window(
        self, fakes: Fakes, inbox: InboxWindow
    ) -> None:
        inbox.link_clicked.emit("c-1", "l2")
        assert "elsewhere.example" in window(MessageWindow).message.text()
        assert fakes.opened == []

    def test_opening_it_again_brings_the_same_one_and_closing_frees_it(
        self, qtbot: QtBot, fakes: Fakes, inbox: InboxWindow
    ) -> None:
        fakes.windows.show_inbox()
        assert window(InboxWindow) is inbox
        inbox.close()
        qtbot.waitUntil(lambda: not shiboken6.isValid(inbox))
        fakes.agent.arrives(campaign("c-3"))
        qtbot.wait(10)
        fakes.windows.show_inbox()
        assert window(InboxWindow).model.rowCount() == 3

    @pytest.mark.expected_logs("DiskFault")
    def test_a_full_disk_is_told(self, fakes: Fakes, inbox: InboxWindow) -> None:
        fakes.agent.fault = errors.DiskFault("no space left")
        inbox.like_toggled.emit("c-1", True)
        assert window(MessageWindow).title.text() == "The disk cannot be written"


class TestPrivacy:
    @pytest.fixture
    def privacy(self, fakes: Fakes) -> PrivacyWindow:
        fakes.windows.show_choices()
        found = window(PrivacyWindow)
        assert isinstance(found, PrivacyWindow)
        return found

    def test_a_switch_takes_effect_at_once(self, fakes: Fakes, privacy: PrivacyWindow) -> None:
        privacy.share.chosen.emit(FeedbackSignal.LIKE, True)
        assert fakes.agent.given[FeedbackSignal.LIKE] is ConsentState.GIVEN
        assert fakes.agent.given[FeedbackSignal.SEEN] is ConsentState.NOT_ASKED

    @pytest.mark.expected_logs("DiskFault")
    def test_a_switch_that_cannot_be_kept_goes_back_and_says_why(
        self, fakes: Fakes, privacy: PrivacyWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(_choices: object, *, shown: object) -> None:
            raise errors.DiskFault("read-only")

        monkeypatch.setattr(fakes.agent, "choose", fails)
        row = privacy.share.cards[0].row
        row.toggle.setChecked(True)
        privacy.share.chosen.emit(FeedbackSignal.SEEN, True)
        assert not row.on
        assert privacy.share.problem.isVisible()

    def test_without_a_company_there_is_nothing_to_choose_but_to_connect(self, fakes: Fakes) -> None:
        fakes.not_connected()
        fakes.windows.show_choices()
        assert is_open(FirstRunWindow)

    def test_the_notice_opens_beside_the_choices(self, fakes: Fakes, privacy: PrivacyWindow) -> None:
        privacy.share.notice.emit()
        assert is_open(NoticeWindow)
        assert is_open(PrivacyWindow)


def test_about_opens(fakes: Fakes) -> None:
    fakes.windows.show_about()
    assert is_open(AboutWindow)


def test_the_diagnostics_are_read_before_they_are_copied_as_they_stand(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.windows.show_about()
    QApplication.clipboard().setText("before")
    window(AboutWindow).diagnostics_button.click()
    preview = window(DiagnosticsWindow)
    assert "Connection: connected" in preview.text.toPlainText()
    assert "northwind" not in preview.text.toPlainText().lower()
    assert QApplication.clipboard().text() == "before"
    preview.copy_button.click()
    assert QApplication.clipboard().text() == preview.text.toPlainText()


def test_the_diagnostics_can_be_saved_as_they_stand(qtbot: QtBot, fakes: Fakes, tmp_path: Path) -> None:
    fakes.windows.show_about()
    window(AboutWindow).diagnostics_button.click()
    preview = window(DiagnosticsWindow)
    preview.save_button.click()
    (dialogue,) = preview.findChildren(QFileDialog)
    assert dialogue.nameFilters() == ["Text (*.txt)"]
    dialogue.selectFile(str(tmp_path / "for-it.txt"))
    dialogue.accept()
    qtbot.waitUntil(lambda: preview.copied.text() == "Saved: for-it.txt")
    assert (tmp_path / "for-it.txt").read_text() == preview.text.toPlainText()


def test_the_licences_name_qts(fakes: Fakes) -> None:
    fakes.windows.show_about()
    window(AboutWindow).licences_button.click()
    assert "LGPL-3.0" in window(LicencesWindow).text.toPlainText()


def test_a_second_message_takes_the_place_of_the_first(qtbot: QtBot, fakes: Fakes) -> None:
    fakes.windows.tell("One", "First.")
    fakes.windows.tell("Two", "Second.")
    qtbot.waitUntil(lambda: window(MessageWindow).title.text() == "Two")
    qtbot.wait(10)
    assert is_open(MessageWindow), "that the first was freed does not forget the second"

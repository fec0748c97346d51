"""Marking as read and unread, several at once, and back; the keys of a mail program; confirmations and what was held back."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from agent.domain.model import (
    FeedbackSignal,
    HoldReason,
    InboxItem,
    InteractionKind,
    PresenceState,
    Selection,
    Tristate,
)
from tests.support.ui import gallery_data as data
from tests.unit.ui.memory_agent import START, campaign
from tests.unit.ui.windows_fakes import Fakes, window
from ui.inbox import controller
from ui.inbox.keys import keys
from ui.inbox.model import Filter
from ui.inbox.window import InboxWindow
from ui.style.theme import Theme

pytestmark = pytest.mark.usefixtures("presses_count")

Key = Qt.Key
SHARED = data.choices(FeedbackSignal.SEEN)


@pytest.fixture
def marked() -> list[tuple[list[str], bool]]:
    return []


@pytest.fixture
def inbox(qtbot: QtBot, theme: Theme, marked: list[tuple[list[str], bool]]) -> InboxWindow:
    """Five announcements, of which the second and the third are unread. Marking takes effect at once."""
    made = InboxWindow(theme, now=lambda: data.NOW)
    qtbot.addWidget(made)
    items = {item.campaign.campaign_id: item for item in data.items()}

    def mark(campaign_ids: list[str], read: bool) -> None:
        marked.append((list(campaign_ids), read))
        for each in campaign_ids:
            items[each] = replace(items[each], state=replace(items[each].state, read=read))
        made.show_items(list(items.values()), data.media_path, SHARED, data.status())

    made.marked.connect(mark)
    made.opened.connect(lambda campaign_id: mark([campaign_id], True))
    made.show_items(data.items(), data.media_path, SHARED, data.status())
    made.show()
    made.activateWindow()
    made.list.setFocus()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def press(qtbot: QtBot, *wanted: Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    for each in wanted:
        qtbot.keyClick(QApplication.focusWidget(), each, modifier)


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def unread(inbox: InboxWindow) -> list[str]:
    return [item.campaign.campaign_id for item in inbox.model.searchable.items if not item.state.read]


def test_n_and_p_go_from_one_unread_to_the_next(qtbot: QtBot, inbox: InboxWindow) -> None:
    press(qtbot, Key.Key_N)
    assert inbox.open_id == "c-2"
    press(qtbot, Key.Key_N)
    assert inbox.open_id == "c-3"
    press(qtbot, Key.Key_N)
    assert inbox.open_id == "c-3"
    press(qtbot, Key.Key_U, Key.Key_K, Key.Key_U, Key.Key_J, Key.Key_J, Key.Key_P)
    assert inbox.open_id == "c-2"


def test_u_and_r_mark_the_open_one_which_stays_open(qtbot: QtBot, inbox: InboxWindow) -> None:
    press(qtbot, Key.Key_Down, Key.Key_U)
    assert unread(inbox) == ["c-1", "c-2", "c-3"]
    assert inbox.open_id == "c-1"
    press(qtbot, Key.Key_R)
    assert unread(inbox) == ["c-2", "c-3"]


def test_the_button_beside_the_date_marks_as_unread(qtbot: QtBot, inbox: InboxWindow) -> None:
    inbox.open("c-4")
    click(qtbot, inbox.detail.unread)
    assert "c-4" in unread(inbox)
    assert not inbox.detail.unread.isVisible()


def test_several_are_marked_together_and_undone_together(qtbot: QtBot, inbox: InboxWindow) -> None:
    press(qtbot, Key.Key_Down)
    press(qtbot, Key.Key_Down, Key.Key_Down, modifier=Qt.KeyboardModifier.ShiftModifier)
    assert inbox.several.title.text() == "3 announcements selected"
    click(qtbot, inbox.several.read_button)
    assert unread(inbox) == []
    assert inbox.list.selected_rows() == [0, 1, 2]
    assert inbox.footer.done.text() == "2 marked as read"
    press(qtbot, Key.Key_Z, modifier=Qt.KeyboardModifier.ControlModifier)
    assert unread(inbox) == ["c-2", "c-3"]


def test_control_a_selects_all_and_escape_selects_none(qtbot: QtBot, inbox: InboxWindow) -> None:
    press(qtbot, Key.Key_A, modifier=Qt.KeyboardModifier.ControlModifier)
    assert len(inbox.list.selected_rows()) == 5
    press(qtbot, Key.Key_U)
    assert len(unread(inbox)) == 5
    press(qtbot, Key.Key_Escape)
    assert inbox.list.selected_rows() == []
    assert inbox.isVisible()


def test_all_in_view_are_marked_read_and_that_can_be_undone(
    qtbot: QtBot, inbox: InboxWindow, marked: list[tuple[list[str], bool]]
) -> None:
    inbox.search.setText("vpn")
    click(qtbot, inbox.footer.all_read)
    assert marked == [(["c-2"], True)]
    assert inbox.footer.done.text() == "1 marked as read"
    click(qtbot, inbox.footer.undo)
    assert marked[1] == (["c-2"], False)
    assert not inbox.footer.undo.isVisible()
    assert inbox.footer.all_read.isVisible()


def test_nothing_is_marked_that_is_so_already(
    qtbot: QtBot, inbox: InboxWindow, marked: list[tuple[list[str], bool]]
) -> None:
    press(qtbot, Key.Key_Down)
    marked.clear()
    press(qtbot, Key.Key_R)
    assert marked == []
    assert not inbox.footer.undo.isVisible()


@pytest.mark.parametrize("opens", [Key.Key_Question, Key.Key_F1])
def test_a_key_lists_the_keys_and_closes_the_list(qtbot: QtBot, inbox: InboxWindow, opens: Key) -> None:
    press(qtbot, Key.Key_Down, opens)
    assert inbox.pane.currentWidget() is inbox.keys
    press(qtbot, opens)
    assert inbox.pane.currentWidget() is inbox.detail
    assert inbox.list.hasFocus()
    assert len({key for key, _ in keys()}) == len(keys())


def test_control_f_searches_anew_and_no_letter_is_a_command_there(
    qtbot: QtBot, inbox: InboxWindow, marked: list[tuple[list[str], bool]]
) -> None:
    inbox.search.setText("before")
    press(qtbot, Key.Key_F, modifier=Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(inbox.search, "nprubol?")
    assert inbox.search.text() == "nprubol?"
    assert marked == []
    assert inbox.note.title.text() == "Nothing found"
    click(qtbot, inbox.note.clear_button)
    assert inbox.search.text() == ""
    assert inbox.list.hasFocus()


@pytest.mark.parametrize("words", ["elysee", "ÉLYSÉE coeur", "l'elysee"])
def test_search_spells_as_people_type(inbox: InboxWindow, words: str) -> None:
    item = replace(data.items()[0], campaign=data.campaign(9, "Au cœur de l’Élysée", "IT"))
    inbox.show_items([item, *data.items()], data.media_path, SHARED, data.status())
    inbox.search.setText(words)
    assert [each.campaign.campaign_id for each in inbox.model.rows] == ["c-9"]


def test_typing_on_narrows_and_deleting_widens_again(inbox: InboxWindow) -> None:
    for words, count in (("v", 5), ("vp", 1), ("vpn", 1), ("vpn x", 0), ("vpn", 1), ("", 5)):
        inbox.search.setText(words)
        assert inbox.model.rowCount() == count, words


class TestHeld:
    def held(self, items: list[InboxItem], reason: HoldReason) -> Selection:
        until = data.NOW + timedelta(hours=2)
        return Selection((), {"c-2": reason}, until, (), {"c-2": until})

    def test_held_ones_have_a_filter_and_say_why(self, qtbot: QtBot, inbox: InboxWindow) -> None:
        selection = self.held(data.items(), HoldReason.QUIET_HOURS)
        inbox.show_items(data.items(), data.media_path, SHARED, data.status(), selection)
        button = inbox.filters.buttons[Filter.HELD]
        assert button.full_text == "Held 1"
        click(qtbot, button)
        inbox.opened.disconnect()
        inbox.open("c-2")
        assert "quiet hours" in inbox.detail.held.text.text()
        assert "Why it was not shown" in inbox.detail.held.text.text()

    def test_the_reason_stays_while_it_is_open_though_it_is_read_now(self, inbox: InboxWindow) -> None:
        selection = self.held(data.items(), HoldReason.PAUSED)
        inbox.show_items(data.items(), data.media_path, SHARED, data.status(), selection)
        inbox.open("c-2")
        assert "you paused pop-ups" in inbox.detail.held.text.text()
        assert "does not pop up any more" in inbox.detail.held.text.text()

    def test_what_was_displayed_is_not_explained(self, inbox: InboxWindow) -> None:
        inbox.open("c-1")
        assert not inbox.detail.held.isVisible()


class TestWithTheAgent:
    @pytest.fixture
    def shown(self, fakes: Fakes) -> InboxWindow:
        fakes.agent.arrives(campaign("c-1", acknowledge=True), campaign("c-2"))
        fakes.windows.show_inbox()
        found = window(InboxWindow)
        assert isinstance(found, InboxWindow)
        return found

    def test_marking_reaches_the_agent_and_its_undo_too(
        self, qtbot: QtBot, fakes: Fakes, shown: InboxWindow
    ) -> None:
        shown.mark_all_read()
        assert all(item.state.read for item in fakes.agent.items.values())
        shown.undo()
        assert not any(item.state.read for item in fakes.agent.items.values())

    def test_a_confirmation_takes_two_steps_and_is_told_afterwards(
        self, qtbot: QtBot, fakes: Fakes, shown: InboxWindow
    ) -> None:
        shown.open("c-1")
        acknowledge = shown.detail.acknowledge
        click(qtbot, acknowledge.ask)
        assert fakes.agent.items["c-1"].state.acknowledged is None
        qtbot.waitUntil(acknowledge.question.confirm.isEnabled)
        click(qtbot, acknowledge.question.confirm)
        assert fakes.agent.items["c-1"].state.acknowledged == START
        qtbot.waitUntil(acknowledge.done.isVisible)
        assert "You confirmed on" in acknowledge.done.text.text()

    def test_a_reminder_at_the_next_login_is_kept_and_told(
        self, qtbot: QtBot, fakes: Fakes, shown: InboxWindow
    ) -> None:
        shown.open("c-2")
        shown.later_chosen.emit("c-2", None)
        assert fakes.agent.items["c-2"].state.remind_after_login == "monday"
        qtbot.waitUntil(lambda: "at the next login" in shown.detail.facts.text())

    def test_what_the_desktop_holds_back_is_explained(
        self, fakes: Fakes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        presence = PresenceState(do_not_disturb=Tristate.YES)
        monkeypatch.setattr(fakes, "ask_presence", lambda answer: answer(presence))
        fakes.agent.arrives(campaign("c-1"))
        fakes.windows.show_inbox("c-1")
        shown = window(InboxWindow)
        assert isinstance(shown, InboxWindow)
        assert "do not disturb" in shown.detail.held.text.text()

    def test_more_than_fit_in_a_frame_are_read_by_a_worker_and_follow(
        self, qtbot: QtBot, fakes: Fakes
    ) -> None:
        many = 3 * controller.AT_ONCE
        fakes.agent.arrives(*(campaign(f"c-{number}") for number in range(many)))
        fakes.windows.show_inbox()
        shown = window(InboxWindow)
        assert isinstance(shown, InboxWindow)
        assert shown.model.rowCount() == controller.AT_ONCE
        qtbot.waitUntil(lambda: shown.model.rowCount() == many)
        shown.open(f"c-{many - 1}")
        assert fakes.agent.acts(f"c-{many - 1}") == [InteractionKind.READ]
        qtbot.waitUntil(lambda: shown.model.counts()[Filter.UNREAD] == many - 1)

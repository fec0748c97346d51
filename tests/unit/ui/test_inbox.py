from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from agent.domain.errors import StoreUnreadable
from agent.domain.model import ConnectionState, FeedbackSignal, InboxItem, Status, Trouble
from tests.support.ui import gallery_data as data
from ui.inbox.model import Filter
from ui.inbox.window import InboxWindow
from ui.style.theme import Theme

pytestmark = pytest.mark.usefixtures("presses_count")

SHARED = data.choices(FeedbackSignal.SEEN, FeedbackSignal.LIKE)


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> InboxWindow:
    window = InboxWindow(theme, now=lambda: data.NOW)
    qtbot.addWidget(window)
    fill(window, data.items())
    window.show()
    window.activateWindow()
    window.list.setFocus()
    return window


def fill(
    window: InboxWindow, items: list[InboxItem], connection: ConnectionState = ConnectionState.CONNECTED
) -> None:
    window.show_items(items, data.media_path, SHARED, data.status(connection))


def titles(window: InboxWindow) -> list[str]:
    model = window.model
    return [str(model.data(model.index(row))) for row in range(model.rowCount())]


def key(qtbot: QtBot, wanted: Qt.Key, widget: QWidget | None = None) -> None:
    qtbot.keyClick(widget or QApplication.focusWidget(), wanted)


def read(item: InboxItem) -> InboxItem:
    return msgspec.structs.replace(item, state=msgspec.structs.replace(item.state, read=True))


def test_opening_the_window_opens_no_announcement(window: InboxWindow, qtbot: QtBot) -> None:
    assert window.open_id == ""
    assert window.note.title.text() == "No announcement is open"


def test_up_down_j_and_k_move_and_open(window: InboxWindow, qtbot: QtBot) -> None:
    opened: list[str] = []
    window.opened.connect(opened.append)
    for each in (Qt.Key.Key_Down, Qt.Key.Key_J, Qt.Key.Key_J, Qt.Key.Key_K, Qt.Key.Key_Up, Qt.Key.Key_Up):
        key(qtbot, each)
    assert opened == ["c-1", "c-2", "c-3", "c-2", "c-1"]
    assert window.detail.title.text() == "The new Lyon studio opens on Monday"


def test_a_click_opens(window: InboxWindow, qtbot: QtBot) -> None:
    place = window.list.visualRect(window.model.index(1)).center()
    with qtbot.waitSignal(window.opened) as opened:
        qtbot.mouseClick(window.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.args == ["c-2"]


def test_enter_goes_to_the_announcement_so_that_its_buttons_are_next(
    window: InboxWindow, qtbot: QtBot
) -> None:
    key(qtbot, Qt.Key.Key_Return)
    assert window.open_id == "c-1"
    key(qtbot, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is window.detail


def test_slash_searches_and_escape_clears_then_closes(window: InboxWindow, qtbot: QtBot) -> None:
    key(qtbot, Qt.Key.Key_Slash)
    assert QApplication.focusWidget() is window.search
    qtbot.keyClicks(window.search, "vpn")
    assert titles(window) == ["VPN restarts at 18:00 tonight"]
    key(qtbot, Qt.Key.Key_Escape)
    assert len(titles(window)) == 5
    with qtbot.waitSignal(window.closed):
        key(qtbot, Qt.Key.Key_Escape)


def test_letters_typed_into_the_search_are_no_commands(window: InboxWindow, qtbot: QtBot) -> None:
    window.search.setFocus()
    with qtbot.assertNotEmitted(window.opened):
        qtbot.keyClicks(window.search, "jkl/")
    assert window.search.text() == "jkl/"


@pytest.mark.parametrize("words", ["LYON studio", "cafe", "lockers léa", "facilities lyon"])
def test_search_looks_in_title_sender_and_text_without_case_and_accents(
    window: InboxWindow, words: str
) -> None:
    window.search.setText(words)
    assert "The new Lyon studio opens on Monday" in titles(window)


def test_filters_show_their_kind_and_count(window: InboxWindow, qtbot: QtBot) -> None:
    assert [button.full_text for button in window.filters.buttons.values()] == [
        "All 5",
        "Unread 2",
        "Liked 2",
        "Later 0",
        "Held 0",
    ]
    assert not window.filters.buttons[Filter.HELD].isVisible()
    qtbot.mouseClick(window.filters.buttons[Filter.UNREAD], Qt.MouseButton.LeftButton)
    assert titles(window) == ["VPN restarts at 18:00 tonight", "Open days: bring a friend"]
    qtbot.mouseClick(window.filters.buttons[Filter.LATER], Qt.MouseButton.LeftButton)
    assert titles(window) == []
    assert window.note.title.text() == "Nothing here"
    qtbot.mouseClick(window.note.clear_button, Qt.MouseButton.LeftButton)
    assert len(titles(window)) == 5


def test_a_new_one_stays_in_view_while_it_is_read(window: InboxWindow, qtbot: QtBot) -> None:
    qtbot.mouseClick(window.filters.buttons[Filter.UNREAD], Qt.MouseButton.LeftButton)
    window.list.step(1)
    items = data.items()
    items[1] = read(items[1])
    fill(window, items)
    assert window.open_id == "c-2"
    assert "VPN restarts at 18:00 tonight" in titles(window)
    assert window.filters.buttons[Filter.UNREAD].full_text == "Unread 1"
    qtbot.mouseClick(window.filters.buttons[Filter.UNREAD], Qt.MouseButton.LeftButton)
    assert titles(window) == ["Open days: bring a friend"]


def test_news_from_the_agent_neither_close_nor_reopen_the_open_one(window: InboxWindow, qtbot: QtBot) -> None:
    window.open("c-3")
    newer = msgspec.structs.replace(data.items()[0], campaign=data.campaign(9, "Newest", "IT"))
    with qtbot.assertNotEmitted(window.opened):
        fill(window, [newer, *data.items()])
    assert window.open_id == "c-3"
    assert window.list.selected_row() == 3


def test_a_recalled_announcement_that_is_open_goes(window: InboxWindow) -> None:
    window.open("c-1")
    fill(window, data.items()[1:])
    assert window.open_id == ""
    assert window.pane.currentWidget() is window.note


def test_what_the_person_does_is_said_with_the_campaign(window: InboxWindow, qtbot: QtBot) -> None:
    window.open("c-1")
    with qtbot.waitSignal(window.link_clicked) as clicked:
        qtbot.mouseClick(window.detail.links.buttons[0], Qt.MouseButton.LeftButton)
    assert clicked.args == ["c-1", "l1"]
    with qtbot.waitSignal(window.watch_clicked) as watched:
        qtbot.mouseClick(window.detail.picture.play, Qt.MouseButton.LeftButton)
    assert watched.args == ["c-1"]
    with qtbot.waitSignal(window.like_toggled) as liked:
        key(qtbot, Qt.Key.Key_L, window.list)
    assert liked.args == ["c-1", False]
    qtbot.mouseClick(window.detail.remind, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.later_chosen) as later:
        qtbot.mouseClick(window.detail.later.buttons[0], Qt.MouseButton.LeftButton)
    assert later.args == ["c-1", 900.0]
    with qtbot.waitSignal(window.change_clicked):
        qtbot.mouseClick(window.detail.change, Qt.MouseButton.LeftButton)


def test_hearts_are_for_videos(window: InboxWindow, qtbot: QtBot) -> None:
    window.open("c-2")
    assert not window.detail.like.isVisible()
    with qtbot.assertNotEmitted(window.like_toggled):
        key(qtbot, Qt.Key.Key_L, window.list)


def test_a_video_that_is_not_here_yet_cannot_be_started(window: InboxWindow) -> None:
    window.show_items(data.items(), lambda _sha256: None, SHARED, data.status())
    window.open("c-1")
    assert not window.detail.picture.play.isVisible()


def test_markup_in_an_announcement_is_shown_as_text(window: InboxWindow) -> None:
    markup = '<img src="file:///etc/passwd"><a href="https://x.example">x</a>'
    item = msgspec.structs.replace(data.items()[0], campaign=data.campaign(9, markup, markup, markup))
    fill(window, [item])
    window.open("c-9")
    assert window.detail.body.toPlainText() == markup
    assert window.detail.title.textFormat() == Qt.TextFormat.PlainText
    assert window.detail.facts.textFormat() == Qt.TextFormat.PlainText


@pytest.mark.parametrize(
    ("connection", "title", "connectable"),
    [
        (ConnectionState.CONNECTED, "Nothing yet", False),
        (ConnectionState.NOT_CONNECTED, "Not connected to a company", True),
        (ConnectionState.REVOKED, "Not connected to a company", True),
    ],
)
def test_an_empty_inbox_says_why(
    window: InboxWindow, qtbot: QtBot, connection: ConnectionState, title: str, connectable: bool
) -> None:
    fill(window, [], connection)
    assert window.note.title.text() == title
    assert window.note.connect_button.isVisible() == connectable
    if connectable:
        with qtbot.waitSignal(window.connect_clicked):
            qtbot.mouseClick(window.note.connect_button, Qt.MouseButton.LeftButton)


def test_offline_is_said_and_can_be_checked(window: InboxWindow, qtbot: QtBot) -> None:
    assert not window.bar.isVisible()
    fill(window, data.items(), ConnectionState.OFFLINE)
    assert "Offline" in window.bar.text.text()
    with qtbot.waitSignal(window.check_now):
        qtbot.mouseClick(window.bar.button, Qt.MouseButton.LeftButton)


def test_a_store_that_cannot_be_read_is_not_called_a_server_that_cannot_be_reached(
    window: InboxWindow,
) -> None:
    fault = StoreUnreadable("a folder", file="tidings.sqlite3")
    told = Trouble(type(fault).__name__, fault.title, fault.message)
    for status in (data.status(ConnectionState.HALTED), Status(ConnectionState.HALTED)):
        halted = replace(status, troubles=(told,), halted_by=told)
        window.show_items([], data.media_path, SHARED, halted)
        assert window.bar.text.text() == f"Nothing is received. {fault.title}."
        assert window.note.title.text() == fault.title
        assert window.note.text.text() == fault.message
        assert not window.note.connect_button.isVisible(), "nobody knows whether it is connected"


def test_a_screen_reader_hears_the_whole_row(window: InboxWindow) -> None:
    spoken = window.model.data(window.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert "The new Lyon studio opens on Monday" in str(spoken)
    assert "video, 1:24, Liked" in str(spoken)
    assert str(window.model.data(window.model.index(1), Qt.ItemDataRole.AccessibleTextRole)).startswith(
        "Unread, VPN"
    )


def test_reminders_are_found_under_later(window: InboxWindow, qtbot: QtBot) -> None:
    items = data.items()
    later = msgspec.structs.replace(items[3].state, remind_at=data.NOW + timedelta(hours=1))
    items[3] = msgspec.structs.replace(items[3], state=later)
    fill(window, items)
    qtbot.mouseClick(window.filters.buttons[Filter.LATER], Qt.MouseButton.LeftButton)
    assert titles(window) == ["Canteen closes early on Friday"]
    window.list.step(1)
    assert "reminder:" in window.detail.facts.text()


def test_ten_thousand_announcements_are_listed_and_searched(window: InboxWindow) -> None:
    state = data.items()[0].state
    many = [
        InboxItem(data.campaign(n, f"Announcement {n}", "People", "Text " * 60), state)
        for n in range(1, 10_001)
    ]
    fill(window, many)
    window.search.setText("announcement 9999")
    assert titles(window) == ["Announcement 9999"]
    window.search.setText("")
    window.open("c-10000")
    assert window.list.selected_row() == 9_999
    assert not window.grab().isNull()

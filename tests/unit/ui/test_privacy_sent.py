"""What was sent about me, byte for byte, and comparing it with the server."""

from datetime import timedelta
from time import process_time

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.my_data_models import Comparison, Difference, SentStatus
from tests.support.ui import gallery_data as data
from tests.support.ui import gallery_privacy
from ui.privacy.sent_model import Column, Kind, SentModel
from ui.privacy.window import PrivacyWindow
from ui.style.theme import Theme

pytestmark = pytest.mark.usefixtures("presses_count")


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> PrivacyWindow:
    window = gallery_privacy.privacy(theme)
    qtbot.addWidget(window)
    window.show()
    return window


def texts(model: SentModel) -> list[list[str]]:
    return [
        [str(model.index(row, column).data()) for column in Column if column is not Column.OPEN]
        for row in range(model.rowCount())
    ]


class TestWhatWasSent:
    def test_every_message_is_a_row_with_its_time_kind_announcement_size_and_fate(
        self, window: PrivacyWindow
    ) -> None:
        rows = texts(window.sent.model)
        today = f"Today {data.NOW.astimezone():%H:%M}"
        size = len(gallery_privacy.sent()[0].body)
        assert rows[0] == [today, "Seen", "The new Lyon studio opens on Monday", f"{size} B", "stored"]
        assert [row[1] for row in rows] == [
            "Seen", "Like", "Confirmed as read", "Clicks turned off", "Seen", "Click", "Seen", "Details corrected",
        ]  # fmt: skip
        assert [row[4] for row in rows][3:7] == ["erased 14", "waiting", "deleted", "refused"]
        assert rows[4][0] == "—"

    def test_a_row_opens_to_the_exact_bytes_and_the_servers_answer(
        self, window: PrivacyWindow, qtbot: QtBot
    ) -> None:
        table, item = window.sent.table, gallery_privacy.sent()[1]
        place = table.visualRect(window.sent.model.index(1, Column.WHAT)).center()
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert table.bytes is not None
        assert table.bytes.body.toPlainText().encode() == item.body
        assert table.bytes.answer.toPlainText().encode() == item.answer
        assert table.rowHeight(2) >= table.bytes.needed_height() > table.rowHeight(1)
        qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert table.bytes is None
        assert window.sent.model.rowCount() == len(gallery_privacy.sent())
        assert table.rowHeight(2) == table.rowHeight(1)

    def test_the_reason_of_a_refusal_is_said(self, window: PrivacyWindow) -> None:
        window.sent.table.toggle(6)
        assert window.sent.table.bytes is not None
        assert "Unknown campaign." in window.sent.table.bytes.state.text()

    def test_keys_move_open_close_and_copy(
        self, window: PrivacyWindow, qtbot: QtBot, qapp: QApplication
    ) -> None:
        table = window.sent.table
        table.setFocus()
        table.setCurrentIndex(window.sent.model.index(0, 0))
        qtbot.keyClick(table, Qt.Key.Key_Right)
        assert window.sent.model.opened == gallery_privacy.sent()[0]
        qtbot.keyClick(table, Qt.Key.Key_Down)
        assert table.currentIndex().row() == 2, "the row with the bytes is passed over"
        qtbot.keyClick(table, Qt.Key.Key_Return)
        assert window.sent.model.opened == gallery_privacy.sent()[1]
        assert table.currentIndex().row() == 1
        qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert qapp.clipboard().text().encode() == gallery_privacy.sent()[1].body
        qtbot.keyClick(table, Qt.Key.Key_Left)
        assert window.sent.model.opened is None

    def test_bytes_that_are_no_text_are_shown_as_numbers(self, window: PrivacyWindow) -> None:
        item = msgspec.structs.replace(gallery_privacy.sent()[0], body=b'{"a":"\xff\x00"}')
        window.show_history([item], [])
        window.sent.table.toggle(0)
        assert window.sent.table.bytes is not None
        assert r"\xff" in window.sent.table.bytes.body.toPlainText()

    def test_what_is_searched_for_is_found_in_announcement_state_and_bytes(
        self, window: PrivacyWindow, qtbot: QtBot
    ) -> None:
        sent = window.sent
        for wanted, kinds in (
            ("canteen", ["Seen", "Click"]),
            ("STORED like", ["Like"]),
            ("20780001", ["Like"]),
            ("nowhere", []),
        ):
            sent.search.clear()
            qtbot.keyClicks(sent.search, wanted)
            assert [row[1] for row in texts(sent.model)] == kinds
        assert sent.pages.currentWidget() is sent.empty
        assert sent.empty_title.text() == "Nothing found"
        qtbot.keyClick(sent.search, Qt.Key.Key_Escape)
        assert sent.model.rowCount() == len(gallery_privacy.sent())

    def test_a_filter_shows_one_kind(self, window: PrivacyWindow, qtbot: QtBot) -> None:
        sent = window.sent
        assert sent.filters.buttons[Kind.SEEN].full_text == "Seen 3"
        qtbot.mouseClick(sent.filters.buttons[Kind.CHOICE], Qt.MouseButton.LeftButton)
        assert [row[1] for row in texts(sent.model)] == ["Clicks turned off"]
        qtbot.mouseClick(sent.filters.buttons[Kind.ALL], Qt.MouseButton.LeftButton)
        assert sent.model.rowCount() == len(gallery_privacy.sent())

    def test_nothing_sent_is_said(self, window: PrivacyWindow) -> None:
        window.show_history([], [])
        assert window.sent.empty_title.text() == "Nothing was sent about you"
        assert not window.sent.save_button.isEnabled()
        assert window.sent.summary.text() == "0 messages · 0 bytes in 30 days"

    def test_the_footer_counts_thirty_days(self, window: PrivacyWindow) -> None:
        old = msgspec.structs.replace(gallery_privacy.sent()[0], sent_at=data.NOW - timedelta(days=31))
        recent = gallery_privacy.sent()[1]
        window.show_history([recent, old], [])
        assert window.sent.summary.text() == f"1 message · {len(recent.body)} bytes in 30 days"

    def test_what_is_open_stays_open_and_in_place_when_more_arrives(self, window: PrivacyWindow) -> None:
        window.sent.table.toggle(1)
        newer = msgspec.structs.replace(gallery_privacy.sent()[0], number=8, body=b'{"another":1}')
        window.show_history([newer, *gallery_privacy.sent()], [])
        assert window.sent.model.opened == gallery_privacy.sent()[1]
        assert window.sent.model.bytes_row == 3
        assert window.sent.table.bytes is not None
        assert window.sent.table.currentIndex().row() == 2

    def test_what_waited_stays_open_when_it_is_sent_under_another_number(self, window: PrivacyWindow) -> None:
        window.sent.table.toggle(3)
        items = gallery_privacy.sent()
        items[3] = msgspec.structs.replace(items[3], number=900, sent_at=data.NOW, status=SentStatus.STORED)
        window.show_history(items, [])
        assert window.sent.model.opened is items[3]

    def test_ten_thousand_messages_are_shown_searched_and_opened(
        self, window: PrivacyWindow, qtbot: QtBot
    ) -> None:
        first = gallery_privacy.sent()[0]
        many = [
            msgspec.structs.replace(first, number=number, title=f"Announcement {number}", body=b"%d" % number)
            for number in range(10_000, 0, -1)
        ]
        began = process_time()
        window.show_history(many, [])
        window.sent.search.setText("announcement 77")
        window.sent.table.toggle(0)
        taken = process_time() - began
        found = [number for number in range(10_000, 0, -1) if "77" in str(number)]
        assert window.sent.model.rowCount() == len(found) + 1, "and the row of the bytes"
        assert window.sent.model.opened is not None
        assert window.sent.model.opened.title == f"Announcement {found[0]}"
        print(f"10,000 messages: {taken:.3f} s of processor time")

    def test_rows_are_said_whole_to_a_screen_reader(self, window: PrivacyWindow) -> None:
        model = window.sent.model
        said = str(model.index(3, 0).data(Qt.ItemDataRole.AccessibleTextRole))
        assert said == "Clicks turned off, Yesterday, 167 B, erased 14".replace(
            "167", str(len(gallery_privacy.sent()[3].body))
        )
        window.sent.table.toggle(1)
        opened = str(model.index(2, 0).data(Qt.ItemDataRole.AccessibleTextRole))
        assert opened.encode() == gallery_privacy.sent()[1].body


class TestVerifying:
    def test_agreement_is_said_with_its_number(self, window: PrivacyWindow) -> None:
        window.sent.show_comparison(Comparison(14, ()))
        assert window.sent.note.title.text() == "The server and this computer agree"
        assert window.sent.note.text.text().startswith("Both have 14 entries, with the same content.")

    def test_nothing_on_both_sides_is_agreement_too(self, window: PrivacyWindow) -> None:
        window.sent.show_comparison(Comparison(0, ()))
        assert "holds nothing that you shared" in window.sent.note.text.text()

    def test_differences_are_listed_and_explained(self, window: PrivacyWindow) -> None:
        differences = (
            Difference("server", gallery_privacy.EVENT, "seen", "c-1"),
            Difference("computer", "9b0e", "like", "c-77"),
        )
        window.sent.show_comparison(Comparison(12, differences))
        note = window.sent.note
        assert note.title.text() == "2 differences"
        assert note.lines.toPlainText().splitlines() == [
            f"Seen · The new Lyon studio opens on Monday · only on the server · {gallery_privacy.EVENT}",
            "Like · c-77 · only on this computer · 9b0e",
        ]
        assert "another computer of yours" in note.text.text()
        assert "does not hold it any more" in note.text.text()

    def test_while_the_server_is_asked_it_is_not_asked_again(
        self, window: PrivacyWindow, qtbot: QtBot
    ) -> None:
        window.sent.show_verifying()
        with qtbot.assertNotEmitted(window.sent.verify):
            qtbot.mouseClick(window.sent.verify_button, Qt.MouseButton.LeftButton)
        fault = errors.ServerUnreachable()
        window.sent.show_verify_problem(fault.title, fault.message)
        assert window.sent.note.title.text() == fault.title
        with qtbot.waitSignal(window.sent.verify):
            qtbot.mouseClick(window.sent.verify_button, Qt.MouseButton.LeftButton)

    def test_a_comparison_goes_when_there_is_something_new(self, window: PrivacyWindow) -> None:
        window.sent.show_comparison(Comparison(14, ()))
        window.show_history(gallery_privacy.sent(), [gallery_privacy.receipt()])
        assert window.sent.note.isVisible()
        window.show_history(gallery_privacy.sent()[1:], [gallery_privacy.receipt()])
        assert not window.sent.note.isVisible()

    def test_a_message_is_closed_by_its_button(self, window: PrivacyWindow, qtbot: QtBot) -> None:
        window.sent.show_comparison(Comparison(14, ()))
        qtbot.mouseClick(window.sent.note.close_button, Qt.MouseButton.LeftButton)
        assert not window.sent.note.isVisible()

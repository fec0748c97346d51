"""The privacy window: what I share, who knows what, keyboard and size."""

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from agent.domain.model import ConnectionState, FeedbackSignal
from agent.domain.my_data_models import SentStatus
from resources import i18n
from tests.support.ui import gallery_data as data
from tests.support.ui import gallery_privacy
from ui.privacy.sent_model import Column, Kind
from ui.privacy.window import PrivacyWindow
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

pytestmark = pytest.mark.usefixtures("presses_count")

WAITING_OFF = "Off. Your company's server is told as soon as it can be reached."


@pytest.fixture
def window(qtbot: QtBot, theme: Theme) -> PrivacyWindow:
    window = gallery_privacy.privacy(theme)
    qtbot.addWidget(window)
    window.show()
    return window


class TestSwitches:
    def test_they_stand_where_the_person_put_them(self, window: PrivacyWindow, qtbot: QtBot) -> None:
        assert [card.row.on for card in window.share.cards] == [True, False, True]
        with qtbot.assertNotEmitted(window.share.chosen):
            window.show_state(data.status(), data.choices(FeedbackSignal.CLICK))
        assert [card.row.on for card in window.share.cards] == [False, True, False]

    def test_withdrawing_takes_one_click_as_giving_does(self, window: PrivacyWindow, qtbot: QtBot) -> None:
        acts: list[tuple[object, bool]] = []
        window.share.chosen.connect(lambda signal, on: acts.append((signal, on)))
        for card in window.share.cards:
            qtbot.mouseClick(card.row.toggle, Qt.MouseButton.LeftButton)
        assert acts == [
            (FeedbackSignal.SEEN, False),
            (FeedbackSignal.CLICK, True),
            (FeedbackSignal.LIKE, False),
        ]

    def test_they_work_by_space_and_by_enter(self, window: PrivacyWindow, qtbot: QtBot) -> None:
        toggle = window.share.cards[1].row.toggle
        for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
            with qtbot.waitSignal(window.share.chosen):
                qtbot.keyClick(toggle, key)
        assert not toggle.isChecked()

    def test_a_key_pressed_by_mistake_when_the_window_opens_switches_nothing(
        self, window: PrivacyWindow, qtbot: QtBot
    ) -> None:
        with qtbot.assertNotEmitted(window.share.chosen):
            qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Space)

    def test_what_the_organisation_turned_off_is_off_and_the_own_choice_is_kept(
        self, window: PrivacyWindow
    ) -> None:
        window.show_state(data.status(), data.choices(FeedbackSignal.CLICK, locked=FeedbackSignal.CLICK))
        row = window.share.cards[1].row
        assert not row.toggle.isEnabled()
        assert not row.on
        assert "Turned off by your organisation. Your own choice, on, is kept." in row.description.text()

    def test_one_that_was_turned_off_says_what_the_server_deleted(self, window: PrivacyWindow) -> None:
        assert window.share.cards[1].note.text() == "Off. The server has deleted 14 entries."
        assert not window.share.cards[0].note.isVisible()

    def test_one_that_had_shared_nothing_says_that_nothing_was_deleted(self, window: PrivacyWindow) -> None:
        nothing = msgspec.structs.replace(gallery_privacy.receipt(), erased=0)
        window.show_history(gallery_privacy.sent(), [nothing])
        assert window.share.cards[1].note.text() == "Off. The server had nothing to delete."

    def test_one_that_was_turned_off_offline_says_that_the_server_will_be_told(
        self, window: PrivacyWindow
    ) -> None:
        waiting = gallery_privacy.withdrawal(SentStatus.WAITING)
        window.show_history([waiting, *gallery_privacy.sent()], [gallery_privacy.receipt()])
        assert window.share.cards[1].note.text() == WAITING_OFF

    def test_one_that_was_turned_on_again_says_nothing_of_before(self, window: PrivacyWindow) -> None:
        window.show_state(data.status(), data.choices(FeedbackSignal.CLICK))
        window.show_history(gallery_privacy.sent(), [gallery_privacy.receipt()])
        assert not window.share.cards[1].note.isVisible()

    def test_they_are_check_boxes_with_names_for_screen_readers(self, window: PrivacyWindow) -> None:
        toggles = [card.row.toggle for card in window.share.cards]
        assert [toggle.accessibleName() for toggle in toggles] == ["Seen", "Clicks", "Likes"]
        assert all(toggle.accessibleDescription() for toggle in toggles)


class TestWhoKnowsWhat:
    def test_without_named_reporting_nobody_can_look_a_choice_up(self, window: PrivacyWindow) -> None:
        assert "Nobody at Northwind can look up your choice." in window.share.intro.text()

    def test_with_named_reporting_it_says_that_the_name_is_seen(self, window: PrivacyWindow) -> None:
        company = msgspec.structs.replace(data.company(), named_reporting=True)
        window.show_state(msgspec.structs.replace(data.status(), company=company), data.choices())
        assert "Northwind sees your name with what you share." in window.share.intro.text()
        assert "Nobody" not in window.share.intro.text()

    def test_it_says_who_answers_and_leads_to_the_notice(self, window: PrivacyWindow, qtbot: QtBot) -> None:
        share = window.share
        assert share.officer.text() == "Data protection officer: Inès Martin · dpo@northwind.example"
        assert "stored in the European Union" in share.storage.text()
        assert share.notice_button.full_text == "Read the notice (version 3, 2 Nov 2026)"
        with qtbot.waitSignal(share.notice):
            qtbot.mouseClick(share.notice_button, Qt.MouseButton.LeftButton)

    def test_offline_it_says_what_holds_and_since_when(self, window: PrivacyWindow, qtbot: QtBot) -> None:
        window.show_state(data.status(ConnectionState.OFFLINE), data.choices())
        assert window.bar_text.text().startswith("Offline. Your choices hold at once")
        with qtbot.waitSignal(window.check_now):
            qtbot.mouseClick(window.check_button, Qt.MouseButton.LeftButton)
        window.show_state(data.status(), data.choices())
        assert not window.bar.isVisible()

    def test_where_nothing_can_be_read_it_does_not_say_that_nothing_was_sent(
        self, qtbot: QtBot, theme: Theme
    ) -> None:
        window, halted = PrivacyWindow(theme, now=lambda: data.NOW), data.halted()
        qtbot.addWidget(window)
        window.show()
        window.show_state(halted, data.choices())
        told = halted.troubles[0]
        window.sent.show_unreadable(told.title, told.message)
        assert window.sent.empty_title.text() == told.title
        assert (
            window.bar_text.text() == f"{told.title}. What you turn off is off at once; the server is told."
        )
        window.show_state(data.status(), data.choices())
        window.show_history([], [])
        assert window.sent.empty_title.text() == "Nothing was sent about you"
        assert not window.bar.isVisible()


def test_everything_is_reached_by_the_keyboard_in_reading_order(window: PrivacyWindow, qtbot: QtBot) -> None:
    window.sent.table.toggle(1)
    share, sent = window.share, window.sent
    assert sent.table.bytes is not None
    window.activateWindow()
    window.setFocus()
    expected = [
        *(card.row.toggle for card in share.cards),
        share.receipts_button,
        share.copy_button,
        share.correct_button,
        share.delete_button,
        share.disconnect_button,
        share.notice_button,
        sent.verify_button,
        sent.search,
        sent.filters.buttons[Kind.ALL],
        sent.table,
        sent.table.bytes.body,
        sent.table.bytes.answer,
        sent.table.bytes.copy_button,
        sent.save_button,
    ]
    reached = []
    for _step in expected:
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert reached == expected


@pytest.mark.usefixtures("theme")
@pytest.mark.parametrize("language", ["en", "fr"])
def test_with_text_twice_as_large_on_a_small_screen_nothing_is_cut(
    qtbot: QtBot, qapp: QApplication, language: str
) -> None:
    i18n.use_language(language)
    theme = Theme.of(Scheme.LIGHT, text_scale=2.0, reduced_motion=True)
    apply_theme(qapp, theme)
    window = gallery_privacy.privacy(theme)
    qtbot.addWidget(window)
    window.show()
    window.sent.table.toggle(1)
    assert window.width() <= window.screen().availableGeometry().width()
    share, sent = window.share, window.sent
    for button in (share.copy_button, share.delete_button, sent.verify_button, sent.save_button):
        assert button.width() >= button.sizeHint().width()
        assert button.mapTo(window, button.rect().bottomRight()).x() < window.width()
    assert sent.table.columnWidth(Column.ANNOUNCEMENT) >= theme.px(50)
    for label in (share.intro, share.storage, *(card.row.description for card in share.cards)):
        assert label.height() >= label.heightForWidth(label.width())

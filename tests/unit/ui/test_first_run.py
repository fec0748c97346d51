import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from agent.domain import errors
from agent.domain.model import FeedbackSignal, Person
from tests.support.ui import gallery_data as data
from tests.unit.ui.memory_agent import ManualTime
from ui.onboarding.connect_page import read_invitation
from ui.onboarding.first_run import FirstRunWindow
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

INVITATION = """Hello Léa,
Tidings is ready for you. Address: https://news.northwind.example:8443/
Code: kx7p-9qmd-2htv (valid for 7 days)."""


@pytest.fixture
def time() -> ManualTime:
    return ManualTime()


@pytest.fixture
def window(qtbot: QtBot, theme: Theme, time: ManualTime) -> FirstRunWindow:
    window = FirstRunWindow(theme, time)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    return window


@pytest.fixture
def asked(window: FirstRunWindow, time: ManualTime) -> FirstRunWindow:
    window.show_choose(data.person(), data.company(), data.choices(*FeedbackSignal))
    time.pass_by(1)
    return window


def test_a_press_that_was_meant_for_what_stood_there_before_gives_no_consent(
    window: FirstRunWindow, time: ManualTime, qtbot: QtBot
) -> None:
    page = window.choose_page
    pressed = (page.everything, page.nothing, page.own, page.rows[0].toggle)
    for _time in ("when it comes", "when it asks anew"):
        window.show_choose(data.person(), data.company(), data.choices(*FeedbackSignal))
        with qtbot.assertNotEmitted(window.chosen):
            for widget in pressed * 2:
                qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)
                qtbot.keyClick(widget, Qt.Key.Key_Space)
                qtbot.keyClick(widget, Qt.Key.Key_Return)
                time.pass_by(0.3)
        assert not any(row.on for row in page.rows)
        time.pass_by(1)
        for button in page.buttons:
            with qtbot.waitSignal(window.chosen):
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_connecting_needs_an_address_and_a_code(window: FirstRunWindow, qtbot: QtBot) -> None:
    page = window.connect_page
    with qtbot.assertNotEmitted(window.connect_requested):
        qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
        assert page.problem.text() == "Enter the address of your company's server."
        qtbot.keyClicks(page.address, "https://news.northwind.example")
        assert not page.problem.isVisible()
        qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    assert page.problem.text() == "Enter the code of your invitation."
    qtbot.keyClicks(page.code, "KX7P-9QMD-2HTV")
    with qtbot.waitSignal(window.connect_requested) as requested:
        qtbot.keyClick(page.code, Qt.Key.Key_Return)
    assert requested.args == ["https://news.northwind.example", "KX7P-9QMD-2HTV"]


@pytest.mark.parametrize("field", ["address", "code"])
def test_a_pasted_invitation_fills_both_fields(
    window: FirstRunWindow, field: str, qapp: QApplication
) -> None:
    qapp.clipboard().setText(INVITATION)
    getattr(window.connect_page, field).paste()
    assert window.connect_page.address.text() == "https://news.northwind.example:8443/"
    assert window.connect_page.code.text() == "KX7P-9QMD-2HTV"


@pytest.mark.parametrize("text", ["", "https://news.northwind.example", "KX7P-9QMD-2HTV", "call 0123-4567"])
def test_half_an_invitation_is_left_as_it_was_typed(text: str) -> None:
    assert read_invitation(text) is None


def test_while_connecting_nothing_can_be_entered_twice(window: FirstRunWindow) -> None:
    page = window.connect_page
    window.show_progress()
    assert page.progress.isVisible()
    assert not any(widget.isEnabled() for widget in (page.address, page.code, page.button))


def test_an_error_says_what_happened_and_lets_the_person_try_again(window: FirstRunWindow) -> None:
    page = window.connect_page
    window.set_address("https://news.northwind.example")
    window.show_progress()
    refused = errors.CodeRefused()
    window.show_error(refused.title, refused.message)
    assert (page.problem_title.text(), page.problem.text()) == (refused.title, refused.message)
    assert page.button.isEnabled()
    assert not page.progress.isVisible()
    assert page.address.text() == "https://news.northwind.example"
    assert refused.message in page.button.accessibleDescription()


def test_nothing_is_ticked_beforehand_whatever_was_chosen_before(asked: FirstRunWindow) -> None:
    assert not any(row.on for row in asked.choose_page.rows)


def test_refusing_and_accepting_are_buttons_of_one_size_and_none_is_the_default(
    asked: FirstRunWindow,
) -> None:
    buttons = asked.choose_page.buttons
    assert len({button.size().toTuple() for button in buttons}) == 1
    assert len({button.y() for button in buttons}) == 1
    assert len({button.property("kind") for button in buttons}) == 1
    assert not any(button.isDefault() or button.autoDefault() or button.hasFocus() for button in buttons)


def test_enter_alone_chooses_nothing(asked: FirstRunWindow, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(asked.chosen):
        qtbot.keyClick(asked.choose_page, Qt.Key.Key_Return)


@pytest.mark.parametrize(("index", "expected"), [(0, False), (1, True)])
def test_nothing_and_everything_take_one_click(
    asked: FirstRunWindow, qtbot: QtBot, index: int, expected: bool
) -> None:
    with qtbot.waitSignal(asked.chosen) as chosen:
        qtbot.mouseClick(asked.choose_page.buttons[index], Qt.MouseButton.LeftButton)
    assert chosen.args == [dict.fromkeys(FeedbackSignal, expected)]


def test_an_own_choice_is_what_the_switches_say(asked: FirstRunWindow, qtbot: QtBot) -> None:
    page = asked.choose_page
    qtbot.mouseClick(page.rows[0].toggle, Qt.MouseButton.LeftButton)
    qtbot.keyClick(page.rows[2].toggle, Qt.Key.Key_Space)
    with qtbot.waitSignal(asked.chosen) as chosen:
        qtbot.mouseClick(page.own, Qt.MouseButton.LeftButton)
    assert chosen.args == [
        {FeedbackSignal.SEEN: True, FeedbackSignal.CLICK: False, FeedbackSignal.LIKE: True}
    ]


def test_what_the_organisation_turned_off_cannot_be_switched_on(
    window: FirstRunWindow, time: ManualTime, qtbot: QtBot
) -> None:
    window.show_choose(data.person(), data.company(), data.choices(locked=FeedbackSignal.CLICK))
    time.pass_by(1)
    row = window.choose_page.rows[1]
    assert not row.toggle.isEnabled()
    assert "Turned off by your organisation." in row.description.text()
    assert window.choose_page.everything.full_text == "Share all I can"
    with qtbot.waitSignal(window.chosen) as chosen:
        qtbot.mouseClick(window.choose_page.everything, Qt.MouseButton.LeftButton)
    assert chosen.args == [
        {FeedbackSignal.SEEN: True, FeedbackSignal.CLICK: False, FeedbackSignal.LIKE: True}
    ]


def test_closing_without_an_answer_is_a_deferral_and_no_refusal(asked: FirstRunWindow, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(asked.chosen), qtbot.waitSignal(asked.deferred):
        qtbot.keyClick(asked, Qt.Key.Key_Escape)
    assert not asked.isVisible()


def test_closing_after_an_answer_or_before_the_question_defers_nothing(
    asked: FirstRunWindow, qtbot: QtBot
) -> None:
    qtbot.mouseClick(asked.choose_page.nothing, Qt.MouseButton.LeftButton)
    with qtbot.assertNotEmitted(asked.deferred):
        asked.close()
    asked.show_connect()
    asked.show()
    with qtbot.assertNotEmitted(asked.deferred):
        asked.close()


def test_it_says_who_decides_where_data_is_and_whom_to_ask(asked: FirstRunWindow, qtbot: QtBot) -> None:
    page = asked.choose_page
    assert page.terms.text() == (
        "Northwind SAS decides why, stored in the European Union, kept while you have an account."
    )
    assert "dpo@northwind.example" in page.contact.text()
    with qtbot.waitSignal(asked.notice_requested):
        qtbot.mouseClick(page.notice, Qt.MouseButton.LeftButton)


def test_it_says_that_reports_name_nobody(asked: FirstRunWindow) -> None:
    assert "five people or more and name nobody" in asked.choose_page.who_sees.text()


def test_with_named_reporting_it_says_that_the_name_is_seen(window: FirstRunWindow) -> None:
    company = msgspec.structs.replace(data.company(), named_reporting=True)
    window.show_choose(data.person(), company, data.choices())
    assert window.choose_page.who_sees.text() == "Northwind sees your name with what you share."


def test_without_a_first_name_it_greets_all_the_same(window: FirstRunWindow) -> None:
    window.show_choose(Person("lea.roux@northwind.example"), data.company(), data.choices())
    assert window.choose_page.hello.text() == "Hello"
    assert window.choose_page.email.text() == "lea.roux@northwind.example"


def test_everything_is_reached_by_the_keyboard_in_reading_order(asked: FirstRunWindow, qtbot: QtBot) -> None:
    page = asked.choose_page
    asked.activateWindow()
    page.setFocus()
    reached = []
    for _step in range(7):
        qtbot.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert reached == [*(row.toggle for row in page.rows), page.notice, *page.buttons]


def test_with_text_twice_as_large_nothing_is_cut(qtbot: QtBot, qapp: QApplication) -> None:
    theme = Theme.of(Scheme.LIGHT, text_scale=2.0, reduced_motion=True)
    apply_theme(qapp, theme)
    window = FirstRunWindow(theme)
    qtbot.addWidget(window)
    window.show()
    window.show_choose(data.person(), data.company(), data.choices())
    page = window.choose_page
    right_edge = window.width() - theme.px(30)
    for widget in [*(row.toggle for row in page.rows), *page.buttons, page.intro]:
        assert widget.mapTo(window, widget.rect().bottomRight()).x() <= right_edge
    assert all(button.width() >= button.sizeHint().width() for button in page.findChildren(QPushButton))
    assert page.intro.height() >= page.intro.heightForWidth(page.intro.width())

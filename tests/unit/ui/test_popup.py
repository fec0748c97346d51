from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from agent.domain.model import Urgency
from resources import i18n
from tests.support.ui import gallery_data as data
from tests.support.ui import gallery_popup
from tests.unit.ui.memory_agent import ManualTime
from ui.popup.pages import PopupPage
from ui.popup.widgets.card import PopupCard
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme
from ui.widgets.buttons import Button

pytestmark = pytest.mark.usefixtures("presses_count")

EVENING = datetime(2026, 11, 23, 22, 0).astimezone()


@pytest.fixture
def card(qtbot: QtBot, theme: Theme) -> PopupCard:
    card = PopupCard(theme, translucent=True, now=lambda: EVENING)
    qtbot.addWidget(card)
    return card


def shown(card: PopupCard, page: PopupPage) -> PopupCard:
    card.show_page(page)
    card.appear(QPoint(300, 100))
    return card


def link(card: PopupCard, text: str) -> Button:
    return next(
        button for button in card.findChildren(Button) if button.full_text == text and button.isVisible()
    )


def test_the_card_can_never_have_the_keyboard(card: PopupCard) -> None:
    assert card.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    assert card.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert card.testAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
    shown(card, data.video_page())
    assert all(widget.focusPolicy() == Qt.FocusPolicy.NoFocus for widget in card.findChildren(QWidget))


def test_content_is_never_read_as_markup(card: PopupCard) -> None:
    markup = '<img src="file:///etc/passwd"><b>bold</b>'
    shown(card, replace(data.video_page(), title=markup, body=markup, sender=markup))
    labels = [label for label in card.findChildren(QLabel) if label.text()]
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in labels)
    assert card.title.text() == markup


def test_a_link_button_names_its_link(card: PopupCard, qtbot: QtBot) -> None:
    shown(card, data.video_page())
    with qtbot.waitSignal(card.link_clicked) as clicked:
        qtbot.mouseClick(link(card, "Read more"), Qt.MouseButton.LeftButton)
    assert clicked.args == ["l1"]


def test_button_and_poster_both_start_the_video(card: PopupCard, qtbot: QtBot) -> None:
    shown(card, data.video_page())
    for target in (card.watch, card.picture.play):
        with qtbot.waitSignal(card.watch_clicked):
            qtbot.mouseClick(target, Qt.MouseButton.LeftButton)


def test_the_heart_is_for_videos_and_tells_its_state(card: PopupCard, qtbot: QtBot) -> None:
    shown(card, data.urgent_page())
    assert not card.like.isVisible()
    card.show_page(data.video_page())
    with qtbot.waitSignal(card.like_toggled) as liked:
        qtbot.mouseClick(card.like, Qt.MouseButton.LeftButton)
    assert liked.args == [True]
    assert card.like.accessibleName() == "Liked"
    with qtbot.waitSignal(card.like_toggled) as liked:
        qtbot.mouseClick(card.like, Qt.MouseButton.LeftButton)
    assert liked.args == [False]


def test_showing_a_liked_page_reports_no_like(card: PopupCard, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(card.like_toggled):
        shown(card, replace(data.video_page(), liked=True))
        card.show_page(data.video_page())


def test_later_offers_a_quarter_an_hour_tomorrow_morning_and_the_next_login(
    card: PopupCard, qtbot: QtBot
) -> None:
    shown(card, data.video_page())
    qtbot.mouseClick(card.later_button, Qt.MouseButton.LeftButton)
    delays = []
    card.later_chosen.connect(delays.append)
    for button in card.later.buttons:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert delays == [900, 3_600, 11 * 3_600, None]


def test_one_card_pages_through_all_that_are_due(card: PopupCard, qtbot: QtBot) -> None:
    shown(card, data.urgent_page())
    assert card.position.text() == "1 of 3"
    assert not card.previous_button.isEnabled()
    with qtbot.waitSignal(card.next):
        qtbot.mouseClick(card.next_button, Qt.MouseButton.LeftButton)
    card.show_page(replace(data.video_page(), position=3, count=3))
    assert not card.next_button.isEnabled()
    with qtbot.waitSignal(card.previous):
        qtbot.mouseClick(card.previous_button, Qt.MouseButton.LeftButton)
    card.show_page(data.video_page())
    assert not card.pager.isVisible()


def test_a_higher_page_grows_upwards_so_that_the_pager_stays_under_the_pointer(card: PopupCard) -> None:
    shown(card, data.urgent_page())
    before = card.geometry()
    pager_before = card.next_button.mapToGlobal(QPoint(0, 0))
    card.show_page(replace(data.video_page(), position=2, count=3))
    assert card.geometry().bottomRight() == before.bottomRight()
    assert card.height() > before.height()
    assert card.next_button.mapToGlobal(QPoint(0, 0)) == pager_before


PAGES = {
    "a video": data.video_page,
    "urgent, without a picture": data.urgent_page,
    "long": data.long_page,
    "a picture": gallery_popup.picture_page,
    "asks": gallery_popup.asking_page,
    "a video that asks": gallery_popup.asking_video_page,
    "a video that is not here": gallery_popup.missing_video_page,
    "a digest": gallery_popup.digest_page,
    "a long digest": gallery_popup.long_digest_page,
    "nothing but a title": lambda: replace(
        data.urgent_page(), body="", links=(), count=1, position=1, received="now"
    ),
}


@pytest.mark.parametrize("before", PAGES.values(), ids=PAGES)
def test_a_page_is_as_high_after_another_one_as_it_is_alone(
    qtbot: QtBot, theme: Theme, card: PopupCard, before: Callable[[], PopupPage]
) -> None:
    """At once, and when all that Qt put off was done; and with one page more or less to turn to."""
    for page in (each() for each in PAGES.values()):
        alone = PopupCard(theme, translucent=True)
        qtbot.addWidget(alone)
        shown(alone, replace(page, position=1, count=1))
        QApplication.processEvents()
        shown(card, replace(before(), position=1, count=2))
        QApplication.processEvents()
        card.show_page(replace(page, position=2, count=2))
        card.show_page(replace(page, position=1, count=1))
        for turn in ("at once", "later", "measured again"):
            assert card.height() == alone.height(), f"{page.title}: {turn}"
            for area, other in ((card.middle, alone.middle), (card.text, alone.text)):
                assert area.verticalScrollBar().maximum() == other.verticalScrollBar().maximum()
            QApplication.processEvents()
            if turn == "later":
                card.fit()
        alone.hide()


def test_close_and_change_are_said_to_the_presenter(card: PopupCard, qtbot: QtBot) -> None:
    shown(card, data.video_page())
    with qtbot.waitSignal(card.dismissed):
        qtbot.mouseClick(card.close_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(card.change_clicked):
        qtbot.mouseClick(card.change, Qt.MouseButton.LeftButton)


def test_the_pointer_over_the_card_is_reported(card: PopupCard, qtbot: QtBot) -> None:
    shown(card, data.video_page())
    hovers = []
    card.hover_changed.connect(hovers.append)
    inside = QPointF(50, 50)
    QApplication.sendEvent(card, QEnterEvent(inside, inside, card.mapToGlobal(inside)))
    QApplication.sendEvent(card, QEvent(QEvent.Type.Leave))
    assert hovers == [True, False]


@pytest.mark.parametrize("urgency", list(Urgency))
def test_only_what_is_urgent_says_so(card: PopupCard, urgency: Urgency) -> None:
    shown(card, replace(data.video_page(), urgency=urgency))
    assert card.urgency.isVisible() == (urgency in (Urgency.URGENT, Urgency.EMERGENCY))


@pytest.mark.parametrize("text_scale", [1.0, 2.0])
def test_the_longest_campaign_fits_the_screen_and_its_text_can_be_scrolled(
    qtbot: QtBot, qapp: QApplication, text_scale: float
) -> None:
    theme = Theme.of(Scheme.LIGHT, text_scale=text_scale, reduced_motion=True)
    apply_theme(qapp, theme)
    card = PopupCard(theme, translucent=True)
    qtbot.addWidget(card)
    page = replace(data.long_page(), links=data.long_page().links[:1])
    shown(card, page)
    room = card.screen().availableGeometry()
    assert card.height() - 2 * card.shadow_margin <= room.height()
    assert card.text.verticalScrollBar().maximum() > 0
    assert card.body.geometry().bottom() <= card.text.widget().height()
    for widget in (card.title, card.body, card.share_line):
        assert widget.height() >= widget.heightForWidth(widget.width())


def test_everything_pressed_has_a_name(card: PopupCard) -> None:
    shown(card, replace(data.video_page(), count=2))
    pressed = [card.watch, card.like, card.change, card.close_button, card.later_button, card.picture.play]
    pressed += [card.previous_button, card.next_button]
    assert all(button.accessibleName() for button in pressed)


def test_a_picture_that_is_no_picture_leaves_a_calm_ground(card: PopupCard, tmp_path) -> None:
    for name, content in (("a.png", b"\x89PNG but not"), ("b.svg", b"<svg/>"), ("c.png", b"")):
        path = tmp_path / name
        path.write_bytes(content)
        shown(card, replace(data.video_page(), picture=path))
        card.grab()
        assert card.picture.natural_size().isEmpty()
    shown(card, replace(data.video_page(), picture=tmp_path / "missing.png"))
    assert not card.grab().isNull()


def test_a_page_that_asks_whether_it_was_read_is_confirmed_in_two_steps(qtbot: QtBot, theme: Theme) -> None:
    time = ManualTime()
    card = PopupCard(theme, translucent=True, timers=time)
    qtbot.addWidget(card)
    shown(card, gallery_popup.asking_page())
    height = card.height()
    qtbot.mouseClick(card.acknowledge.ask, Qt.MouseButton.LeftButton)
    assert card.height() > height
    time.pass_by(5)
    with qtbot.waitSignal(card.acknowledged):
        qtbot.mouseClick(card.acknowledge.question.confirm, Qt.MouseButton.LeftButton)
    assert card.height() == height


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("text_scale", [1.0, 2.0])
def test_the_pointer_that_pressed_i_have_read_this_never_rests_on_confirm(
    qtbot: QtBot, qapp: QApplication, theme: Theme, text_scale: float, language: str
) -> None:
    large = replace(theme, text_scale=text_scale)
    apply_theme(qapp, large)
    i18n.use_language(language)
    for page in (gallery_popup.asking_page(), gallery_popup.asking_video_page()):
        card = shown(gallery_popup.card(large, page), page)
        qtbot.addWidget(card)
        ask = card.acknowledge.ask
        pressed = QRect(ask.mapToGlobal(QPoint(0, 0)), ask.size())
        qtbot.mouseClick(ask, Qt.MouseButton.LeftButton)
        for button in (card.acknowledge.question.confirm, card.acknowledge.question.cancel):
            assert button.isVisible()
            assert not pressed.intersects(QRect(button.mapToGlobal(QPoint(0, 0)), button.size()))


def test_the_buttons_stay_where_they_are_while_the_question_is_open(qtbot: QtBot, card: PopupCard) -> None:
    shown(card, gallery_popup.asking_page())
    places = [(button, button.mapToGlobal(QPoint(0, 0))) for button in card.action_row.findChildren(Button)]
    qtbot.mouseClick(card.acknowledge.ask, Qt.MouseButton.LeftButton)
    assert [(button, button.mapToGlobal(QPoint(0, 0))) for button, _place in places] == places


def test_a_page_that_was_confirmed_says_when(card: PopupCard) -> None:
    page = gallery_popup.asking_page()
    shown(card, page)
    assert page.acknowledge is not None
    card.show_page(replace(page, acknowledge=replace(page.acknowledge, confirmed=data.NOW)))
    assert card.acknowledge.done.isVisible()
    assert not card.acknowledge.ask.isVisible()
    card.show_page(data.video_page())
    assert not card.acknowledge.isVisible()


def test_the_companys_logo_is_on_it_and_its_first_letter_where_the_file_is_none(
    card: PopupCard, tmp_path: Path
) -> None:
    shown(card, replace(data.video_page(), logo=data.poster()))
    assert card.logo.shows_logo
    damaged = tmp_path / "logo.png"
    damaged.write_bytes(b"\x89PNG and no more")
    for file in (damaged, tmp_path / "nowhere.png", None):
        card.show_page(replace(data.video_page(), logo=file))
        assert not card.logo.shows_logo


def test_a_video_that_is_not_here_yet_is_told_and_has_no_button(card: PopupCard) -> None:
    shown(card, gallery_popup.missing_video_page())
    assert card.note.text() == "The video is still being fetched. It will be in your inbox."
    assert not card.watch.isVisible()
    assert not card.picture.play.isVisible()
    assert card.note.height() >= card.note.fontMetrics().height()


def test_no_reminder_is_offered_that_would_come_when_the_announcement_is_over(
    card: PopupCard,
) -> None:
    def offered(ends: datetime) -> list[str]:
        shown(card, replace(data.video_page(), ends=ends)).later_button.click()
        return [button.full_text for button in card.later.buttons if button.isVisible()]

    assert offered(EVENING + timedelta(minutes=30)) == ["15 min", "At the next login"]
    assert offered(EVENING + timedelta(hours=8)) == ["15 min", "1 hour", "At the next login"]
    assert offered(EVENING + timedelta(days=7)) == ["15 min", "1 hour", "Tomorrow", "At the next login"]

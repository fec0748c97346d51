"""The player's window without a decoder: what it says, what keys and buttons ask for, and where its parts stand."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from resources import i18n
from tests.support.ui import gallery_player
from ui.player.keys import words
from ui.player.messages import Event, Problem, Told
from ui.player.window import PlayerWindow
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

pytestmark = pytest.mark.usefixtures("presses_count")

HD = QSize(1280, 720)


class Player:
    """A window and what it told."""

    def __init__(self, window: PlayerWindow) -> None:
        self.window = window
        self.told: list[tuple[Event, str]] = []
        window.told.connect(lambda event, detail: self.told.append((event, detail)))


Open = Callable[[PlayerWindow], Player]


@pytest.fixture
def opened(qtbot: QtBot, theme: Theme) -> Open:
    """Shows a window, and closes it in the end."""

    def show(window: PlayerWindow) -> Player:
        qtbot.addWidget(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        return Player(window)

    return show


def press(window: PlayerWindow, key: Qt.Key, qtbot: QtBot) -> None:
    """As a person does: to the widget that has the focus."""
    qtbot.keyClick(window.focusWidget() or window, key)


def test_the_slider_says_the_time_when_it_is_come_to_and_not_at_every_second(
    theme: Theme, opened: Open, qtbot: QtBot
) -> None:
    window = opened(gallery_player.playing(theme)).window
    slider = window.controls.position
    slider.setFocus()
    assert (slider.accessibleName(), slider.accessibleDescription()) == ("Position", "0:12 of 1:24")
    window.controls.show_position(13_000)
    assert slider.accessibleDescription() == "0:12 of 1:24"
    assert slider.value() == 13
    with qtbot.waitSignal(window.controls.seek_wanted) as wanted:
        press(window, Qt.Key.Key_Right, qtbot)
    assert wanted.args == [18_000]
    assert slider.accessibleDescription() == "0:18 of 1:24"


def test_the_slider_goes_where_it_is_clicked(theme: Theme, opened: Open, qtbot: QtBot) -> None:
    window = opened(gallery_player.playing(theme)).window
    slider = window.controls.position
    with qtbot.waitSignal(window.controls.seek_wanted) as wanted:
        qtbot.mouseClick(
            slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, slider.height() // 2)
        )
    assert wanted.args[0] == pytest.approx(gallery_player.LENGTH_MS / 2, rel=0.02)


def test_every_control_has_a_name_and_the_tab_key_visits_them_in_the_order_of_the_eye(
    theme: Theme, opened: Open, qtbot: QtBot
) -> None:
    window = opened(gallery_player.playing(theme)).window
    window.controls.play.setFocus()
    names = []
    for _ in range(9):
        focused = QApplication.focusWidget()
        assert focused is not None
        names.append(focused.accessibleName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert names == [
        "Pause", "Position", "Unmute", "Volume", "Captions", "Liked", "Keys", "Full screen", "Change",
    ]  # fmt: skip


def test_it_starts_muted_and_keys_change_the_sound(theme: Theme, opened: Open, qtbot: QtBot) -> None:
    controls = opened(gallery_player.playing(theme)).window.controls
    window = controls.window()
    assert isinstance(window, PlayerWindow)
    controls.play.setFocus()
    assert controls.mute.accessibleName() == "Unmute"
    press(window, Qt.Key.Key_Up, qtbot)
    assert (controls.mute.accessibleName(), controls.volume.value()) == ("Mute", 85)
    press(window, Qt.Key.Key_M, qtbot)
    assert (controls.mute.accessibleName(), controls.volume.value()) == ("Unmute", 85)


def test_a_video_without_sound_says_so_and_offers_none(theme: Theme, opened: Open, qtbot: QtBot) -> None:
    window = gallery_player.playing(theme, languages=0)
    window.controls.show_silent()
    opened(window)
    press(window, Qt.Key.Key_M, qtbot)
    assert window.controls.mute.accessibleName() == "This video has no sound"
    assert not window.controls.captions.isVisible()


def test_captions_are_chosen_from_a_menu_that_names_the_languages_and_off(theme: Theme, opened: Open) -> None:
    player = opened(gallery_player.playing(theme, languages=20))
    controls = player.window.controls
    labels = [action.text() for action in controls.menu.actions()]
    assert labels[:3] == ["Off", "English", "Čeština"]
    assert len(labels) == 21
    controls.menu.actions()[0].trigger()
    assert player.told[-1] == (Event.CAPTIONS, "")
    assert controls.captions.accessibleDescription() == "Off"


def test_a_key_of_another_program_is_none_of_ours(theme: Theme, opened: Open, qtbot: QtBot) -> None:
    player = opened(gallery_player.playing(theme))
    qtbot.keyClick(player.window, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert player.told == []


def test_hearts_and_what_is_shared_follow_the_agent_without_telling_it_again(
    theme: Theme, opened: Open, qtbot: QtBot
) -> None:
    player = opened(gallery_player.playing(theme))
    player.window.hear(Told(False, "Nothing is shared"))
    assert player.window.controls.like.full_text == "Like"
    assert player.window.share.text.text() == "Nothing is shared"
    assert player.told == []
    press(player.window, Qt.Key.Key_H, qtbot)
    assert player.told == [(Event.LIKED, "")]
    player.window.share.change.click()
    assert player.told[-1] == (Event.CHANGE, "")


def test_the_page_of_keys_names_every_key_and_the_player_goes_on_listening(
    theme: Theme, opened: Open, qtbot: QtBot
) -> None:
    player = opened(gallery_player.playing(theme))
    press(player.window, Qt.Key.Key_F1, qtbot)
    focused = player.window.focusWidget()
    assert focused is not None
    for keys, what in words():
        assert f"{keys}: {what}" in focused.accessibleDescription()
    press(player.window, Qt.Key.Key_H, qtbot)
    assert player.told == [(Event.UNLIKED, "")]
    press(player.window, Qt.Key.Key_Escape, qtbot)
    assert player.window.focusWidget() is player.window.controls.play
    assert player.window.isVisible()


@pytest.mark.parametrize(("problem", "can_try_again"), [
    (Problem.MISSING, True), (Problem.DAMAGED, False), (Problem.UNSUPPORTED, False), (Problem.CRASHED, True),
])  # fmt: skip
def test_what_is_not_played_leaves_the_announcement_to_be_read(
    theme: Theme, opened: Open, problem: Problem, can_try_again: bool
) -> None:
    window = PlayerWindow(gallery_player.request(HD, problem), theme)
    player = opened(window)
    window.begin()
    page = window.trouble
    assert page is not None
    assert page.body.toPlainText().startswith("Léa walks you through")
    texts = [label.text() for label in page.findChildren(QWidget) if hasattr(label, "text")]
    assert {page.accessibleName(), page.accessibleDescription()} <= set(texts)
    assert ("Try again" in texts) is can_try_again
    page.links.buttons[0].click()
    assert player.told[-1] == (Event.FOLLOWED, "l1")


def test_colours_follow_the_desktop_while_it_is_open(theme: Theme, opened: Open, qapp: QApplication) -> None:
    window = opened(gallery_player.playing(theme)).window
    dark = Theme.of(Scheme.DARK, reduced_motion=True)
    apply_theme(qapp, dark)
    assert window.theme == dark
    corner = window.grab().toImage().pixelColor(window.controls.geometry().bottomLeft() + QPoint(3, -3))
    assert corner.lightness() < 60


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (2_560, 640), (16, 9)])
def test_every_shape_of_video_fits_the_screen_with_its_controls_at_twice_the_text_size(
    opened: Open, qapp: QApplication, language: str, width: int, height: int
) -> None:
    i18n.use_language(language)
    large = Theme.of(Scheme.LIGHT, text_scale=2.0, reduced_motion=True)
    apply_theme(qapp, large)
    window = opened(gallery_player.playing(large, width, height, languages=20)).window
    qapp.processEvents()
    room = window.screen().availableGeometry()
    assert window.width() <= room.width()
    assert window.height() <= room.height()
    controls = window.controls
    buttons = [
        controls.play,
        controls.mute,
        controls.captions,
        controls.like,
        controls.keys,
        controls.full_screen,
    ]
    edges = [each.geometry() for each in buttons]
    assert all(left.right() < right.left() for left, right in pairwise(edges))
    assert edges[-1].right() < controls.width()
    assert controls.like.width() >= controls.like.sizeHint().width()

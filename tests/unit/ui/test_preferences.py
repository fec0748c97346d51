"""The preferences window, and that what is chosen there holds at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from agent.domain.preferences import DEFAULTS, Corner, Day, Preferences, decode, encode, with_values
from resources import i18n
from tests.unit.ui.memory_agent import ManualTime, MemoryAgent
from ui.desktop.placement import in_corner
from ui.preferences.controller import PreferencesController
from ui.preferences.rows import ChoiceRow, DaysRow, SwitchRow
from ui.preferences.window import PreferencesWindow
from ui.style.theme import Scheme, Theme, system_scheme
from ui.tray.menu import Tray
from ui.windowing.registry import OpenWindows


@pytest.fixture
def agent() -> MemoryAgent:
    return MemoryAgent(ManualTime())


@pytest.fixture
def window(
    qtbot: QtBot, theme: Theme, agent: MemoryAgent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PreferencesWindow]:
    """Open, over an agent in memory."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "none"))
    windows = OpenWindows()
    PreferencesController(agent, windows, lambda: theme, lambda title, message: None, windows).show()
    opened = windows.find(PreferencesWindow)
    assert opened is not None
    yield opened
    windows.close_all()


def choose(window: PreferencesWindow, name: str, text: str) -> None:
    """With the keyboard, as a person does."""
    row = window.rows[name]
    assert isinstance(row, ChoiceRow)
    row.combo.setFocus()
    while row.combo.currentText() != text:
        before = row.combo.currentIndex()
        event_key = Qt.Key.Key_Down if row.combo.findText(text) > before else Qt.Key.Key_Up
        QTest.keyClick(row.combo, event_key)
        assert row.combo.currentIndex() != before


def test_each_choice_holds_at_once(window: PreferencesWindow, agent: MemoryAgent) -> None:
    choose(window, "corner", "Top left")
    choose(window, "popups_per_hour", "4")
    quiet = window.rows["quiet_hours"]
    assert isinstance(quiet, SwitchRow)
    assert not window.rows["quiet_from"].isEnabled()
    quiet.toggle.click()
    assert window.rows["quiet_from"].isEnabled()
    choose(window, "quiet_from", "18:30")
    days = window.rows["quiet_days"]
    assert isinstance(days, DaysRow)
    days.days[Day.SUNDAY].click()
    kept = agent.preferences.own()
    assert (kept.corner, kept.popups_per_hour, kept.quiet_hours) == (Corner.TOP_LEFT, 4, True)
    assert (kept.quiet_from, kept.quiet_days) == ("18:30", tuple(Day)[:-1])


def test_the_defaults_can_be_restored_and_that_undone(window: PreferencesWindow, agent: MemoryAgent) -> None:
    choose(window, "corner", "Top left")
    assert not window.undo_button.isVisible()
    window.restore_button.click()
    assert agent.preferences.own() == DEFAULTS
    window.undo_button.click()
    assert agent.preferences.own().corner is Corner.TOP_LEFT
    assert not window.undo_button.isVisible()


def test_what_the_organisation_fixed_is_shown_as_such_and_cannot_be_changed(
    qtbot: QtBot, theme: Theme
) -> None:
    window = PreferencesWindow(theme)
    qtbot.addWidget(window)
    fixed = with_values(DEFAULTS, {"popups_per_hour": 3, "sound": True})
    window.show_state(fixed, frozenset({"popups_per_hour", "sound"}), autostart=False, zone="Europe/Paris")
    limit, sound = window.rows["popups_per_hour"], window.rows["sound"]
    assert isinstance(limit, ChoiceRow)
    assert isinstance(sound, SwitchRow)
    assert (limit.combo.isEnabled(), limit.combo.currentText()) == (False, "3")
    assert (sound.toggle.isEnabled(), sound.toggle.isChecked()) == (False, True)
    assert limit.note.text() == sound.note.text() == "Set by your organisation."
    assert window.rows["corner"].note.text() == ""


def test_every_control_has_a_name(window: PreferencesWindow) -> None:
    for row in window.rows.values():
        controls = (
            row.days.values() if isinstance(row, DaysRow) else [getattr(row, "combo", None) or row.toggle]
        )  # type: ignore[union-attr]
        assert all(control.accessibleName() for control in controls)


@pytest.mark.parametrize(
    ("corner", "place"),
    [
        (Corner.BOTTOM_RIGHT, (684, 484)),
        (Corner.BOTTOM_LEFT, (16, 484)),
        (Corner.TOP_RIGHT, (684, 46)),
        (Corner.TOP_LEFT, (16, 46)),
    ],
)
def test_pop_ups_stand_in_the_chosen_corner(corner: Corner, place: tuple[int, int]) -> None:
    assert in_corner(corner, QSize(100, 100), QRect(0, 30, 800, 570), margin=16).toTuple() == place


def test_the_chosen_look_goes_before_the_systems(qapp: QApplication) -> None:
    assert Theme.chosen(Scheme.DARK, 1.5).scheme is Scheme.DARK
    assert Theme.chosen(None, 1.0).scheme is system_scheme()
    assert Theme.chosen(None, 1.5).text_scale == pytest.approx(
        min(1.5 * Theme.chosen(None, 1.0).text_scale, 2.0)
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (None, DEFAULTS),
        ("{", DEFAULTS),
        ("[]", DEFAULTS),
        ('{"corner": "middle", "sound": true, "new": 1}', Preferences(sound=True)),
        ('{"quiet_from": "24:00", "popups_per_hour": -1, "text_size": 110}', DEFAULTS),
        (
            encode(Preferences(text_size=150, quiet_days=(Day.MONDAY,))),
            Preferences(text_size=150, quiet_days=(Day.MONDAY,)),
        ),
    ],
)
def test_what_is_unknown_or_damaged_is_as_it_was_at_first(text: str | None, kept: Preferences) -> None:
    assert decode(text) == kept


def test_a_session_speaks_the_language_that_was_chosen(qtbot: QtBot, theme: Theme) -> None:
    tray = Tray()
    i18n.use_language("fr")
    tray.retranslate()
    assert tray.quit.text() == "Quitter"
    assert [action.text() for action in tray.menu.actions()].count("Quitter") == 1

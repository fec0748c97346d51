"""Preferences: each takes effect when it is chosen; there is no button to confirm."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from agent.domain.preferences import Preferences
from resources.i18n import _
from ui.preferences import labels
from ui.preferences.rows import ChoiceRow, DaysRow, PreferenceRow, SwitchRow
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label
from ui.widgets.window import ContentWindow, line

WIDTH = 560


class PreferencesWindow(ContentWindow):
    """Give it the state with ``show_state()`` whenever that changes."""

    changed = Signal(str, object)
    """The name of a preference and its value, as plain data."""
    autostart_chosen = Signal(bool)
    restore_wanted = Signal()
    undo_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, _("Preferences"), width=WIDTH)
        self.rows: dict[str, ChoiceRow | SwitchRow | DaysRow] = {}
        self._make_rows()
        self.autostart = SwitchRow(_("Start at login"), theme)
        self.autostart.chosen.connect(lambda on: self.autostart_chosen.emit(on))
        self._section(_("Pop-ups"), [self.rows[name] for name in _POPUPS])
        self._section(_("Quiet hours"), [self.rows[name] for name in _QUIET])
        self._section(_("Language and look"), [*(self.rows[name] for name in _LOOK), self.autostart])
        self._make_end()

    def _make_rows(self) -> None:
        theme = self._theme
        self._add("corner", ChoiceRow(_("Where they appear"), labels.corners(), theme))
        self._add("screen", ChoiceRow(_("On which screen"), labels.screens(), theme))
        self._add(
            "popups_per_hour", ChoiceRow(_("At most in an hour"), labels.limits(labels.HOUR_LIMITS), theme)
        )
        self._add("popups_per_day", ChoiceRow(_("At most in a day"), labels.limits(labels.DAY_LIMITS), theme))
        self._add(
            "minutes_between",
            ChoiceRow(
                _("Least time between two"),
                labels.gaps(),
                theme,
                description=_(
                    "What is held back waits in the inbox. Urgent announcements are not held back."
                ),
            ),
        )
        self._add("sound", SwitchRow(_("Play a sound"), theme))
        self._add(
            "quiet_hours",
            SwitchRow(
                _("No pop-ups in quiet hours"), theme, description=_("Urgent announcements still appear.")
            ),
        )
        self._add("quiet_from", ChoiceRow(_("From"), labels.times(), theme))
        self._add("quiet_to", ChoiceRow(_("To"), labels.times(), theme))
        self._add("quiet_days", DaysRow(_("Beginning on"), theme))
        self._add(
            "language",
            ChoiceRow(_("Language"), labels.languages(), theme),
        )
        self._add("appearance", ChoiceRow(_("Theme"), labels.appearances(), theme))
        self._add("text_size", ChoiceRow(_("Text size"), labels.text_sizes(), theme))

    def _add(self, name: str, row: ChoiceRow | SwitchRow | DaysRow) -> None:
        row.chosen.connect(lambda value: self.changed.emit(name, value))
        self.rows[name] = row

    def _section(self, title: str, rows: Sequence[PreferenceRow]) -> None:
        theme = self._theme
        self.content.addWidget(label(title, kind="h3"))
        self.content.addSpacing(theme.px(6))
        card = QFrame()
        card.setProperty("kind", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(theme.px(16), theme.px(6), theme.px(16), theme.px(6))
        inside.setSpacing(0)
        for number, row in enumerate(rows):
            if number:
                inside.addWidget(line())
            inside.addWidget(row)
        self.content.addWidget(card)
        self.content.addSpacing(theme.px(16))

    def _make_end(self) -> None:
        self.restore_button = Button(_("Restore defaults"))
        self.restore_button.clicked.connect(self.restore_wanted)
        self.undo_button = Button(_("Undo"))
        self.undo_button.setAccessibleDescription(_("Bring back what was set before the defaults."))
        self.undo_button.clicked.connect(self.undo_wanted)
        self.undo_button.hide()
        self.said = label(kind="small", tone="muted", wrap=True)
        end = QWidget()
        row = QHBoxLayout(end)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.restore_button)
        row.addWidget(self.undo_button)
        row.addWidget(self.said, 1)
        self.content.addWidget(end)

    def show_state(
        self, preferences: Preferences, locked: frozenset[str], *, autostart: bool, zone: str
    ) -> None:
        """What holds now, the names of what the organisation fixed, and the time zone that quiet hours are in."""
        self.rows["quiet_from"].describe(_("By this computer's clock ({zone}).").format(zone=zone))
        for name, row in self.rows.items():
            value = getattr(preferences, name)
            if name == "minutes_between" and isinstance(row, ChoiceRow):
                row.show_value(value, locked=name in locked, text=labels.gap(value))
            else:
                row.show_value(value, locked=name in locked)
        self.autostart.show_value(autostart)
        for name in ("quiet_from", "quiet_to", "quiet_days"):
            self.rows[name].setEnabled(preferences.quiet_hours)

    def offer_undo(self, offered: bool) -> None:
        """After the defaults were restored."""
        self.undo_button.setVisible(offered)
        self.said.setText(_("Everything is as it was at first.") if offered else "")
        if offered:
            self.undo_button.setFocus()


_POPUPS = ("corner", "screen", "popups_per_hour", "popups_per_day", "minutes_between", "sound")
_QUIET = ("quiet_hours", "quiet_from", "quiet_to", "quiet_days")
_LOOK = ("language", "appearance", "text_size")

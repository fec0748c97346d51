"""What stands above a long list: a field to search it, and a row of filters of which one holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QButtonGroup, QLineEdit, QWidget

from resources.i18n import _
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets import icons
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.icons import Glyph
from ui.widgets.themed import Themed

ICON_PX = 16

Choice = TypeVar("Choice", bound=StrEnum)


class SearchField(Themed, QLineEdit):
    """A field that searches as one types. ``name`` is shown while it is empty, and said."""

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("kind", "search")
        self.setPlaceholderText(name)
        self.setAccessibleName(name)
        self.setClearButtonEnabled(True)
        self._icon = self.addAction(self._drawn(), QLineEdit.ActionPosition.LeadingPosition)
        self._icon.setText(name)

    def recolour(self) -> None:
        self._icon.setIcon(self._drawn())

    def _drawn(self) -> QIcon:
        return icons.icon(Glyph.SEARCH, self._theme.ink2, ICON_PX)


class FilterRow(FlowRow, Generic[Choice]):
    """A button for each of ``choices``; the first holds at the start. ``chosen`` is told what the person presses."""

    def __init__(self, choices: type[Choice], theme: Theme, chosen: Callable[[Choice], None]) -> None:
        super().__init__(theme.px(8))
        self.setAccessibleName(_("Show"))
        self.buttons: dict[Choice, Button] = {}
        group = QButtonGroup(self)
        for choice in choices:
            button = Button(kind="filter")
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, choice=choice: chosen(choice))
            group.addButton(button)
            self.add(button)
            self.buttons[choice] = button
        next(iter(self.buttons.values())).setChecked(True)

    def show_counts(self, names: Mapping[Choice, str], counts: Mapping[Choice, int]) -> None:
        """How many there are of each, behind its name."""
        for choice, count in counts.items():
            self.buttons[choice].set_text(f"{names[choice]} {text_format.count_text(count)}")

"""The buttons of an announcement's links, each of which says where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal

from resources.i18n import _
from ui.style import text_format
from ui.widgets.buttons import Button
from ui.widgets.destinations import Leading
from ui.widgets.flow import FlowRow
from ui.widgets.tooltips import plain_tip


class Link(Leading, Protocol):
    """A link that can be pressed."""

    @property
    def link_id(self) -> str: ...


class LinkButtons(QObject):
    """Those of one announcement, in a row. ``focus``: whether the keyboard reaches them."""

    pressed = Signal(str)
    """A link's id."""

    def __init__(self, row: FlowRow, *, focus: bool = True) -> None:
        super().__init__(row)
        self._row = row
        self._focus = focus
        self.buttons: list[Button] = []

    def show_links(self, links: Sequence[Link], before: Button | None = None) -> None:
        """In place of those of the announcement before; in front of another button of the row, or after all."""
        for button in self.buttons:
            self._row.drop(button)
        self.buttons = [self._button(link) for link in links]
        for button in self.buttons:
            self._row.add(button, before=before)

    def _button(self, link: Link) -> Button:
        button = Button(link.label)
        if not self._focus:
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        text = _("Opens {host} in your browser").format(host=text_format.isolated(link.destination))
        button.setToolTip(plain_tip(text))
        button.setAccessibleDescription(text)
        button.clicked.connect(lambda _checked=False, link_id=link.link_id: self.pressed.emit(link_id))
        return button

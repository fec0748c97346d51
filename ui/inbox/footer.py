"""Below the list: what concerns all of it, and how to undo the last marking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from resources.i18n import _, ngettext
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label


@dataclass(frozen=True)
class Marking:
    """Announcements that were marked as read, or as unread."""

    campaign_ids: Sequence[str]
    read: bool

    def text(self) -> str:
        count = len(self.campaign_ids)
        if self.read:
            return ngettext("{n} marked as read", "{n} marked as read", count).format(n=count)
        return ngettext("{n} marked as unread", "{n} marked as unread", count).format(n=count)


class Footer(QWidget):
    """What can be undone is offered until something else is."""

    all_read_clicked = Signal()
    keys_clicked = Signal()
    undo_clicked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.done = label(kind="small", tone="muted", wrap=True)
        self.undo = Button(_("Undo"), kind="link")
        self.undo.clicked.connect(self.undo_clicked)
        self.all_read = Button(_("Mark all as read"), kind="link")
        self.all_read.clicked.connect(self.all_read_clicked)
        self.keys = Button(_("Keys"), kind="link")
        self.keys.setAccessibleDescription(_("What each key does"))
        self.keys.clicked.connect(self.keys_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        row.addWidget(self.done, 100)
        row.addWidget(self.undo)
        row.addWidget(self.all_read)
        row.addStretch(1)
        row.addWidget(self.keys)
        self._any_unread = False
        self.offer_undo(None)

    def offer_undo(self, marking: Marking | None) -> None:
        """Say what was done, with a way back; None takes that away."""
        self.done.setText(marking.text() if marking is not None else "")
        for widget in (self.done, self.undo):
            widget.setVisible(marking is not None)
        self.show_unread(self._any_unread)

    def show_unread(self, any_unread: bool) -> None:
        """Whether there is anything to mark in the list."""
        self._any_unread = any_unread
        self.all_read.setVisible(any_unread and self.undo.isHidden())

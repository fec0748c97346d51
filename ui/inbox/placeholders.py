"""What the inbox says when there is nothing to show, and when the server is away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from agent.domain.model import ConnectionState, Status
from resources.i18n import _, ngettext
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.icons import Glyph
from ui.widgets.text import label
from ui.widgets.themed import GlyphLabel

TEXT_WIDTH = 380


class EmptyNote(QWidget):
    """In the place of an announcement."""

    connect_clicked = Signal()
    clear_clicked = Signal()
    """Search and filter stand in the way."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        picture = GlyphLabel(Glyph.MEGAPHONE, theme, colour="edge", side=44)
        self.title = label(kind="h2", wrap=True)
        self.text = label(tone="muted", wrap=True)
        self.connect_button = Button(_("Connect…"), kind="primary")
        self.connect_button.clicked.connect(self.connect_clicked)
        self.clear_button = Button(_("Clear the search"))
        self.clear_button.clicked.connect(self.clear_clicked)
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(8))
        column.addStretch(2)
        for widget in (picture, self.title, self.text, self.connect_button, self.clear_button):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        for text in (self.title, self.text):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter)
            text.setFixedWidth(theme.px(TEXT_WIDTH))

    def explain(self, status: Status, *, any_items: bool, any_found: bool, searched: str) -> None:
        """Say why no announcement is open. ``searched``: the words that were looked for."""
        title, text = _reason(status, any_items=any_items, any_found=any_found, searched=searched)
        self.title.setText(title)
        self.text.setText(text)
        for part in (self.title, self.text):
            part.setMinimumHeight(part.heightForWidth(self._theme.px(TEXT_WIDTH)))
        self.connect_button.setVisible(_can_connect(status))
        self.clear_button.setVisible(any_items and not any_found)
        self.clear_button.set_text(_("Clear the search") if searched else _("Show all"))


class SeveralNote(QWidget):
    """While several announcements are selected: what can be done with them."""

    mark_clicked = Signal(bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.title = label(kind="h2")
        self.read_button = Button(_("Mark as read"), kind="primary")
        self.read_button.clicked.connect(lambda: self.mark_clicked.emit(True))
        self.unread_button = Button(_("Mark as unread"))
        self.unread_button.clicked.connect(lambda: self.mark_clicked.emit(False))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.px(10))
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(16))
        column.addStretch(2)
        column.addWidget(self.title, 0, Qt.AlignmentFlag.AlignHCenter)
        buttons.addStretch(1)
        buttons.addWidget(self.read_button)
        buttons.addWidget(self.unread_button)
        buttons.addStretch(1)
        column.addLayout(buttons)
        column.addStretch(3)

    def show_count(self, count: int) -> None:
        text = ngettext("{n} announcement selected", "{n} announcements selected", count)
        self.title.setText(text.format(n=count))


def _reason(status: Status, *, any_items: bool, any_found: bool, searched: str) -> tuple[str, str]:
    if not any_items:
        return _empty(status)
    if any_found:
        return _("No announcement is open"), _("Choose one from the list.")
    if searched:
        return _("Nothing found"), _("No announcement has all of these words: {words}").format(words=searched)
    return _("Nothing here"), _("No announcement is of this kind.")


def _empty(status: Status) -> tuple[str, str]:
    if _can_connect(status):
        return _("Not connected to a company"), _(
            "Ask your administrator for an invitation, then connect this computer."
        )
    if status.halted_by is not None:
        return status.halted_by.title, status.halted_by.message
    if status.last_check is None and status.connection is ConnectionState.CONNECTING:
        return _("Getting your announcements…"), _(
            "This computer asks your company's server for the first time."
        )
    if status.connection is ConnectionState.OFFLINE:
        return _("Nothing yet"), _(
            "The server cannot be reached. Your company's announcements come as soon as it can."
        )
    return _("Nothing yet"), _("Your company's announcements will be here, also those that you missed.")


def _can_connect(status: Status) -> bool:
    return status.connection in (ConnectionState.NOT_CONNECTED, ConnectionState.REVOKED)


class StateBar(QFrame):
    """At the top of the window while something is wrong with the connection."""

    check_now = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "bar")
        self.text = label(kind="small", wrap=True)
        self.button = Button(_("Check now"), kind="compact")
        self.button.clicked.connect(self.check_now)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 14, 6)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.hide()

    def show_status(self, status: Status) -> None:
        """Appear or go."""
        text = _trouble(status)
        self.text.setText(text)
        self.setVisible(bool(text))
        self.button.setVisible(status.connection in (ConnectionState.OFFLINE, ConnectionState.HALTED))


def _trouble(status: Status) -> str:
    if status.halted_by is not None:
        return _("Nothing is received. {reason}.").format(reason=status.halted_by.title)
    if status.connection is ConnectionState.OFFLINE:
        if status.last_check is None:
            return _("Offline. These are the announcements that this computer has.")
        since = text_format.full_time(status.last_check)
        return _("Offline. These are the announcements as of {time}.").format(time=since)
    if status.connection is ConnectionState.REVOKED:
        return _(
            "Your company's server does not know this computer any more. Connect again to get new announcements."
        )
    return ""

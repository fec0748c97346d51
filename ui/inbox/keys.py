"""What each key does in the inbox, and the page that lists them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from resources.i18n import _
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label


def keys() -> list[tuple[str, str]]:
    """Each key, and what it does: those of the mail programs that people know."""
    return [
        (_("↓ ↑ or J K"), _("Next, previous announcement")),
        ("N  P", _("Next, previous unread announcement")),
        (_("Enter or O"), _("Go to the announcement")),
        ("R", _("Mark as read")),
        ("U", _("Mark as unread")),
        (_("Shift + R"), _("Mark all in the list as read")),
        (_("Ctrl + Z"), _("Undo the last marking")),
        (_("Shift + ↓ ↑"), _("Select several announcements")),
        (_("Ctrl + A"), _("Select all")),
        ("L", _("Like the video, or not any more")),
        ("B", _("Remind me later")),
        (_("/ or Ctrl + F"), _("Search")),
        (_("Esc"), _("Clear the search; else close the window")),
        (_("Ctrl + W"), _("Close the window")),
        (_("Ctrl + ,"), _("Preferences")),
        (_("? or F1"), _("This list")),
    ]


class KeysPage(QScrollArea):
    """Closes by its button, Esc, or what opened it."""

    closed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "pane")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(_("Keys"))
        self.close_button = Button(_("Close"))
        self.close_button.clicked.connect(self.closed)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(theme.px(30), theme.px(26), theme.px(30), theme.px(26))
        column.setSpacing(theme.px(14))
        column.addWidget(label(_("Keys"), kind="h1"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.px(24))
        grid.setVerticalSpacing(theme.px(9))
        grid.setColumnStretch(1, 1)
        for row, (key, meaning) in enumerate(keys()):
            grid.addWidget(label(key, kind="small-strong"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(meaning, wrap=True), row, 1)
        column.addLayout(grid)
        column.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.setWidget(inner)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Question, Qt.Key.Key_F1):
            self.closed.emit()
        else:
            super().keyPressEvent(event)

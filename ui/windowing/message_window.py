"""A small window with one message: a title, a sentence, a button."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent

from resources.i18n import _
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label
from ui.widgets.window import ContentWindow

WIDTH = 440


class MessageWindow(ContentWindow):
    """Never modal. ``closed`` is told once, however it was closed."""

    closed = Signal()

    def __init__(self, theme: Theme, title: str, message: str) -> None:
        super().__init__(theme, "Tidings", width=WIDTH)
        self.setAccessibleName(title)
        self.setAccessibleDescription(message)
        self.title = label(title, kind="h2", wrap=True)
        self.message = label(message, tone="muted", wrap=True)
        self.button = Button(_("Close"))
        self.button.clicked.connect(self.close)
        self.content.addWidget(self.title)
        self.content.addSpacing(theme.px(8))
        self.content.addWidget(self.message)
        self.content.addSpacing(theme.px(18))
        self.content.addLayout(self.button_row(self.button))
        self.button.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()

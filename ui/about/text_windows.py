"""A text to read whole before it is copied: the licences, the diagnostics."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication

from resources.i18n import _
from ui.style.theme import Theme
from ui.widgets.body_text import BodyText
from ui.widgets.buttons import Button
from ui.widgets.text import label
from ui.widgets.window import ContentWindow

WIDTH = 560


class TextWindow(ContentWindow):
    """What ``copy`` puts on the clipboard is exactly what is shown."""

    def __init__(self, theme: Theme, title: str, intro: str, text: str, copy: str) -> None:
        super().__init__(theme, title, width=WIDTH)
        self.text = BodyText(theme, max_width=WIDTH)
        self.copy_button = Button(copy)
        self.copied = label(kind="small", tone="muted", wrap=True)
        self.content.addWidget(label(title, kind="h1", wrap=True))
        self.content.addSpacing(theme.px(6))
        self.content.addWidget(label(intro, tone="muted", wrap=True))
        self.content.addSpacing(theme.px(14))
        self.buttons = self.button_row(self.copy_button)
        self.buttons.insertWidget(0, self.copied, 1)
        self.content.addLayout(self.buttons)
        self.content.addSpacing(theme.px(14))
        self.content.addWidget(self.text)
        self.content.addStretch(1)
        self.copy_button.clicked.connect(self._copy)
        self.text.height_changed.connect(self.fit)
        self.text.show_text(text)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.copied.setText(_("Copied."))


class LicencesWindow(TextWindow):
    """The licences of Tidings and of its libraries, in full."""

    def __init__(self, theme: Theme, text: str) -> None:
        intro = _("Tidings is free software under the MIT licence. It comes with these libraries.")
        super().__init__(theme, _("Licences"), intro, text, _("Copy licences"))


class DiagnosticsWindow(TextWindow):
    """``save_wanted`` gives the text that is shown."""

    save_wanted = Signal(str)

    def __init__(self, theme: Theme, text: str) -> None:
        intro = _("For your administrator. It names neither you nor your company nor any announcement.")
        super().__init__(theme, _("Diagnostics"), intro, text, _("Copy diagnostics"))
        self.save_button = Button(_("Save…"))
        self.save_button.clicked.connect(lambda: self.save_wanted.emit(self.text.toPlainText()))
        self.buttons.addWidget(self.save_button)

    def show_saved(self, path: Path) -> None:
        """It was written to this file."""
        self.copied.setText(_("Saved: {file}").format(file=path.name))

"""The first page of the first run: connect this computer to a company."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QProgressBar, QVBoxLayout, QWidget

from resources.i18n import _
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.text import label

_ADDRESS = re.compile(r"https?://[^\s,;<>\"'()]+", re.IGNORECASE)
_CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", re.IGNORECASE)


def read_invitation(text: str) -> tuple[str, str] | None:
    """Address and code out of an invitation's text, None unless it has both."""
    address, code = _ADDRESS.search(text), _CODE.search(text)
    if address is None or code is None:
        return None
    return address.group().rstrip("."), code.group().upper()


class ConnectPage(QWidget):
    """``connect_requested(address, code)`` comes with both filled in."""

    connect_requested = Signal(str, str)
    changed = Signal()
    """The page needs another height."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        px = theme.px
        self.address = self._field(_("Address"), "https://news.example.com")
        self.code = self._field(_("Code"), "XXXX-XXXX-XXXX")
        self.problem_title = label(kind="strong", tone="error", wrap=True)
        self.problem = label(kind="small", tone="error", wrap=True)
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(_("Connecting…"))
        self.button = Button(_("Connect"), kind="primary")
        self.button.clicked.connect(self._submit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(label(_("Connect to your company"), kind="h1", wrap=True))
        column.addSpacing(px(6))
        ask = _(
            "Ask your administrator for an invitation: an address and a code. You can paste both at once."
        )
        column.addWidget(label(ask, tone="muted", wrap=True))
        for field, name in ((self.address, _("Address")), (self.code, _("Code"))):
            column.addSpacing(px(14))
            column.addWidget(label(name, kind="small-strong"))
            column.addSpacing(px(4))
            column.addWidget(field)
        column.addSpacing(px(10))
        column.addWidget(self.problem_title)
        column.addWidget(self.problem)
        column.addWidget(self.progress)
        column.addSpacing(px(10))
        column.addWidget(self.button)
        column.addSpacing(px(16))
        keeps = _("This computer keeps its key in your system's keychain.")
        column.addWidget(label(keeps, kind="small", tone="muted", wrap=True))
        column.addStretch(1)
        self._clear_problem()
        self.progress.hide()

    def _field(self, name: str, example: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setPlaceholderText(example)
        field.textChanged.connect(self._on_text)
        field.returnPressed.connect(self._submit)
        return field

    def _on_text(self, text: str) -> None:
        invitation = read_invitation(text)
        if invitation is not None:
            self._fill(*invitation)
        self._clear_problem()

    def _fill(self, address: str, code: str) -> None:
        for field, text in ((self.address, address), (self.code, code)):
            field.blockSignals(True)
            field.setText(text)
            field.blockSignals(False)
        self.button.setFocus()

    def _submit(self) -> None:
        address, code = self.address.text().strip(), self.code.text().strip()
        if not address:
            self._ask_for(self.address, _("Enter the address of your company's server."))
        elif not code:
            self._ask_for(self.code, _("Enter the code of your invitation."))
        else:
            self.connect_requested.emit(address, code)

    def _ask_for(self, field: QLineEdit, message: str) -> None:
        self.show_error(_("Something is missing"), message)
        field.setFocus()

    def resume(self, before: ConnectPage) -> None:
        """Take over what was typed, and a request under way."""
        self._fill(before.address.text(), before.code.text())
        if before.problem_title.isVisibleTo(before):
            self.show_error(before.problem_title.text(), before.problem.text())
        if before.progress.isVisibleTo(before):
            self.show_progress()

    def show_progress(self) -> None:
        """The request is under way: nothing can be entered meanwhile."""
        self._clear_problem()
        self._set_busy(True)

    def show_error(self, title: str, message: str) -> None:
        """What went wrong, under the fields, which can be edited again."""
        self._set_busy(False)
        self.problem_title.setText(title)
        self.problem.setText(message)
        self.problem_title.show()
        self.problem.show()
        self.button.setAccessibleDescription(f"{title}. {message}")
        self.changed.emit()

    def _clear_problem(self) -> None:
        self.problem_title.hide()
        self.problem.hide()
        self.button.setAccessibleDescription("")
        self.changed.emit()

    def _set_busy(self, busy: bool) -> None:
        for widget in (self.address, self.code, self.button):
            widget.setEnabled(not busy)
        self.button.set_text(_("Connecting…") if busy else _("Connect"))
        self.progress.setVisible(busy)
        if not busy:
            self.code.setFocus()
        self.changed.emit()

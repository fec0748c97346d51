"""One field of "Correct my details": its value, who may change it, and what became of a correction."""

from __future__ import annotations

import re

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from agent.domain.my_data_models import Corrected, Detail, DetailValue
from resources.i18n import _
from ui.privacy import labels
from ui.style.theme import Theme
from ui.widgets.text import label

LONGEST = {"email": 320}
LONGEST_ELSE = 200
LINES = 3
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class DetailField(QWidget):
    """``edited`` when the person changed it."""

    edited = Signal()

    def __init__(self, detail: Detail, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.detail = detail
        name = labels.field_name(detail.field)
        caption = label(name, kind="small-strong", wrap=True)
        self.owner = label(_owner_text(detail), kind="small", tone="muted", wrap=True)
        self.result = label(kind="small-strong", wrap=True)
        self.problem = label(kind="small", tone="error", wrap=True)
        self.edit = self._lines(theme) if isinstance(detail.value, tuple) else self._line()
        self.edit.setAccessibleName(name)
        self.edit.setAccessibleDescription(self.owner.text())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.px(12))
        column.setSpacing(theme.px(3))
        for widget in (caption, self.edit, self.owner, self.result, self.problem):
            column.addWidget(widget)
        self.result.hide()
        self.problem.hide()
        self.put(detail.value)

    def _line(self) -> QLineEdit:
        edit = QLineEdit()
        edit.setMaxLength(LONGEST.get(self.detail.field, LONGEST_ELSE))
        edit.textEdited.connect(self._on_edited)
        return edit

    def _lines(self, theme: Theme) -> QPlainTextEdit:
        edit = QPlainTextEdit()
        edit.setProperty("kind", "field")
        edit.setTabChangesFocus(True)
        edit.setFixedHeight(LINES * edit.fontMetrics().lineSpacing() + theme.px(22))
        edit.textChanged.connect(self._on_edited)
        return edit

    @property
    def value(self) -> DetailValue:
        """What stands there, without spaces at the ends and empty lines."""
        if isinstance(self.edit, QLineEdit):
            return self.edit.text().strip()
        lines = (line.strip() for line in self.edit.toPlainText().splitlines())
        return tuple(line for line in lines if line)

    @property
    def changed(self) -> bool:
        """Whether it differs from what the company holds."""
        return self.value != self.detail.value

    def put(self, value: DetailValue) -> None:
        """Write a value into the field."""
        with QSignalBlocker(self.edit):
            if isinstance(self.edit, QLineEdit):
                self.edit.setText(value if isinstance(value, str) else "")
            else:
                self.edit.setPlainText("\n".join(value))

    def is_right(self) -> bool:
        """Whether the value can be right; if not, the field says why."""
        problem = _problem(self.detail.field, self.value)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.edit.setAccessibleDescription(problem or self.owner.text())
        return not problem

    def show_result(self, corrected: Corrected) -> None:
        """What became of it."""
        self.result.setText(
            {
                "changed": _("Changed. It reaches this computer with the next check."),
                "requested": _("Requested: your administrator decides."),
                "unchanged": _("Unchanged: the company has this value already."),
            }[corrected.status]
        )
        self.result.show()

    def _on_edited(self) -> None:
        self.result.hide()
        self.problem.hide()
        self.edited.emit()


def _owner_text(detail: Detail) -> str:
    if detail.owner == "person":
        return _("Yours to change, at once.")
    text = _("From your company's directory: your request goes to the administrator.")
    if detail.requested is not None:
        asked = detail.requested if isinstance(detail.requested, str) else ", ".join(detail.requested)
        text += " " + _("You asked for “{value}”; it is not decided yet.").format(value=asked)
    return text


def _problem(field: str, value: DetailValue) -> str:
    if field == "email" and not _EMAIL.fullmatch(str(value)):
        return _("Enter a whole e-mail address, like lea@northwind.example.")
    return ""

"""Correct my details (GDPR article 16): a form of what the company's directory says of the person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from agent.domain.my_data_models import Corrected, Detail, DetailName, DetailValue
from resources.i18n import _
from ui.privacy.banner import Note
from ui.privacy.detail_field import DetailField
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.press_guard import PressGuard
from ui.widgets.text import label
from ui.widgets.window import ContentWindow

WIDTH = 520


class DetailsWindow(ContentWindow):
    """``save`` carries a ``dict[DetailName, DetailValue]`` of what was changed; ``load`` asks for the details again."""

    save = Signal(object)
    load = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, _("Correct my details"), width=WIDTH)
        px = theme.px
        self.fields: dict[DetailName, DetailField] = {}
        self._before: dict[DetailName, DetailValue] = {}
        self._sent: dict[DetailName, DetailValue] = {}
        self.note = Note(theme)
        self.note.changed.connect(self._fit_if_shown)
        self._form = QWidget()
        self._rows = QVBoxLayout(self._form)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self.content.addWidget(label(_("Correct my details"), kind="h1", wrap=True))
        self.content.addSpacing(px(6))
        explanation = _("This is what your company's directory says of you.")
        self.content.addWidget(label(explanation, tone="muted", wrap=True))
        self.content.addSpacing(px(14))
        self.content.addWidget(self.note)
        self.content.addSpacing(px(10))
        self.content.addWidget(self._form)
        self.content.addLayout(self._buttons())
        self.content.addStretch(1)
        self._form.hide()
        self.save_button.setEnabled(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._guard = PressGuard(self, self.save_button)

    def _buttons(self) -> QHBoxLayout:
        self.close_button = Button(_("Close"))
        self.close_button.clicked.connect(self.close)
        self.save_button = Button(_("Save"), kind="primary")
        self.save_button.clicked.connect(self._on_save)
        return self.button_row(self.close_button, self.save_button)

    # Loading

    def show_loading(self) -> None:
        """The server is being asked."""
        self.note.show_progress(_("Asking your company's server…"))

    def show_details(self, details: Iterable[Detail]) -> None:
        """The fields as the company holds them."""
        for field in self.fields.values():
            self._rows.removeWidget(field)
            field.hide()
            field.deleteLater()
        self.fields = {detail.field: DetailField(detail, self._theme) for detail in details}
        for field in self.fields.values():
            self._rows.addWidget(field)
            field.show()
            field.edited.connect(self._on_edited)
        self._form.show()
        self.note.clear()
        self._on_edited()
        next(iter(self.fields.values())).edit.setFocus()

    def show_load_problem(self, title: str, message: str) -> None:
        """The details could not be had; title and message are for people."""
        self.note.show_problem(title, message, actions=[(_("Try again"), self.load.emit)])

    # Saving

    @property
    def changes(self) -> dict[DetailName, DetailValue]:
        """What the person changed."""
        return {name: field.value for name, field in self.fields.items() if field.changed}

    def _on_edited(self) -> None:
        self.save_button.setEnabled(bool(self.changes))
        self._fit_if_shown()

    def _on_save(self) -> None:
        wrong = [field for field in self.fields.values() if field.changed and not field.is_right()]
        if wrong:
            wrong[0].edit.setFocus()
            self._fit_if_shown()
            return
        self._ask_to_save(self.changes)

    def _ask_to_save(self, changes: dict[DetailName, DetailValue]) -> None:
        self._sent = changes
        self._before = {name: self.fields[name].detail.value for name in changes}
        self._form.setEnabled(False)
        self.save_button.setEnabled(False)
        self.note.show_progress(_("Sending your correction…"))
        self.save.emit(changes)

    def show_corrected(self, results: Sequence[Corrected]) -> None:
        """What became of each field."""
        self._form.setEnabled(True)
        outcome = {result.field: result.status for result in results}
        self.show_details(
            [self._now(field.detail, outcome.get(name, "unchanged")) for name, field in self.fields.items()]
        )
        for result in results:
            self.fields[result.field].show_result(result)
        undo = {
            result.field: self._before[result.field] for result in results if result.status != "unchanged"
        }
        actions = [(_("Undo"), lambda: self._ask_to_save(undo))] if undo else []
        title = _("Your correction was sent")
        self.note.tell(title, _("Each field says what became of it."), actions=actions)
        self._fit_if_shown()

    def _now(self, detail: Detail, status: str) -> Detail:
        """The field as the company holds it after a correction."""
        if status == "changed":
            return replace(detail, value=self._sent[detail.field], requested=None)
        if status == "requested":
            return replace(detail, requested=self._sent[detail.field])
        return replace(detail, requested=None) if detail.field in self._sent else detail

    def show_save_problem(self, title: str, message: str) -> None:
        """Nothing was changed; title and message are for people."""
        self._form.setEnabled(True)
        self.save_button.setEnabled(bool(self.changes))
        nothing = _("Nothing was changed; what you typed is still here.")
        self.note.show_problem(title, f"{message} {nothing}")

    def _fit_if_shown(self) -> None:
        if self.isVisible():
            self.fit()

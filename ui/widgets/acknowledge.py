"""“I have read this”: a deliberate act by name, in two steps (docs/privacy.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from agent.domain.model import Company, InboxItem
from resources.i18n import _
from ui.core.timers import Timers
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.icons import Glyph
from ui.widgets.press_guard import PressGuard
from ui.widgets.text import label
from ui.widgets.themed import GlyphLabel


@dataclass(frozen=True)
class ReadRequest:
    """What a company asks of a person about one campaign.

    ``contact`` is whom to ask about it, and ``confirmed`` when the person did confirm. ``is_trial``: nothing is sent.
    """

    campaign_id: str
    company: str
    contact: str
    confirmed: datetime | None = None
    is_trial: bool = False


def read_request(item: InboxItem, company: Company | None) -> ReadRequest | None:
    """What is asked about a campaign; None where nothing is asked, and nothing was confirmed."""
    confirmed = item.state.acknowledged
    if company is None or not (item.campaign.acknowledge or confirmed):
        return None
    contact = ", ".join(part for part in (company.dpo_name, company.dpo_email) if part)
    campaign = item.campaign
    return ReadRequest(campaign.campaign_id, company.name, contact, confirmed, campaign.is_trial)


class Acknowledge(QWidget):
    """The question, and afterwards when it was answered. ``ask`` is the button of the first step: put it in a row of buttons.

    The question stands elsewhere than the button, and takes an answer only once it could be read: neither a double click
    nor a key that is held down confirms. Keys that are pressed meanwhile begin that time anew.
    """

    confirmed = Signal()
    resized = Signal()
    """It needs another height than before."""

    def __init__(self, theme: Theme, timers: Timers | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._request: ReadRequest | None = None
        self.ask = Button(_("I have read this"), kind="primary")
        self.ask.clicked.connect(self._open)
        self.question = _Question(theme)
        self.question.key_pressed.connect(self._wait)
        self.question.confirm.clicked.connect(self._confirm)
        self.question.cancel.clicked.connect(self._step_back)
        self._guard = PressGuard(self.question, self.question.confirm, timers=timers, needs_front=False)
        self._guard.settled.connect(self._can_be_read)
        self.done = _Done(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.question)
        column.addWidget(self.done)
        self.ask.hide()
        self.hide()

    def show_request(self, request: ReadRequest | None) -> None:
        """In place of the one before. A question that is open stays so while it is about the same."""
        before, self._request = self._request, request
        same = before is not None and request is not None and before.campaign_id == request.campaign_id
        if not self.asks or not same:
            self._close()
        self.ask.setVisible(self.asks)
        self.done.setVisible(request is not None and not self.asks)
        if request is not None:
            self.question.show_request(request)
        if request is not None and request.confirmed is not None:
            self.done.show_time(request.confirmed)
        self.setVisible(not self.done.isHidden() or not self.question.isHidden())

    @property
    def asks(self) -> bool:
        """Whether the person can confirm something here."""
        return self._request is not None and self._request.confirmed is None

    def _open(self) -> None:
        by_keyboard = self.ask.hasFocus()
        self.question.show()
        self.show()
        if by_keyboard:
            self.question.setFocus(Qt.FocusReason.OtherFocusReason)
        self.ask.setEnabled(False)
        self._wait()
        self.resized.emit()

    def _wait(self) -> None:
        """Until the person can have read what is sent."""
        self.question.confirm.setEnabled(False)
        self._guard.begin()

    def _can_be_read(self) -> None:
        self.question.confirm.setEnabled(True)
        if self.question.hasFocus():
            self.question.confirm.setFocus(Qt.FocusReason.OtherFocusReason)

    def _confirm(self) -> None:
        self._step_back()
        self.confirmed.emit()

    def _step_back(self) -> None:
        by_keyboard = self.question.has_keyboard()
        self._close()
        self.hide()
        if by_keyboard:
            self.ask.setFocus(Qt.FocusReason.OtherFocusReason)
        self.resized.emit()

    def _close(self) -> None:
        self._guard.stop()
        self.ask.setEnabled(True)
        self.question.hide()


class _Question(QFrame):
    """What is sent, and to whom; Confirm and Cancel."""

    key_pressed = Signal()
    """One that belongs to none of the buttons."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("kind", "question")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.text = label(kind="small", wrap=True)
        self.confirm = Button(_("Confirm"), kind="primary")
        self.cancel = Button(_("Cancel"))
        buttons = FlowRow(theme.px(10))
        buttons.add(self.confirm)
        buttons.add(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(12), theme.px(10), theme.px(12), theme.px(12))
        column.setSpacing(theme.px(10))
        column.addWidget(self.text)
        column.addWidget(buttons)
        self.hide()

    def show_request(self, request: ReadRequest) -> None:
        text = _(
            "This sends your name and the time to {company}, which sees who has confirmed and who has not. "
            "It is not one of the three signals, and it cannot be taken back from here. You can ask {contact}."
        ).format(company=request.company, contact=request.contact)
        if request.is_trial:
            text = _("This is a test, and nothing is sent. Others read here: {text}").format(text=text)
        self.text.setText(text)
        self.setAccessibleName(text)
        self.confirm.setAccessibleDescription(text)

    def has_keyboard(self) -> bool:
        """Whether keys come here or to one of the buttons."""
        return any(widget.hasFocus() for widget in (self, self.confirm, self.cancel))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancel.click()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.key_pressed.emit()
        else:
            super().keyPressEvent(event)


class _Done(QWidget):
    """When the person confirmed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.text = label(kind="small-strong", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.px(8))
        row.addWidget(GlyphLabel(Glyph.CHECK, theme, colour="accent", side=14))
        row.addWidget(self.text, 1)
        self.hide()

    def show_time(self, confirmed: datetime) -> None:
        self.text.setText(_("You confirmed on {date}").format(date=text_format.full_time(confirmed)))

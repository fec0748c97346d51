"""The left half of the privacy window: what I share, my data, who answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QFrame, QVBoxLayout, QWidget

from agent.domain.model import Company, FeedbackSignal, SignalChoice
from agent.domain.my_data_models import KeptReceipt, SentItem
from resources.i18n import _
from ui.privacy.banner import Note
from ui.privacy.signal_card import SignalCard
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.flow import FlowRow
from ui.widgets.text import label


class SharePane(QWidget):
    """A switch stands where the person put it and moves only by their act: ``chosen(FeedbackSignal, bool)``.

    They chose by what ``shown`` says.
    """

    chosen = Signal(object, bool)
    receipts = Signal()
    copy_wanted = Signal()
    correct = Signal()
    delete_all = Signal()
    disconnect_wanted = Signal()
    notice = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown: Company | None = None
        px = theme.px
        self.intro = label(tone="muted", wrap=True)
        self.problem = label(kind="small", tone="error", wrap=True)
        self.cards = tuple(SignalCard(signal, theme) for signal in FeedbackSignal)
        self.note = Note(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(24), px(24), px(20))
        column.setSpacing(0)
        column.addWidget(label(_("What I share"), kind="h1", wrap=True))
        column.addSpacing(px(6))
        column.addWidget(self.intro)
        column.addSpacing(px(14))
        for card in self.cards:
            column.addWidget(card)
            column.addSpacing(px(10))
            card.row.switched.connect(lambda on, signal=card.row.signal: self._on_switched(signal, on))
        column.addWidget(self.problem)
        column.addSpacing(px(2))
        column.addWidget(self._after_switches())
        column.addSpacing(px(14))
        column.addWidget(label(_("My data"), kind="h3", wrap=True))
        column.addSpacing(px(8))
        column.addWidget(self._my_data())
        column.addSpacing(px(10))
        column.addWidget(self.note)
        column.addSpacing(px(8))
        column.addWidget(self._who_answers())
        column.addStretch(1)
        self.problem.hide()

    @property
    def pressable(self) -> tuple[QAbstractButton, ...]:
        """Each switch and button."""
        buttons = self.copy_button, self.correct_button, self.delete_button, self.disconnect_button
        return (
            *(card.row.toggle for card in self.cards),
            *buttons,
            self.receipts_button,
            self.notice_button,
        )

    def _after_switches(self) -> QWidget:
        self.receipts_button = Button(kind="link")
        self.receipts_button.clicked.connect(self.receipts)
        self.receipts_button.hide()
        deletes = _("Turning one off also deletes what you already shared with it, at once and for good.")
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(label(deletes, kind="small", tone="muted", wrap=True))
        column.addWidget(self.receipts_button, 0, Qt.AlignmentFlag.AlignLeft)
        return holder

    def _my_data(self) -> FlowRow:
        row = FlowRow(self._theme.px(10))
        self.copy_button = Button(_("Download a copy"))
        self.correct_button = Button(_("Correct my details"))
        self.delete_button = Button(_("Delete all I shared"), kind="danger")
        self.disconnect_button = Button(_("Disconnect this computer"))
        self.copy_button.clicked.connect(self.copy_wanted)
        self.correct_button.clicked.connect(self.correct)
        self.delete_button.clicked.connect(self.delete_all)
        self.disconnect_button.clicked.connect(self.disconnect_wanted)
        for button in (
            self.copy_button,
            self.correct_button,
            self.delete_button,
            self.disconnect_button,
        ):
            row.add(button)
        return row

    def _who_answers(self) -> QWidget:
        px = self._theme.px
        card = QFrame()
        card.setProperty("kind", "card")
        self.officer = label(kind="small", tone="muted", wrap=True)
        self.storage = label(kind="small", tone="muted", wrap=True)
        self.notice_button = Button(kind="link")
        self.notice_button.clicked.connect(self.notice)
        column = QVBoxLayout(card)
        column.setContentsMargins(px(16), px(14), px(16), px(14))
        column.setSpacing(px(2))
        column.addWidget(label(_("Who answers for this"), kind="h3", wrap=True))
        column.addWidget(self.officer)
        column.addWidget(self.storage)
        column.addWidget(self.notice_button, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    # What is shown

    def show_state(self, company: Company, choices: Iterable[SignalChoice]) -> None:
        """The state as the agent has it."""
        self.shown = company
        self._show_company(company)
        by_signal = {choice.signal: choice for choice in choices}
        on_before = {card.row.signal for card in self.cards if card.row.on}
        for card in self.cards:
            card.show_choice(by_signal[card.row.signal])
        if any(card.row.on and card.row.signal not in on_before for card in self.cards):
            self.note.clear()
        self.problem.hide()

    def _show_company(self, company: Company) -> None:
        everything = _("You get every announcement whatever you choose.")
        self.intro.setText(f"{everything} {text_format.who_sees(company)}")
        officer = _("Data protection officer: {name} · {email}")
        self.officer.setText(officer.format(name=company.dpo_name, email=company.dpo_email))
        storage = _("{company} decides why, stored in {region}, kept while you have an account.")
        self.storage.setText(
            storage.format(company=company.legal_name, region=text_format.region_name(company.region))
        )
        notice = company.notice
        text = _("Read the notice (version {version}, {date})")
        self.notice_button.set_text(
            text.format(version=notice.version, date=text_format.notice_day(notice.date))
        )

    def show_history(self, sent: Sequence[SentItem], receipts: Sequence[KeptReceipt]) -> None:
        """What was sent and what was answered, newest first: the switches say what became of them."""
        for card in self.cards:
            signal = card.row.signal
            message = next(
                (item for item in sent if item.signal == signal and item.kind in ("given", "withdrawn")), None
            )
            receipt = next((receipt for receipt in receipts if receipt.signal is signal), None)
            card.show_progress(message, receipt)
        self.receipts_button.set_text(
            _("See the receipt")
            if len(receipts) == 1
            else _("See the {count} receipts").format(count=len(receipts))
        )
        self.receipts_button.setVisible(bool(receipts))

    def show_problem(self, title: str, message: str) -> None:
        """A choice could not be kept; title and message are for people."""
        self.problem.setText(f"{title}. {message}")
        self.problem.show()

    def _on_switched(self, signal: FeedbackSignal, on: bool) -> None:
        self.problem.hide()
        if on:
            self.note.clear()
        self.chosen.emit(signal, on)

"""One switch of the privacy window, and what became of the last time it was moved."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from agent.domain.model import FeedbackSignal, SignalChoice
from agent.domain.my_data_models import KeptReceipt, SentItem, SentStatus
from resources.i18n import _, ngettext
from ui.privacy import labels
from ui.style.theme import Theme
from ui.widgets.signal_row import SignalRow
from ui.widgets.text import label


class SignalCard(QFrame):
    """``row`` has the switch."""

    def __init__(self, signal: FeedbackSignal, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.row = SignalRow(signal, theme, description=labels.explanation(signal))
        self.note = label(kind="small-strong", wrap=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.px(16), theme.px(2), theme.px(14), theme.px(2))
        column.setSpacing(0)
        column.addWidget(self.row)
        column.addWidget(self._note_holder(theme))
        self._choice: SignalChoice | None = None

    def _note_holder(self, theme: Theme) -> QWidget:
        self._holder = QWidget()
        column = QVBoxLayout(self._holder)
        column.setContentsMargins(0, 0, 0, theme.px(11))
        column.addWidget(self.note)
        self._holder.hide()
        return self._holder

    def show_choice(self, choice: SignalChoice) -> None:
        """Where the switch stands."""
        self._choice = choice
        self.row.show_choice(choice)

    def show_progress(self, last_message: SentItem | None, last_receipt: KeptReceipt | None) -> None:
        """What is known of the last withdrawal: it waits, or the server has answered it."""
        text = "" if self._choice is None or self._choice.on else _progress(last_message, last_receipt)
        self.note.setText(text)
        self._holder.setVisible(bool(text))


def _progress(last_message: SentItem | None, last_receipt: KeptReceipt | None) -> str:
    if last_message is not None and last_message.kind == "withdrawn":
        if last_message.status is SentStatus.WAITING:
            return _("Off. Your company's server is told as soon as it can be reached.")
        if last_receipt is not None and last_receipt.status == "withdrawn":
            if not last_receipt.erased:
                return _("Off. The server had nothing to delete.")
            return ngettext(
                "Off. The server has deleted {count} entry.",
                "Off. The server has deleted {count} entries.",
                last_receipt.erased,
            ).format(count=last_receipt.erased)
    return ""

"""The right half of the privacy window: what was sent about me."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from agent.domain.my_data_models import Comparison, Difference, SentItem
from resources.i18n import _, ngettext
from ui.privacy import labels
from ui.privacy.banner import Note
from ui.privacy.sent_model import Kind, SentModel
from ui.privacy.sent_table import SentTable
from ui.style.theme import Theme
from ui.widgets.buttons import Button
from ui.widgets.search_bar import FilterRow, SearchField
from ui.widgets.text import WrappedLabel, label


class SentPane(QWidget):
    """``verify`` and ``save`` are what the person asks for; the answers come by ``note``."""

    verify = Signal()
    save = Signal()

    def __init__(
        self,
        theme: Theme,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._now = now
        self._items: Sequence[SentItem] = ()
        self._verifying = False
        self._compared = False
        px = theme.px
        self.model = SentModel(now)
        self.note = Note(theme)
        self.search = SearchField(_("Search what was sent"), theme)
        self.search.textChanged.connect(self._on_search)
        self.filters = FilterRow(Kind, theme, self._on_kind)
        column = QVBoxLayout(self)
        column.setContentsMargins(px(24), px(24), px(24), px(20))
        column.setSpacing(0)
        column.addLayout(self._heading())
        column.addSpacing(px(6))
        explanation = _("Every message this computer has sent about you, byte for byte.")
        column.addWidget(label(explanation, tone="muted", wrap=True))
        column.addSpacing(px(10))
        column.addWidget(self.note)
        column.addSpacing(px(8))
        column.addWidget(self.search)
        column.addSpacing(px(8))
        column.addWidget(self.filters)
        column.addSpacing(px(4))
        column.addWidget(self._content(), 1)
        column.addSpacing(px(10))
        column.addLayout(self._footer())

    def _heading(self) -> QHBoxLayout:
        self.verify_button = Button(_("Verify with server"))
        self.verify_button.setAccessibleDescription(
            _("Compares what the server holds about you with what this computer sent")
        )
        self.verify_button.clicked.connect(self._on_verify)
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(10))
        row.addWidget(label(_("What was sent about me"), kind="h1", wrap=True), 1)
        row.addWidget(self.verify_button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _content(self) -> QStackedWidget:
        self.table = SentTable(self._theme, self.model)
        self.empty = QWidget()
        self.empty_title = label(kind="h2", wrap=True)
        self.empty_text = WrappedLabel()
        self.empty_text.setProperty("tone", "muted")
        column = QVBoxLayout(self.empty)
        column.setContentsMargins(0, self._theme.px(28), 0, 0)
        column.setSpacing(self._theme.px(6))
        for text in (self.empty_title, self.empty_text):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(text)
        column.addStretch(1)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.table)
        self.pages.addWidget(self.empty)
        return self.pages

    def _footer(self) -> QHBoxLayout:
        self.summary = label(kind="small", tone="muted", wrap=True)
        self.save_button = Button(_("Save as JSON"))
        self.save_button.clicked.connect(self.save)
        row = QHBoxLayout()
        row.setSpacing(self._theme.px(10))
        row.addWidget(self.summary, 1)
        row.addWidget(self.save_button)
        return row

    # What is shown

    def show_sent(self, items: Sequence[SentItem]) -> None:
        """All messages, newest first. What is open, searched for and chosen stays."""
        if self._compared and tuple(items) != tuple(self._items):
            self._compared = False
            self.note.clear()
        self._items = items
        self.model.set_items(items)
        names = {
            Kind.ALL: _("All"),
            Kind.SEEN: _("Seen"),
            Kind.CLICK: _("Clicks"),
            Kind.LIKE: _("Likes"),
            Kind.CHOICE: _("Choices"),
            Kind.CORRECTION: _("Corrections"),
            Kind.CONNECTION: _("Connection"),
            Kind.ACKNOWLEDGEMENT: _("Confirmed as read"),
        }
        counts = self.model.counts()
        self.filters.show_counts(names, counts)
        for kind, button in self.filters.buttons.items():
            button.setVisible(bool(counts[kind]) or kind is Kind.ALL or button.isChecked())
        self.summary.setText(labels.summary(items, self._now()))
        self.save_button.setEnabled(bool(items))
        self._show_page()

    def show_unreadable(self, title: str, message: str) -> None:
        """It is not known what was sent. What was read before stays; title and message are for people."""
        if self._items:
            self.note.show_problem(title, message)
            return
        self.show_sent(())
        self.summary.setText("")
        self.empty_title.setText(title)
        self.empty_text.setText(message)

    def _show_page(self) -> None:
        if self.model.rowCount():
            self.pages.setCurrentWidget(self.table)
            return
        if self._items:
            title, text = _("Nothing found"), _("Try other words, or look in all messages.")
        else:
            title = _("Nothing was sent about you")
            text = _("When you share something, each message is listed here with its exact bytes.")
        self.empty_title.setText(title)
        self.empty_text.setText(text)
        self.pages.setCurrentWidget(self.empty)

    def _on_search(self, text: str) -> None:
        self.model.set_search(text)
        self._show_page()

    def _on_kind(self, kind: Kind) -> None:
        self.model.set_kind(kind)
        self._show_page()

    # Verifying

    def _on_verify(self) -> None:
        """One question at a time. The button stays enabled: it would lose the keyboard otherwise."""
        if not self._verifying:
            self.verify.emit()

    def show_verifying(self) -> None:
        """The server is being asked."""
        self._verifying = True
        self.note.show_progress(_("Comparing with the server…"))

    def show_comparison(self, comparison: Comparison) -> None:
        """What the server holds and what this computer sent, side by side."""
        self._verifying, self._compared = False, True
        agreed = ngettext(
            "Both have {count} entry, with the same content.",
            "Both have {count} entries, with the same content.",
            comparison.agreed,
        ).format(count=comparison.agreed)
        if comparison.differences:
            count = len(comparison.differences)
            title = ngettext("{count} difference", "{count} differences", count).format(count=count)
            titles = {item.campaign_id: item.title for item in self._items if item.title}
            lines = [_difference_text(each, titles) for each in comparison.differences]
            self.note.tell(title, f"{agreed} {_meaning(comparison.differences)}", lines=lines)
        elif comparison.agreed:
            self.note.tell(
                _("The server and this computer agree"),
                _("{agreed} The server holds nothing else that you shared.").format(agreed=agreed),
            )
        else:
            self.note.tell(
                _("The server and this computer agree"),
                _("The server holds nothing that you shared, and this computer knows of nothing either."),
            )

    def show_verify_problem(self, title: str, message: str) -> None:
        """It could not be compared; title and message are for people."""
        self._verifying = False
        self.note.show_problem(title, message)


def _difference_text(difference: Difference, titles: dict[str, str]) -> str:
    where = _("only on the server") if difference.only == "server" else _("only on this computer")
    kind = labels.event_text(difference.kind)
    announcement = titles.get(difference.campaign_id, difference.campaign_id)
    return f"{kind} · {announcement} · {where} · {difference.event_id}"


def _meaning(differences: Sequence[Difference]) -> str:
    parts = []
    if any(each.only == "server" for each in differences):
        parts.append(
            _("What only the server has may come from another computer of yours, or from before this one.")
        )
    if any(each.only == "computer" for each in differences):
        parts.append(_("What only this computer has was stored, and the server does not hold it any more."))
    parts.append(_("Ask your data protection officer about what you cannot explain."))
    return " ".join(parts)

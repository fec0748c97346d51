"""The inbox's window: search, filters and list at the left, one announcement at the right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from agent.model import Connection, InboxItem, SignalChoice, Status
from resources.i18n import _
from ui import wording
from ui.inbox.detail import Detail, MediaPath
from ui.inbox.list_view import AnnouncementList
from ui.inbox.model import Filter, InboxModel
from ui.inbox.notes import EmptyNote, StateBar
from ui.theme import Theme
from ui.widgets.finding import FilterRow, SearchField

SIZE = (1120, 660)
LIST_WIDTH = 372


class InboxWindow(QWidget):
    """Give it the state with ``show_items()`` whenever that changes: the open announcement and the place in the list stay.

    Keys: up and down or j and k move, Enter goes to the announcement, / to the search, Esc clears the search and then
    closes, L is the heart.
    """

    opened = Signal(str)
    link_clicked = Signal(str, str)
    watch_clicked = Signal(str)
    like_toggled = Signal(str, bool)
    later_chosen = Signal(str, float)
    change_clicked = Signal()
    check_now = Signal()
    connect_clicked = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._theme = theme
        self._open_id = ""
        self._media_path: MediaPath = lambda _sha256: None
        self._share_line = ""
        self._status = Status(Connection.NOT_CONNECTED)
        self.setWindowTitle(_("Inbox"))
        self.resize(
            QSize(theme.px(SIZE[0]), theme.px(SIZE[1])).boundedTo(self.screen().availableGeometry().size())
        )
        self.model = InboxModel(now)
        self.bar = StateBar()
        self.bar.check_now.connect(self.check_now)
        self.detail = Detail(theme, now)
        self.note = EmptyNote(theme)
        self.note.connect_clicked.connect(self.connect_clicked)
        self.pane = QStackedWidget()
        self.pane.addWidget(self.note)
        self.pane.addWidget(self.detail)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        columns = QHBoxLayout()
        columns.setSpacing(0)
        columns.addWidget(self._left())
        columns.addWidget(_column_line())
        columns.addWidget(self.pane, 1)
        whole.addLayout(columns, 1)
        self._connect_detail()
        self.list.setFocus()

    def _left(self) -> QWidget:
        px = self._theme.px
        self.left = QWidget()
        self.left.setFixedWidth(min(px(LIST_WIDTH), round(self.width() * 0.42)))
        column = QVBoxLayout(self.left)
        column.setContentsMargins(px(14), px(14), px(14), px(14))
        column.setSpacing(px(12))
        self.search = SearchField(_("Search announcements"), self._theme)
        self.search.textChanged.connect(self._on_search)
        self.filters = FilterRow(Filter, self._theme, self._on_filter)
        self.list = AnnouncementList(self._theme, self.model)
        self.list.moved_to.connect(self._on_moved)
        self.list.entered.connect(self._on_entered)
        column.addWidget(self.search)
        column.addWidget(self.filters)
        column.addWidget(self.list, 1)
        return self.left

    def _connect_detail(self) -> None:
        self.detail.link_clicked.connect(lambda link_id: self.link_clicked.emit(self._open_id, link_id))
        self.detail.watch_clicked.connect(lambda: self.watch_clicked.emit(self._open_id))
        self.detail.like_toggled.connect(lambda liked: self.like_toggled.emit(self._open_id, liked))
        self.detail.later_chosen.connect(lambda seconds: self.later_chosen.emit(self._open_id, seconds))
        self.detail.change_clicked.connect(self.change_clicked)

    # What is shown

    def show_items(
        self,
        items: Sequence[InboxItem],
        media_path: MediaPath,
        choices: Iterable[SignalChoice],
        status: Status,
    ) -> None:
        """All announcements, newest first, what is shared, and the state of the connection."""
        self._media_path = media_path
        self._share_line = wording.short_share_line(choices)
        self._status = status
        name = status.company.name if status.company else ""
        self.setWindowTitle(_("Inbox — {company}").format(company=name) if name else _("Inbox"))
        self.bar.show_status(status)
        self._refill(lambda: self.model.set_items(items))
        self._show_counts()

    def open(self, campaign_id: str) -> None:
        """Show this announcement, as if the person had chosen it."""
        if self.model.row_of(campaign_id) < 0:
            self.search.clear()
            self.filters.buttons[Filter.ALL].click()
        row = self.model.row_of(campaign_id)
        if row >= 0:
            self.list.go_to(row)
            self._on_moved(row)

    @property
    def open_id(self) -> str:
        """The campaign shown at the right, "" for none."""
        return self._open_id

    def _refill(self, change: Callable[[], None]) -> None:
        """Change the list's content; the place in it stays."""
        place = self.list.verticalScrollBar().value()
        change()
        row = self.model.row_of(self._open_id)
        self.list.go_to(row)
        self.list.verticalScrollBar().setValue(place)
        self._show_open()

    def _show_counts(self) -> None:
        names = {
            Filter.ALL: _("All"),
            Filter.NEW: _("New"),
            Filter.LIKED: _("Liked"),
            Filter.LATER: _("Later"),
        }
        self.filters.show_counts(names, self.model.counts())

    def _show_open(self) -> None:
        item = self.model.item(self.model.row_of(self._open_id))
        if item is None:
            self._open_id = ""
            self.note.explain(
                self._status, any_items=not self.model.is_empty(), any_found=self.model.rowCount() > 0
            )
            self.pane.setCurrentWidget(self.note)
        else:
            self.detail.show_item(item, self._media_path, self._share_line)
            self.pane.setCurrentWidget(self.detail)

    # What the person does

    def _on_search(self, text: str) -> None:
        self._refill(lambda: self.model.set_search(text))

    def _on_filter(self, wanted: Filter) -> None:
        self._refill(lambda: self.model.set_filter(wanted))

    def _on_moved(self, row: int) -> None:
        item = self.model.item(row)
        if item is None:
            return
        self._open_id = item.campaign.campaign_id
        self.model.keep(self._open_id)
        self._show_open()
        self.opened.emit(self._open_id)

    def _on_entered(self, _row: int) -> None:
        self.detail.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        actions: dict[int, Callable[[], None]] = {
            Qt.Key.Key_J: lambda: self.list.step(1),
            Qt.Key.Key_K: lambda: self.list.step(-1),
            Qt.Key.Key_L: self._toggle_like,
            Qt.Key.Key_Slash: self.search.setFocus,
            Qt.Key.Key_Escape: self._on_escape,
        }
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
        action = actions.get(event.key()) if plain else None
        if action is not None:
            action()
        elif self.search.hasFocus() and event.key() == Qt.Key.Key_Down:
            self.list.setFocus()
            self.list.step(1)
        else:
            super().keyPressEvent(event)

    def _toggle_like(self) -> None:
        if self._open_id and self.detail.like.isVisible():
            self.detail.like.toggle()

    def _on_escape(self) -> None:
        if self.search.text():
            self.search.clear()
            self.list.setFocus()
        else:
            self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()


def _column_line() -> QFrame:
    result = QFrame()
    result.setProperty("kind", "column-line")
    return result

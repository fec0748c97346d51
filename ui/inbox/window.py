"""The inbox's window: search, filters and list at the left, one announcement at the right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from agent.domain.model import ConnectionState, InboxItem, Selection, SignalChoice, Status
from resources.i18n import _
from ui.core.timers import Timers
from ui.inbox.detail import Detail, MediaPath
from ui.inbox.footer import Footer, Marking
from ui.inbox.hold_line import Held, held_of
from ui.inbox.keys import KeysPage
from ui.inbox.list_view import AnnouncementList
from ui.inbox.model import Filter, InboxModel
from ui.inbox.placeholders import EmptyNote, SeveralNote, StateBar
from ui.inbox.search import Searchable
from ui.inbox.shortcuts import InboxCommand, command
from ui.style import text_format
from ui.style.theme import Theme
from ui.widgets.search_bar import FilterRow, SearchField
from ui.widgets.window import line

SIZE = (1120, 660)
LIST_WIDTH = 372
LIST_SHARE = 0.42


class InboxWindow(QWidget):
    """Give it the state with ``show_items()`` whenever that changes: the open announcement and the place in the list stay.

    Its keys are those of ``ui.inbox.keys``.
    """

    opened = Signal(str)
    marked = Signal(object, bool)
    """Ids of announcements to be marked as read, or as unread."""
    link_clicked = Signal(str, str)
    watch_clicked = Signal(str)
    like_toggled = Signal(str, bool)
    later_chosen = Signal(str, object)
    """Seconds from now; None for the next login."""
    acknowledged = Signal(str)
    change_clicked = Signal()
    check_now = Signal()
    connect_clicked = Signal()
    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        timers: Timers | None = None,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._open_id = ""
        self._held_then: Held | None = None
        self._marking: Marking | None = None
        self._media_path: MediaPath = lambda _sha256: None
        self._share_line = ""
        self._status = Status(ConnectionState.NOT_CONNECTED)
        self._selection = Selection((), {})
        self.setWindowTitle(_("Inbox"))
        self.resize(
            QSize(theme.px(SIZE[0]), theme.px(SIZE[1])).boundedTo(self.screen().availableGeometry().size())
        )
        self.model = InboxModel(now)
        self.bar = StateBar()
        self.bar.check_now.connect(self.check_now)
        self.detail = Detail(theme, now, timers)
        self.note = EmptyNote(theme)
        self.note.connect_clicked.connect(self.connect_clicked)
        self.note.clear_clicked.connect(self.show_all)
        self.several = SeveralNote(theme)
        self.several.mark_clicked.connect(self.mark)
        self.keys = KeysPage(theme)
        self.keys.closed.connect(self.toggle_keys)
        self.pane = QStackedWidget()
        for page in (self.note, self.detail, self.several, self.keys):
            self.pane.addWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.bar)
        columns = QHBoxLayout()
        columns.setSpacing(0)
        columns.addWidget(self._left())
        columns.addWidget(line("column-line"))
        columns.addWidget(self.pane, 1)
        whole.addLayout(columns, 1)
        self._connect_detail()
        self.list.setFocus()

    def _left(self) -> QWidget:
        px = self._theme.px
        self.left = QWidget()
        column = QVBoxLayout(self.left)
        column.setContentsMargins(px(14), px(14), px(14), px(14))
        column.setSpacing(px(12))
        self.search = SearchField(_("Search announcements"), self._theme)
        self.search.textChanged.connect(self._on_search)
        self.filters = FilterRow(Filter, self._theme, self._on_filter)
        self.list = AnnouncementList(self._theme, self.model)
        self.list.moved_to.connect(self._on_moved)
        self.list.several.connect(self._on_several)
        self.list.entered.connect(self._on_entered)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.footer = Footer(self._theme)
        self.footer.all_read_clicked.connect(self.mark_all_read)
        self.footer.undo_clicked.connect(self.undo)
        self.footer.keys_clicked.connect(self.toggle_keys)
        for widget in (self.search, self.filters):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        column.addWidget(self.footer)
        return self.left

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.left.setFixedWidth(min(self._theme.px(LIST_WIDTH), round(self.width() * LIST_SHARE)))

    def _connect_detail(self) -> None:
        detail = self.detail
        detail.link_clicked.connect(lambda link_id: self.link_clicked.emit(self._open_id, link_id))
        detail.watch_clicked.connect(lambda: self.watch_clicked.emit(self._open_id))
        detail.like_toggled.connect(lambda liked: self.like_toggled.emit(self._open_id, liked))
        detail.later_chosen.connect(lambda seconds: self.later_chosen.emit(self._open_id, seconds))
        detail.acknowledged.connect(lambda: self.acknowledged.emit(self._open_id))
        detail.unread_clicked.connect(lambda: self.mark(False))
        detail.change_clicked.connect(self.change_clicked)

    # What is shown

    def show_items(
        self,
        items: Sequence[InboxItem] | Searchable,
        media_path: MediaPath,
        choices: Iterable[SignalChoice],
        status: Status,
        selection: Selection | None = None,
    ) -> None:
        """All announcements, newest first, what is shared, the state of the connection, and what selection held back."""
        self._media_path = media_path
        self._share_line = text_format.short_share_line(choices)
        self._status = status
        self._selection = selection or Selection((), {})
        name = status.company.name if status.company else ""
        self.setWindowTitle(_("Inbox — {company}").format(company=name) if name else _("Inbox"))
        self.bar.show_status(status)
        self._refill(lambda: self.model.set_items(items, self._selection.held))
        self._show_counts()

    def open(self, campaign_id: str) -> None:
        """Show this announcement, as if the person had chosen it."""
        if self.model.row_of(campaign_id) < 0:
            self.show_all()
        row = self.model.row_of(campaign_id)
        if row >= 0:
            self.list.go_to(row)
            self._on_moved(row)

    def show_all(self) -> None:
        """Whatever was searched for."""
        self.search.clear()
        self.filters.buttons[Filter.ALL].click()
        self.list.setFocus()

    def resume(self, before: InboxWindow) -> None:
        """Go on where a window was that spoke another language."""
        self._media_path, self._status, self._selection = (
            before._media_path,
            before._status,
            before._selection,
        )
        self.search.setText(before.search.text())
        for wanted, button in before.filters.buttons.items():
            if button.isChecked():
                self.filters.buttons[wanted].click()
        self._open_id, self._held_then, self._marking = before._open_id, before._held_then, before._marking
        self.footer.offer_undo(self._marking)
        self.model.keep(self._open_id)
        self._refill(lambda: self.model.set_items(before.model.searchable, self._selection.held))

    @property
    def open_id(self) -> str:
        """The campaign shown at the right, "" for none."""
        return self._open_id

    def _refill(self, change: Callable[[], None]) -> None:
        """Change the list's content; the place in it stays."""
        place = self.list.verticalScrollBar().value()
        change()
        rows = self.list.selected_rows()
        if len(rows) < 2:
            self.list.go_to(self.model.row_of(self._open_id))
            self.list.verticalScrollBar().setValue(place)
            self._show_open()
        self.footer.show_unread(any(not item.state.read for item in self.model.rows))

    def _show_counts(self) -> None:
        names = {
            Filter.ALL: _("All"),
            Filter.UNREAD: _("Unread"),
            Filter.LIKED: _("Liked"),
            Filter.LATER: _("Later"),
            Filter.HELD: _("Held"),
        }
        counts = self.model.counts()
        self.filters.show_counts(names, counts)
        held = self.filters.buttons[Filter.HELD]
        held.setVisible(counts[Filter.HELD] > 0 or held.isChecked())

    def _show_open(self) -> None:
        item = self.model.item(self.model.row_of(self._open_id))
        if item is None:
            self._open_id = ""
            self.note.explain(
                self._status,
                any_items=not self.model.is_empty(),
                any_found=self.model.rowCount() > 0,
                searched=self.search.text().strip(),
            )
            self._turn_to(self.note)
        else:
            held = held_of(item, self._selection) or (self._held_then if item.state.read else None)
            self.detail.show_item(item, self._media_path, self._share_line, self._status.company, held)
            self._turn_to(self.detail)

    def _turn_to(self, page: QWidget) -> None:
        if self.pane.currentWidget() is not self.keys:
            self.pane.setCurrentWidget(page)

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
        self._held_then = held_of(item, self._selection)
        self.model.keep(self._open_id)
        self.pane.setCurrentWidget(self.detail)
        self._show_open()
        self.opened.emit(self._open_id)

    def _on_several(self, count: int) -> None:
        self._open_id = ""
        self.several.show_count(count)
        self.pane.setCurrentWidget(self.several)

    def _on_entered(self, _row: int) -> None:
        self.detail.setFocus()

    def _chosen(self) -> list[InboxItem]:
        return [self.model.rows[row] for row in self.list.selected_rows()]

    def mark(self, read: bool) -> None:
        """Mark what is selected as read, or as unread."""
        self._mark(self._chosen(), read)

    def mark_all_read(self) -> None:
        """All that is in view."""
        self._mark(self.model.rows, True)

    def _mark(self, items: Iterable[InboxItem], read: bool) -> None:
        changed = [item.campaign.campaign_id for item in items if item.state.read is not read]
        if changed:
            self._marking = Marking(changed, read)
            self.footer.offer_undo(self._marking)
            self.marked.emit(changed, read)

    def undo(self) -> None:
        """Take the last marking back."""
        marking, self._marking = self._marking, None
        if marking is not None:
            had_keyboard = self.footer.undo.hasFocus()
            self.footer.offer_undo(None)
            if had_keyboard:
                self.list.setFocus()
            self.marked.emit(marking.campaign_ids, not marking.read)

    def _show_menu(self, place: QPoint) -> None:
        chosen = self._chosen()
        if not chosen:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, read in ((_("Mark as read"), True), (_("Mark as unread"), False)):
            action = menu.addAction(text)
            action.setEnabled(any(item.state.read is not read for item in chosen))
            action.triggered.connect(lambda _checked=False, read=read: self.mark(read))
        menu.addAction(_("Select all")).triggered.connect(self.list.selectAll)
        menu.popup(self.list.viewport().mapToGlobal(place))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        found = command(event, typing=self.search.hasFocus())
        if found is not None:
            self._do(found)
        elif self.search.hasFocus() and event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.list.setFocus()
            self.list.step(1)
        else:
            super().keyPressEvent(event)

    def _do(self, wanted: InboxCommand) -> None:
        commands: dict[InboxCommand, Callable[[], None]] = {
            InboxCommand.NEXT: lambda: self.list.step(1),
            InboxCommand.PREVIOUS: lambda: self.list.step(-1),
            InboxCommand.NEXT_UNREAD: lambda: self.list.step_to_unread(1),
            InboxCommand.PREVIOUS_UNREAD: lambda: self.list.step_to_unread(-1),
            InboxCommand.READ_ON: self.list.enter,
            InboxCommand.MARK_READ: lambda: self.mark(True),
            InboxCommand.MARK_UNREAD: lambda: self.mark(False),
            InboxCommand.MARK_ALL_READ: self.mark_all_read,
            InboxCommand.UNDO: self.undo,
            InboxCommand.LIKE: self.toggle_like,
            InboxCommand.REMIND: self.offer_reminder,
            InboxCommand.SEARCH: self.start_search,
            InboxCommand.KEYS: self.toggle_keys,
            InboxCommand.STEP_BACK: self.step_back,
        }
        commands[wanted]()

    def start_search(self) -> None:
        """In place of what was searched for before."""
        self.search.setFocus()
        self.search.selectAll()

    def toggle_like(self) -> None:
        """The heart, where there is one."""
        like = self.detail.like
        if self._open_id and like.isVisible() and self.detail.guard.takes(like):
            like.toggle()

    def offer_reminder(self) -> None:
        """The choices of “Remind me later”, or none of them again."""
        if self._open_id:
            self.detail.offer_reminder()

    def toggle_keys(self) -> None:
        """The list of keys, in the place of the announcement."""
        if self.pane.currentWidget() is not self.keys:
            self.pane.setCurrentWidget(self.keys)
            self.keys.setFocus()
            return
        self.pane.setCurrentWidget(self.note)
        self.list.setFocus()
        self._show_open()

    def step_back(self) -> None:
        """Out of the search, out of a selection, out of the window."""
        if self.search.text():
            self.search.clear()
            self.list.setFocus()
        elif not self._open_id and self.list.selected_rows():
            self.list.go_to(-1)
            self._show_open()
        else:
            self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()

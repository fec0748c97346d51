"""The list, with the keys of a mail program."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QListView, QWidget

from resources.i18n import _
from ui.inbox.delegate import RowPainter
from ui.inbox.model import InboxModel
from ui.style.theme import Theme
from ui.widgets.themed import Themed

_PASSED_ON = (Qt.Key.Key_Escape, Qt.Key.Key_F, Qt.Key.Key_Z)
_ONLY = QItemSelectionModel.SelectionFlag.ClearAndSelect


class AnnouncementList(Themed, QListView):
    """``moved_to`` gives the row that the person turned to, by mouse or keyboard; ``several`` how many are selected."""

    moved_to = Signal(int)
    several = Signal(int)
    entered = Signal(int)
    """Enter or a double click on a row."""

    def __init__(self, theme: Theme, model: InboxModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows = model
        self._quiet = False
        self.setProperty("kind", "plain")
        self.setAccessibleName(_("Announcements"))
        self.setModel(model)
        self.setItemDelegate(RowPainter(model, self, lambda: self._theme))
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setMouseTracking(True)
        self.doubleClicked.connect(lambda index: self.entered.emit(index.row()))

    def recolour(self) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Letters are for the window's shortcuts, not for a search by the first letter."""
        key = event.key()
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up) and plain:
            self.step(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.enter()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.selectAll()
        elif key in _PASSED_ON or (event.text().isprintable() and event.text().strip()):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def enter(self) -> None:
        """Go to the open announcement; open the first without one."""
        row = self.selected_row()
        if row < 0:
            self.step(1)
        else:
            self.entered.emit(row)

    def selected_row(self) -> int:
        """The open row, -1 for none. Qt makes the first row current, not selected, when the list gets the focus."""
        chosen = self.selectionModel().selection()
        if chosen.isEmpty():
            return -1
        current = self.currentIndex()
        return current.row() if chosen.contains(current) else chosen.first().top()

    def selected_rows(self) -> list[int]:
        """All that are selected, from the top."""
        chosen = self.selectionModel().selection()
        parts = (chosen.at(place) for place in range(chosen.count()))
        return sorted(row for part in parts for row in range(part.top(), part.bottom() + 1))

    def step(self, by: int) -> None:
        """Go down (1) or up (-1); without an open row, to the first."""
        last = self._rows.rowCount() - 1
        if last < 0:
            return
        selected = self.selected_row()
        self._select(min(max(selected + by, 0), last) if selected >= 0 else 0)

    def step_to_unread(self, by: int) -> None:
        """Go to the next unread one below (1) or above (-1); stay without one."""
        selected = self.selected_row()
        start = selected + by if selected >= 0 else 0
        rows = range(start, self._rows.rowCount()) if by > 0 else range(start, -1, -1)
        unread = (row for row in rows if not self._rows.rows[row].state.read)
        row = next(unread, -1)
        if row >= 0:
            self._select(row)

    def go_to(self, row: int) -> None:
        """Open a row without telling; -1 for none."""
        self._quiet = True
        try:
            if row >= 0:
                self._select(row)
            else:
                self.selectionModel().clear()
        finally:
            self._quiet = False

    def _select(self, row: int) -> None:
        index = self._rows.index(row, 0)
        self.selectionModel().setCurrentIndex(index, _ONLY)
        self.scrollTo(index)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        if self._quiet:
            return
        chosen = self.selectionModel().selection()
        count = sum(chosen.at(place).height() for place in range(chosen.count()))
        if count == 1:
            self.moved_to.emit(chosen.first().top())
        elif count > 1:
            self.several.emit(count)

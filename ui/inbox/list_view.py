"""The list, with the keys of a mail program."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListView, QWidget

from resources.i18n import _
from ui.inbox.model import InboxModel
from ui.inbox.row import RowPainter
from ui.theme import Theme
from ui.widgets.themed import Themed

_PASSED_ON = {Qt.Key.Key_J, Qt.Key.Key_K, Qt.Key.Key_L, Qt.Key.Key_Slash, Qt.Key.Key_Escape}


class AnnouncementList(Themed, QListView):
    """``moved_to`` gives the row that the person turned to, by mouse or keyboard."""

    moved_to = Signal(int)
    entered = Signal(int)
    """Enter or a double click on a row."""

    def __init__(self, theme: Theme, model: InboxModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._quiet = False
        self.setProperty("kind", "plain")
        self.setAccessibleName(_("Announcements"))
        self.setModel(model)
        self.setItemDelegate(RowPainter(model, self, lambda: self._theme))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.doubleClicked.connect(lambda index: self.entered.emit(index.row()))

    def recolour(self) -> None:
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Letters are for the window's shortcuts, not for a search by the first letter."""
        key = event.key()
        if key in _PASSED_ON:
            event.ignore()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.step(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter()
        else:
            super().keyPressEvent(event)

    def _enter(self) -> None:
        row = self.selected_row()
        if row < 0:
            self.step(1)
        else:
            self.entered.emit(row)

    def selected_row(self) -> int:
        """The open row, -1 for none. (Qt makes the first row current, not selected, when the list gets the focus.)"""
        rows = self.selectionModel().selectedRows()
        return rows[0].row() if rows else -1

    def step(self, by: int) -> None:
        """Go down (1) or up (-1); without an open row, to the first."""
        last = self.model().rowCount() - 1
        if last < 0:
            return
        selected = self.selected_row()
        row = min(max(selected + by, 0), last) if selected >= 0 else 0
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
        index = self.model().index(row, 0)
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.scrollTo(index)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        if not self._quiet and not selected.isEmpty():
            self.moved_to.emit(selected.indexes()[0].row())

"""The table of what was sent, with the keys of a tree: right opens a row, left closes it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QModelIndex, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from resources.i18n import _
from ui.privacy import labels
from ui.privacy.sent_bytes import SentBytes
from ui.privacy.sent_model import Column, SentModel, header_text
from ui.privacy.sent_row import ICON, ICON_GAP, PADDING, SentRowPainter
from ui.style.theme import Theme
from ui.widgets.themed import Themed

ROW_PADDING = 8
LEAST_HEIGHT = 210
LEAST_ANNOUNCEMENT = 110
DROPPED_FIRST = (Column.SIZE, Column.WHEN)
"""An open row says when it was sent, and its bytes can be counted."""
_OPENING = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class SentTable(Themed, QTableView):
    """Only the rows in view are drawn, and only the open one is a widget."""

    def __init__(self, theme: Theme, model: SentModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._sent = model
        self.bytes: SentBytes | None = None
        self._painter = SentRowPainter(model, self, lambda: self._theme)
        self.setProperty("kind", "table")
        self.setAccessibleName(_("What was sent about me"))
        self.setModel(model)
        self.setItemDelegate(self._painter)
        self._set_up()
        self.clicked.connect(self._on_clicked)
        model.rowsInserted.connect(lambda: self._show_bytes())
        model.rowsAboutToBeRemoved.connect(lambda: self._drop_bytes())
        model.modelAboutToBeReset.connect(self._before_reset)
        model.modelReset.connect(self._after_reset)
        self._kept: tuple[int, int] | None = None

    def _set_up(self) -> None:
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setMinimumHeight(self._theme.px(LEAST_HEIGHT))
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(1)
        rows.setDefaultSectionSize(
            QFontMetrics(self._painter.font).height() + 2 * self._theme.px(ROW_PADDING) + 1
        )
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setMinimumSectionSize(1)
        columns.setHighlightSections(False)
        columns.setSectionsClickable(False)
        columns.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def recolour(self) -> None:
        self.viewport().update()

    # Columns

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()
        self._fit_bytes()

    def _share_width(self) -> None:
        """Each column as wide as what it may hold, the announcement takes the rest; where it is narrow, some columns go."""
        widths: dict[Column, int] = {
            column: self._needed(column) for column in Column if column is not Column.ANNOUNCEMENT
        }
        room = self.viewport().width() - sum(widths.values())
        least = max(self._theme.px(LEAST_ANNOUNCEMENT), self._needed(Column.ANNOUNCEMENT))
        for column in DROPPED_FIRST:
            narrow = room < least
            self.setColumnHidden(column, narrow)
            room += widths[column] if narrow else 0
        for column, width in widths.items():
            self.setColumnWidth(column, width)
        self.setColumnWidth(Column.ANNOUNCEMENT, max(room, 1))

    def _needed(self, column: Column) -> int:
        samples = {
            Column.WHEN: labels.when_texts,
            Column.WHAT: labels.kind_texts,
            Column.SIZE: lambda: [labels.size_text(999)],
            Column.SERVER: labels.status_texts,
        }
        texts: Callable[[], list[str]] = samples.get(column, list)
        metrics = QFontMetrics(self._painter.font)
        heading = QFontMetrics(self.horizontalHeader().font()).horizontalAdvance(header_text(column))
        needed = max([heading, *(metrics.horizontalAdvance(text) for text in texts())])
        icon = self._theme.px(ICON + ICON_GAP) if column in (Column.SERVER, Column.OPEN) else 0
        return (
            needed
            + icon
            + 2 * self._theme.px(PADDING)
            - (self._theme.px(PADDING) // 2 if column is Column.OPEN else 0)
        )

    # The open row

    def _on_clicked(self, index: QModelIndex) -> None:
        self.toggle(index.row())

    def toggle(self, row: int) -> None:
        """Open a row, or close it."""
        item = self._sent.item(row)
        if item is None:
            return
        if self._sent.opened is item:
            self._sent.close_row()
        else:
            self._sent.open(row)
            self._go_to(item.number)

    def _go_to(self, number: int) -> None:
        """A row above may have closed: the row's number is another now."""
        row = self._sent.row_of(number)
        if row is not None:
            self.setCurrentIndex(self._sent.index(row, 0))
            self.scrollTo(self._sent.index(row, 0))

    def _show_bytes(self) -> None:
        row, item = self._sent.bytes_row, self._sent.opened
        if row is None or item is None:
            return
        self.bytes = SentBytes(self._theme, item)
        self.setSpan(row, 0, 1, len(Column))
        self.setIndexWidget(self._sent.index(row, 0), self.bytes)
        self.bytes.height_changed.connect(self._fit_bytes)
        for first, second in pairwise([self, *self.bytes.stops]):
            QWidget.setTabOrder(first, second)
        self._fit_bytes()

    def _drop_bytes(self) -> None:
        row = self._sent.bytes_row
        if row is None or self.bytes is None:
            return
        self.bytes.height_changed.disconnect(self._fit_bytes)
        self.bytes = None
        self.setRowHeight(row, self.verticalHeader().defaultSectionSize())
        self.clearSpans()

    def _fit_bytes(self) -> None:
        row = self._sent.bytes_row
        if row is None or self.bytes is None:
            return
        self.bytes.resize(self.viewport().width(), self.bytes.height())
        self.setRowHeight(row, self.bytes.needed_height())

    # A new content keeps the place

    def _before_reset(self) -> None:
        item = self._sent.item(self.currentIndex().row())
        self._kept = (item.number, self.verticalScrollBar().value()) if item is not None else None
        self._drop_bytes()

    def _after_reset(self) -> None:
        self._show_bytes()
        if self._kept is None:
            return
        number, place = self._kept
        row = self._sent.row_of(number)
        if row is not None:
            self.setCurrentIndex(self._sent.index(row, 0))
            self.verticalScrollBar().setValue(place)

    # Keys and focus

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, key = self.currentIndex().row(), event.key()
        item = self._sent.item(row)
        if event.matches(QKeySequence.StandardKey.Copy) and item is not None:
            QGuiApplication.clipboard().setText(labels.readable(item.body))
        elif key in _OPENING:
            self.toggle(row)
        elif key == Qt.Key.Key_Right:
            self._sent.open(row)
            self._go_to(item.number if item else -1)
        elif key == Qt.Key.Key_Left:
            self._close(row)
        elif key == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _close(self, row: int) -> None:
        if self._sent.opened is not None and self._sent.item(row) is self._sent.opened:
            self._sent.close_row()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and self._sent.rowCount():
            self.setCurrentIndex(self._sent.index(0, 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        current = self.currentIndex()
        if not (self.hasFocus() and current.isValid()):
            return
        first = self.visualRect(self._sent.index(current.row(), 0))
        last = self.visualRect(self._sent.index(current.row(), Column.OPEN))
        painter = QPainter(self.viewport())
        painter.setPen(QPen(QColor(self._theme.accent), 1.5))
        painter.drawRect(QRectF(first.united(last)).adjusted(1, 1, -1, -1))
        painter.end()

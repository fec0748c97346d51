"""The table of what was sent: filtered as the person types, one row open. Fast for 10,000 messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from agent.domain.my_data_models import SentItem
from resources.i18n import _
from ui.inbox.search import fold
from ui.privacy import labels
from ui.widgets.tooltips import plain_tip

AnyIndex = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()


class Column(IntEnum):
    """The columns of the list of sent messages, in their order."""

    WHEN = 0
    WHAT = 1
    ANNOUNCEMENT = 2
    SIZE = 3
    SERVER = 4
    OPEN = 5


class Kind(StrEnum):
    """What the filters choose from."""

    ALL = "all"
    SEEN = "seen"
    CLICK = "click"
    LIKE = "like"
    CHOICE = "choice"
    CORRECTION = "correction"
    CONNECTION = "connection"
    ACKNOWLEDGEMENT = "acknowledgement"


_KINDS = {
    "given": Kind.CHOICE,
    "withdrawn": Kind.CHOICE,
    "enrolment": Kind.CONNECTION,
    "key": Kind.CONNECTION,
}


def kind_of(item: SentItem) -> Kind:
    """The filter under which a message is found."""
    return _KINDS.get(item.kind) or Kind(item.kind)


class SentModel(QAbstractTableModel):
    """Rows are the messages that match; the open one is followed by a row of its own, for its bytes."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._now = now
        self._items: Sequence[SentItem] = ()
        self._rows: list[SentItem] = []
        self._folded: dict[int, str] = {}
        self._kind = Kind.ALL
        self._words: tuple[str, ...] = ()
        self._open: int | None = None
        """The row of the message that is open."""

    # What is in it

    def set_items(self, items: Sequence[SentItem]) -> None:
        """All messages, newest first. An open one stays open."""
        if tuple(items) != tuple(self._items):
            self._items = items
            self._folded = {}
            self._update()

    def set_kind(self, kind: Kind) -> None:
        """Show only these."""
        if kind is not self._kind:
            self._kind = kind
            self._update()

    def set_search(self, text: str) -> None:
        """Show only those that have all these words in what they are, their announcement, their bytes or their state."""
        wanted = tuple(fold(text).split())
        if wanted != self._words:
            self._words = wanted
            self._update()

    def counts(self) -> dict[Kind, int]:
        """How many there are for each filter, whatever is searched for."""
        found = dict.fromkeys(Kind, 0)
        for item in self._items:
            found[kind_of(item)] += 1
        found[Kind.ALL] = len(self._items)
        return found

    def _update(self) -> None:
        opened = self.item(self._open) if self._open is not None else None
        self.beginResetModel()
        self._rows = [item for item in self._items if self._matches(item)]
        self._open = None
        if opened is not None:
            self._open = self._find(opened)
        self.endResetModel()

    def _matches(self, item: SentItem) -> bool:
        if self._kind is not Kind.ALL and kind_of(item) is not self._kind:
            return False
        if not self._words:
            return True
        text = self._folded.get(item.number)
        if text is None:
            parts = (labels.kind_text(item), item.title, labels.status_text(item), labels.readable(item.body))
            text = self._folded[item.number] = fold(" ".join(parts))
        return all(word in text for word in self._words)

    # Rows

    def item(self, row: int) -> SentItem | None:
        """The message of a row; None for the row with the bytes and outside of the table."""
        if row == self.bytes_row:
            return None
        if self._open is not None and row > self._open:
            row -= 1
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, number: int) -> int | None:
        """Where a message is, None where it is not shown."""
        for row, item in enumerate(self._rows):
            if item.number == number:
                return row if self._open is None or row <= self._open else row + 1
        return None

    def _find(self, wanted: SentItem) -> int | None:
        """The row of a message whose state may have changed. What waited has another number once it was sent."""
        return next((row for row, item in enumerate(self._rows) if item.body == wanted.body), None)

    @property
    def bytes_row(self) -> int | None:
        """The row for the bytes of the open message, None while none is open."""
        return self._open + 1 if self._open is not None else None

    @property
    def opened(self) -> SentItem | None:
        """The message that is open."""
        return self._rows[self._open] if self._open is not None else None

    def open(self, row: int) -> None:
        """Open the message of a row; another that is open is closed."""
        wanted = self.item(row)
        if wanted is None or row == self._open:
            return
        self.close_row()
        position = self.row_of(wanted.number)
        assert position is not None
        self.beginInsertRows(QModelIndex(), position + 1, position + 1)
        self._open = position
        self.endInsertRows()
        self._changed(position)

    def close_row(self) -> None:
        """Close the open message."""
        if self._open is None:
            return
        was = self._open
        self.beginRemoveRows(QModelIndex(), was + 1, was + 1)
        self._open = None
        self.endRemoveRows()
        self._changed(was)

    def _changed(self, row: int) -> None:
        self.dataChanged.emit(self.index(row, 0), self.index(row, Column.OPEN))

    # What Qt asks

    def rowCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows) + (self._open is not None)

    def columnCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        if self.item(index.row()) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return header_text(Column(section))

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item, column = self.item(index.row()), Column(index.column())
        if item is None:
            return self._bytes_data(role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(item, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column is Column.WHEN:
            return labels.spoken(item, self._now())
        if role == Qt.ItemDataRole.ToolTipRole and column is Column.ANNOUNCEMENT:
            return plain_tip(item.title)
        return None

    def _text(self, item: SentItem, column: Column) -> str:
        match column:
            case Column.WHEN:
                return labels.when_text(item.sent_at, self._now())
            case Column.WHAT:
                return labels.kind_text(item)
            case Column.ANNOUNCEMENT:
                return item.title or labels.NOTHING
            case Column.SIZE:
                return labels.size_text(len(item.body))
            case Column.SERVER:
                return labels.status_text(item)
        return ""

    def _bytes_data(self, role: int) -> object:
        opened = self.opened
        if opened is None or role != Qt.ItemDataRole.AccessibleTextRole:
            return None
        return labels.readable(opened.body)


def header_text(column: Column) -> str:
    """The heading of a column."""
    return {
        Column.WHEN: _("When"),
        Column.WHAT: _("What"),
        Column.ANNOUNCEMENT: _("Announcement"),
        Column.SIZE: _("Size"),
        Column.SERVER: _("Server"),
        Column.OPEN: "",
    }[column]

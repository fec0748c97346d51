"""The list's model: which announcements, filtered as the person types. Fast for 10,000 of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from agent.model import InboxItem, Variant
from resources.i18n import _, language
from ui import wording

AnyIndex = QModelIndex | QPersistentModelIndex
ITEM_ROLE = Qt.ItemDataRole.UserRole + 1


class Filter(StrEnum):
    ALL = "all"
    NEW = "new"
    LIKED = "liked"
    LATER = "later"


def variant_of(item: InboxItem) -> Variant:
    """The announcement's text in the person's language."""
    return item.campaign.variant(language())


def fold(text: str) -> str:
    """For comparing: without case and accents, so that "reunion" finds "Réunion"."""
    if text.isascii():
        return text.lower()
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )


def summary(item: InboxItem) -> str:
    """What and from whom, in a few words: the list's second line."""
    variant = variant_of(item)
    parts = [item.campaign.sender]
    if variant.video is None and variant.image is not None:
        parts.append(_("image"))
    return " · ".join(part for part in parts if part)


def spoken(item: InboxItem, now: datetime) -> str:
    """A row, for a screen reader."""
    variant = variant_of(item)
    parts = ["" if item.state.read else _("New"), variant.title, item.campaign.sender]
    if variant.video is not None:
        parts.append(_("video, {length}").format(length=wording.duration_text(variant.video.duration_ms)))
    if item.state.liked:
        parts.append(_("Liked"))
    parts.append(wording.list_time(item.state.received, now))
    return ", ".join(part for part in parts if part)


class InboxModel(QAbstractListModel):
    """Rows are those that match filter and search. One row can be kept although it no longer matches: the open one."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._now = now
        self._items: Sequence[InboxItem] = ()
        self._folded: dict[tuple[str, int], str] = {}
        self._rows: list[InboxItem] = []
        self._filter = Filter.ALL
        self._words: tuple[str, ...] = ()
        self._kept = ""

    def set_items(self, items: Sequence[InboxItem]) -> None:
        """All announcements, newest first."""
        self._items = items
        present = {_key(item) for item in items}
        self._folded = {key: text for key, text in self._folded.items() if key in present}
        self._update()

    def set_filter(self, wanted: Filter) -> None:
        """Show only these; nothing is kept any more."""
        self._filter = wanted
        self._kept = ""
        self._update()

    def set_search(self, text: str) -> None:
        """Show only those that have all these words in title, sender or text."""
        words = tuple(fold(text).split())
        if words != self._words:
            self._words = words
            self._kept = ""
            self._update()

    def keep(self, campaign_id: str) -> None:
        """This one stays in view until filter or search change."""
        self._kept = campaign_id

    def counts(self) -> dict[Filter, int]:
        """How many there are of each kind, whatever the search."""
        return {wanted: sum(_matches(item, wanted) for item in self._items) for wanted in Filter}

    def item(self, row: int) -> InboxItem | None:
        """The announcement in a row, None outside."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, campaign_id: str) -> int:
        """Its row, -1 when it is not in view."""
        ids = (item.campaign.campaign_id for item in self._rows)
        return next((row for row, each in enumerate(ids) if each == campaign_id), -1)

    def is_empty(self) -> bool:
        """Whether there are no announcements at all."""
        return not self._items

    def now(self) -> datetime:
        """The time that the list's times are told from."""
        return self._now()

    def rowCount(self, parent: AnyIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.item(index.row())
        if item is None:
            return None
        if role == ITEM_ROLE:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return variant_of(item).title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(item, self._now())
        return None

    def _update(self) -> None:
        rows = self._matching()
        same = [item.campaign.campaign_id for item in rows] == [
            item.campaign.campaign_id for item in self._rows
        ]
        if same:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _matching(self) -> list[InboxItem]:
        rows = [item for item in self._items if _matches(item, self._filter) or self._is_kept(item)]
        return [item for item in rows if all(word in self._text(item) for word in self._words)]

    def _is_kept(self, item: InboxItem) -> bool:
        return item.campaign.campaign_id == self._kept

    def _text(self, item: InboxItem) -> str:
        """What the search looks in; folded once, for it is the slow part."""
        key = _key(item)
        if key not in self._folded:
            self._folded[key] = _searchable(item)
        return self._folded[key]


def _key(item: InboxItem) -> tuple[str, int]:
    return item.campaign.campaign_id, item.campaign.counter


def _searchable(item: InboxItem) -> str:
    variant = variant_of(item)
    return fold("\n".join((variant.title, item.campaign.sender, variant.body)))


def _matches(item: InboxItem, wanted: Filter) -> bool:
    if wanted is Filter.NEW:
        return not item.state.read
    if wanted is Filter.LIKED:
        return item.state.liked
    if wanted is Filter.LATER:
        return item.state.remind_at is not None
    return True

"""The list's model: which announcements, filtered as the person types. Fast for 10,000 of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QStringListModel, Qt

from agent.campaigns import hold_reasons
from agent.domain.model import HoldReason, InboxItem
from resources.i18n import _
from ui.inbox.search import Searchable, fold, searchable, variant_of
from ui.style import text_format

AnyIndex = QModelIndex | QPersistentModelIndex
ITEM_ROLE = Qt.ItemDataRole.UserRole + 1


class Filter(StrEnum):
    """Which announcements the inbox lists."""

    ALL = "all"
    UNREAD = "unread"
    LIKED = "liked"
    LATER = "later"
    HELD = "held"


def comes_later(item: InboxItem) -> bool:
    """The person asked to be reminded."""
    return item.state.remind_at is not None or bool(item.state.remind_after_login)


def asks_to_confirm(item: InboxItem) -> bool:
    """The company waits for the person's confirmation."""
    return item.campaign.acknowledge and item.state.acknowledged is None


def summary(item: InboxItem, *, held: bool) -> str:
    """What and from whom, in a few words: the list's second line."""
    variant = variant_of(item)
    parts = [text_format.sender_of(item.campaign)]
    if variant.video is None and variant.image is not None:
        parts.append(_("image"))
    parts += _states(item, held=held)
    return text_format.joined(*parts)


def _states(item: InboxItem, *, held: bool) -> Iterable[str]:
    if asks_to_confirm(item):
        yield _("please confirm")
    elif item.state.acknowledged is not None:
        yield _("confirmed")
    if comes_later(item):
        yield _("later")
    elif held:
        yield _("held")


def spoken(item: InboxItem, now: datetime, *, held: bool) -> str:
    """A row, for a screen reader."""
    variant = variant_of(item)
    parts = ["" if item.state.read else _("Unread"), variant.title, text_format.sender_of(item.campaign)]
    if variant.video is not None:
        parts.append(_("video, {length}").format(length=text_format.duration_text(variant.video.duration_ms)))
    if item.state.liked:
        parts.append(_("Liked"))
    parts += _states(item, held=held)
    parts.append(text_format.list_time(item.state.received, now))
    return ", ".join(part for part in parts if part)


def _differ(before: InboxItem, now: InboxItem) -> bool:
    """Whether an announcement looks otherwise than before."""
    if before is now:
        return False
    return before.state != now.state or before.campaign.counter != now.campaign.counter


class InboxModel(QStringListModel):
    """Rows are those that match filter and search. One row can be kept although it no longer matches: the open one.

    Qt keeps the rows' ids: a view asks some 10,000 times how many there are, which in Python takes longer than a frame.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._now = now
        self._all = Searchable()
        self._held: Mapping[str, HoldReason] = {}
        self._found: Sequence[int] = ()
        self._rows: list[InboxItem] = []
        self._ids: list[str] = []
        self._filter = Filter.ALL
        self._words: tuple[str, ...] = ()
        self._kept = ""

    def set_items(self, items: Sequence[InboxItem] | Searchable, held: Mapping[str, HoldReason]) -> None:
        """All announcements, newest first, and why some are not on the screen."""
        self._all = items if isinstance(items, Searchable) else searchable(items, self._all)
        held_differ, self._held = held != self._held, held
        self._found = self._search(range(len(self._all.items)))
        self._update()
        if held_differ and self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def set_filter(self, wanted: Filter) -> None:
        """Show only these; nothing is kept any more."""
        self._filter = wanted
        self._kept = ""
        self._update()

    def set_search(self, text: str) -> None:
        """Show only those that have all these words in title, sender or text."""
        words = tuple(fold(text).split())
        if words == self._words:
            return
        narrower = all(any(before in word for word in words) for before in self._words)
        self._words = words
        self._found = self._search(self._found if narrower else range(len(self._all.items)))
        self._kept = ""
        self._update()

    def keep(self, campaign_id: str) -> None:
        """This one stays in view until filter or search change."""
        self._kept = campaign_id

    def counts(self) -> dict[Filter, int]:
        """How many there are of each kind, whatever the search."""
        items = self._all.items
        return {
            wanted: len(items) if wanted is Filter.ALL else len(self._of_kind(items, wanted))
            for wanted in Filter
        }

    @property
    def searchable(self) -> Searchable:
        """All announcements, whatever filter and search."""
        return self._all

    @property
    def rows(self) -> Sequence[InboxItem]:
        """What is in view."""
        return self._rows

    def item(self, row: int) -> InboxItem | None:
        """The announcement in a row, None outside."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, campaign_id: str) -> int:
        """Its row, -1 when it is not in view."""
        return self._ids.index(campaign_id) if campaign_id in self._ids else -1

    def is_empty(self) -> bool:
        """Whether there are no announcements at all."""
        return not self._all.items

    def is_held(self, item: InboxItem) -> bool:
        """Whether its pop-up waits for a better moment. What the person put off by themselves does not count."""
        reason = self._held.get(item.campaign.campaign_id)
        return reason is not None and reason is not HoldReason.REMIND_LATER and hold_reasons.waits(reason)

    def now(self) -> datetime:
        """The time that the list's times are told from."""
        return self._now()

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.item(index.row())
        if item is None:
            return None
        if role == ITEM_ROLE:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return variant_of(item).title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken(item, self._now(), held=self.is_held(item))
        return None

    def _update(self) -> None:
        items, before = self._all.items, self._rows
        self._rows = self._of_kind([items[place] for place in self._found], self._filter, self._kept)
        ids = [item.campaign.campaign_id for item in self._rows]
        if ids != self._ids:
            self._ids = ids
            self.setStringList(ids)
            return
        changed = [row for row, pair in enumerate(zip(before, self._rows, strict=True)) if _differ(*pair)]
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    def _search(self, places: Sequence[int]) -> Sequence[int]:
        texts = self._all.texts
        for word in self._words:
            places = [place for place in places if word in texts[place]]
        return places

    def _of_kind(self, items: Sequence[InboxItem], wanted: Filter, kept: str = "") -> list[InboxItem]:
        """What the filter lets through, and the one with the id ``kept``. Loops of its own each: there may be 10,000."""
        if wanted is Filter.UNREAD:
            return [each for each in items if not each.state.read or each.campaign.campaign_id == kept]
        if wanted is Filter.LIKED:
            return [each for each in items if each.state.liked or each.campaign.campaign_id == kept]
        if wanted is Filter.LATER:
            return [each for each in items if comes_later(each) or each.campaign.campaign_id == kept]
        if wanted is Filter.HELD:
            held = self._held
            return [
                each
                for each in items
                if (id := each.campaign.campaign_id) == kept or (id in held and self.is_held(each))
            ]
        return list(items)

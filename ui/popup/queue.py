"""The pages of the pop-up: which are in it, which of them is on top, and which had to make way for a while.

A page that was not displayed yet is a plan only: it leaves when the moment is no longer right, and is chosen again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agent.campaigns import selection
from agent.domain.model import HoldReason, InboxItem, Selection, Urgency

DIGEST = "digest"
"""With it begins the key of the digest's page. No campaign's id looks like that."""


@dataclass(eq=False)
class QueuedPage:
    """One campaign, or all that a digest names."""

    items: tuple[InboxItem, ...]
    digest: bool = False
    displayed: set[str] = field(default_factory=set)
    """Ids of the campaigns of which it is noted."""
    seen: bool = False
    """It could be looked at for long enough."""
    joined: int = 0
    """How often a digest became longer while it was there. It is to be read again then."""
    confirmed: bool = False
    """The person confirmed it here, and is told so: it stays, though it is read now."""

    @property
    def item(self) -> InboxItem:
        return self.items[0]

    @property
    def key(self) -> str:
        return f"{DIGEST} {self.joined}" if self.digest else self.item.campaign.campaign_id

    @property
    def urgency(self) -> Urgency:
        return Urgency.NORMAL if self.digest else self.item.campaign.urgency

    @property
    def interrupts(self) -> Urgency:
        """Which urgency says what it may interrupt."""
        return Urgency.NORMAL if self.digest else self.item.campaign.interrupts

    def ids(self) -> set[str]:
        """All campaigns in pages, also of those that made way."""
        return {item.campaign.campaign_id for item in self.items}


class PopupQueue:
    """An emergency comes alone: all others wait beneath it. ``aside`` are pages that come back."""

    def __init__(self) -> None:
        self._pages: list[QueuedPage] = []
        self._aside: list[QueuedPage] = []
        self._index = 0

    @property
    def view(self) -> list[QueuedPage]:
        """What can be paged through now."""
        emergencies = [page for page in self._pages if page.urgency is Urgency.EMERGENCY]
        return emergencies or self._pages

    @property
    def top(self) -> QueuedPage | None:
        """The page that is shown."""
        view = self.view
        return view[min(self._index, len(view) - 1)] if view else None

    @property
    def position(self) -> int:
        """Of the page on top, counted from 1."""
        return min(self._index, len(self.view) - 1) + 1

    @property
    def aside(self) -> list[QueuedPage]:
        """What waits to come back."""
        return self._aside

    def __iter__(self) -> Iterator[QueuedPage]:
        return iter(self._pages)

    def clear(self) -> None:
        self._pages, self._aside, self._index = [], [], 0

    def turn(self, pages: int) -> bool:
        """Some pages forward, or back. Returns whether there is such a page."""
        if not 0 <= self._index + pages < len(self.view):
            return False
        self._index += pages
        return True

    def has_news(self, found: Selection) -> bool:
        """Whether something is due that is in no page."""
        known = self.ids()
        return any(item.campaign.campaign_id not in known for item in (*found.show, *found.digest))

    def add(self, found: Selection) -> None:
        """Put what is due behind the rest, first the digest; urgent ones come next after the page on top."""
        with _SameTop(self):
            known = self.ids()
            new = [QueuedPage((item,)) for item in found.show if item.campaign.campaign_id not in known]
            missed = tuple(item for item in found.digest if item.campaign.campaign_id not in known)
            next_place = self._pages.index(self.top) + 1 if self.top in self._pages else 0
            self._pages[next_place:next_place] = [page for page in new if page.urgency is not Urgency.NORMAL]
            self._add_missed(QueuedPage(missed, digest=True))
            self._pages += [page for page in new if page.urgency is Urgency.NORMAL]

    def _add_missed(self, missed: QueuedPage) -> None:
        if not missed.items:
            return
        for page in self._pages:
            if page.digest:
                page.items = missed.items + page.items
                page.displayed |= missed.displayed
                page.seen = False
                page.joined += 1
                return
        self._pages.append(missed)

    def keep_plans(self, found: Selection) -> None:
        """Drop what was not displayed yet and is held now. Pages of one pop-up need no time between them."""
        with _SameTop(self):
            for page in self._pages:
                page.items = tuple(item for item in page.items if page.displayed or _still_due(item, found))
            self._pages = [page for page in self._pages if page.items]

    def keep(self, inbox: Mapping[str, InboxItem], now: datetime) -> set[str]:
        """Drop what is recalled, over, read elsewhere or put off. Returns the ids of what left."""
        before = self.ids()
        with _SameTop(self):
            for pages in (self._pages, self._aside):
                for page in pages:
                    page.items = tuple(
                        inbox[item.campaign.campaign_id]
                        for item in page.items
                        if _holds(item, inbox, now, page.confirmed)
                    )
            self._pages = [page for page in self._pages if page.items]
            self._aside = [page for page in self._aside if page.items]
        return before - self.ids()

    def drop(self, pages: list[QueuedPage]) -> None:
        with _SameTop(self):
            self._pages = [page for page in self._pages if page not in pages]

    def put_aside(self, pages: list[QueuedPage]) -> None:
        """Out of sight, to come back. What was not displayed yet is chosen again in its time."""
        self.drop(pages)
        self._aside += [page for page in pages if page.displayed]

    def bring_back(self, pages: list[QueuedPage]) -> None:
        with _SameTop(self):
            self._aside = [page for page in self._aside if page not in pages]
            for page in pages:
                if page.digest:
                    self._add_missed(page)
                else:
                    self._pages.append(page)

    def ids(self) -> set[str]:
        """All campaigns in pages, also of those that made way."""
        return set().union(*(page.ids() for page in (*self._pages, *self._aside)))


class _SameTop:
    """What was on top before stays there, if it is still in view; else what was behind it comes."""

    def __init__(self, queue: PopupQueue) -> None:
        self._queue = queue

    def __enter__(self) -> None:
        self._top = self._queue.top

    def __exit__(self, *_error: object) -> None:
        queue = self._queue
        places = [place for place, page in enumerate(queue.view) if page is self._top]
        alone = any(page.urgency is Urgency.EMERGENCY for page in queue)
        if places:
            queue._index = places[0]
        elif alone:
            queue._index = 0
        else:
            queue._index = min(queue._index, max(len(queue.view) - 1, 0))


def _holds(item: InboxItem, inbox: Mapping[str, InboxItem], now: datetime, confirmed: bool) -> bool:
    now_known = inbox.get(item.campaign.campaign_id)
    if now_known is None or selection.over(now_known, now):
        return False
    if selection.asked_for(now_known) and _wanted(now_known) != _wanted(item):
        return False
    return confirmed or item.state.read or not now_known.state.read


def _wanted(item: InboxItem) -> tuple[datetime | None, str]:
    return item.state.remind_at, item.state.remind_after_login


def _still_due(item: InboxItem, found: Selection) -> bool:
    return found.held.get(item.campaign.campaign_id) in (None, HoldReason.TOO_SOON)

"""The inbox in its states, for the gallery and the tests of all screens."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from agent.domain.model import ConnectionState, FeedbackSignal, HoldReason, InboxItem, Selection, Status
from tests.support.ui import gallery_data as data
from ui.inbox.model import Filter
from ui.inbox.window import InboxWindow
from ui.style.theme import Theme

Screen = Callable[[Theme], QWidget]

NARROW_PX = 640
MANY = 10_000
SHARED = data.choices(FeedbackSignal.SEEN, FeedbackSignal.LIKE)


def _window(
    theme: Theme,
    items: Sequence[InboxItem],
    *,
    status: Status | None = None,
    selection: Selection | None = None,
) -> InboxWindow:
    window = InboxWindow(theme, now=lambda: data.NOW)
    window.show_items(items, data.media_path, SHARED, status or data.status(), selection)
    return window


def _items(**changed: dict[str, Any]) -> list[InboxItem]:
    """Those of the design, some in another state."""
    return [
        replace(
            item, state=replace(item.state, **changed.get(item.campaign.campaign_id.replace("-", ""), {}))
        )
        for item in data.items()
    ]


def _asking() -> list[InboxItem]:
    """The second one asks to be confirmed."""
    items = _items()
    items[1] = replace(items[1], campaign=replace(items[1].campaign, acknowledge=True))
    return items


def inbox(theme: Theme) -> InboxWindow:
    window = _window(theme, _asking())
    window.open("c-1")
    return window


def confirm(theme: Theme) -> QWidget:
    window = _window(theme, _asking())
    window.open("c-2")
    window.detail.acknowledge.ask.click()
    return window


def confirmed(theme: Theme) -> QWidget:
    items = _asking()
    items[1] = replace(items[1], state=replace(items[1].state, read=True, acknowledged=data.NOW))
    window = _window(theme, items)
    window.open("c-2")
    return window


def trial(theme: Theme) -> QWidget:
    window = _window(theme, [data.trial(), *_items()])
    window.open(data.trial().campaign.campaign_id)
    return window


def searched(theme: Theme) -> QWidget:
    window = _window(theme, _items())
    window.open("c-1")
    window.search.setText("cafe lyon")
    return window


def nothing_found(theme: Theme) -> QWidget:
    window = _window(theme, _items())
    window.search.setText("Élysée")
    return window


def unread(theme: Theme) -> QWidget:
    window = _window(theme, _items())
    window.filters.buttons[Filter.UNREAD].click()
    window.open("c-3")
    return window


def held(theme: Theme) -> QWidget:
    until = data.NOW + timedelta(hours=4, minutes=48)
    reasons = {"c-2": HoldReason.PAUSED, "c-3": HoldReason.QUIET_HOURS}
    window = _window(
        theme, _items(), selection=Selection((), reasons, until, (), dict.fromkeys(reasons, until))
    )
    window.filters.buttons[Filter.HELD].click()
    window.open("c-2")
    return window


def later(theme: Theme) -> QWidget:
    window = _window(
        theme,
        _items(c4={"remind_at": data.NOW + timedelta(hours=1)}, c5={"remind_after_login": "one"}),
    )
    window.filters.buttons[Filter.LATER].click()
    window.open("c-5")
    window.detail.remind.click()
    return window


def several(theme: Theme) -> QWidget:
    window = _window(theme, _items())
    window.list.selectAll()
    return window


def marked(theme: Theme) -> QWidget:
    window = _window(theme, _items())
    window.mark_all_read()
    window.show_items(_items(c2={"read": True}, c3={"read": True}), data.media_path, SHARED, data.status())
    return window


def keys(theme: Theme) -> QWidget:
    window = _window(theme, _items())
    window.toggle_keys()
    return window


def offline(theme: Theme) -> QWidget:
    window = _window(theme, data.items(), status=data.status(ConnectionState.OFFLINE))
    window.open("c-3")
    return window


def halted(theme: Theme) -> QWidget:
    """The store could not be read at the start."""
    return _window(theme, [], status=data.halted())


def empty(theme: Theme) -> QWidget:
    return _window(theme, [])


def first_check(theme: Theme) -> QWidget:
    return _window(theme, [], status=replace(data.status(ConnectionState.CONNECTING), last_check=None))


def not_connected(theme: Theme) -> QWidget:
    return _window(theme, [], status=data.status(ConnectionState.NOT_CONNECTED))


def many(theme: Theme) -> QWidget:
    few = data.items()
    items = [
        InboxItem(
            replace(few[number % len(few)].campaign, campaign_id=f"c-{number}", counter=number),
            replace(
                few[number % len(few)].state, received=data.NOW - timedelta(hours=number), read=number > 20
            ),
        )
        for number in range(1, MANY + 1)
    ]
    window = _window(theme, items)
    window.open("c-5000")
    return window


def narrow(theme: Theme) -> QWidget:
    window = inbox(theme)
    window.resize(theme.px(NARROW_PX), window.height())
    return window


SCREENS: dict[str, Screen] = {
    "inbox": inbox,
    "inbox-confirm": confirm,
    "inbox-confirmed": confirmed,
    "inbox-test": trial,
    "inbox-search": searched,
    "inbox-nothing-found": nothing_found,
    "inbox-unread": unread,
    "inbox-held": held,
    "inbox-later": later,
    "inbox-several": several,
    "inbox-marked": marked,
    "inbox-keys": keys,
    "inbox-offline": offline,
    "inbox-halted": halted,
    "inbox-empty": empty,
    "inbox-first-check": first_check,
    "inbox-not-connected": not_connected,
    "inbox-many": many,
    "inbox-narrow": narrow,
}

"""The inbox at work: filled without a stall, and what is done in it reaches the agent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from agent.domain import errors
from agent.domain.model import InboxItem, InteractionKind, PresenceState, Selection
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.core.recorder import Recorder
from ui.popup.ports import Actions
from ui.style.theme import Theme
from ui.windowing.registry import OpenWindows

if TYPE_CHECKING:
    from ui.inbox.search import Searchable
    from ui.inbox.window import InboxWindow

log = logging.getLogger(__name__)

AT_ONCE = 200
"""So many announcements are read within a frame. Where there are more, the rest follows from a worker."""


class InboxController(QObject):
    """``tell`` shows what went wrong, by title and message. All methods are called on the main thread."""

    video_shown = Signal(object)
    """A button that starts a video, on a window that was just made."""
    change_wanted = Signal()
    connect_wanted = Signal()

    def __init__(
        self,
        agent: Agent,
        bridge: Bridge,
        windows: OpenWindows,
        actions: Actions,
        theme: Callable[[], Theme],
        tell: Callable[[str, str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._agent = agent
        self._bridge = bridge
        self._windows = windows
        self._actions = actions
        self._theme = theme
        self._tell = tell
        self._recorder = Recorder(agent, lambda fault: tell(fault.title, fault.message))
        self._presence = PresenceState()
        self._asking = False
        self._reading = False
        self._read_again = False

    def show(self, campaign_id: str = "", *, activate: bool = True) -> None:
        """At a campaign if one is named. Without ``activate`` the keyboard stays where it is."""
        from ui.inbox.window import InboxWindow

        window = self._windows.show(
            InboxWindow, self._make, fill=self._fill, resume=InboxWindow.resume, activate=activate
        )
        self._ask_presence()
        if campaign_id:
            window.open(campaign_id)

    def _make(self) -> InboxWindow:
        from ui.inbox.window import InboxWindow

        recorder, window = self._recorder, InboxWindow(self._theme())
        window.opened.connect(lambda campaign_id: recorder.record(campaign_id, InteractionKind.READ))
        window.marked.connect(self._mark)
        window.link_clicked.connect(
            lambda campaign_id, link_id: recorder.follow_link(campaign_id, link_id, self._actions.open_url)
        )
        window.watch_clicked.connect(self._actions.play)
        window.like_toggled.connect(
            lambda campaign_id, liked: recorder.record(
                campaign_id, InteractionKind.LIKED if liked else InteractionKind.UNLIKED
            )
        )
        window.later_chosen.connect(recorder.remind)
        window.acknowledged.connect(recorder.acknowledge)
        window.change_clicked.connect(self.change_wanted)
        window.connect_clicked.connect(self.connect_wanted)
        window.check_now.connect(lambda: self._agent.check_now())
        self.video_shown.emit(window.detail.picture.play)
        return window

    # What it shows

    def _fill(self, window: InboxWindow) -> None:
        """What is at hand at once, the rest when it has been read."""
        if self._reading:
            self._read_again = True
            return
        agent, shown = self._agent, window.model.searchable
        if len(shown.items) <= AT_ONCE:
            newest = agent.inbox(newest=AT_ONCE)
            if len(newest) < AT_ONCE or not shown.items:
                self._put(window, self._prepare(newest, shown))
            if len(newest) < AT_ONCE:
                return
        self._reading = True
        self._bridge.run_in_worker(
            lambda: self._prepare(agent.inbox(), shown), self._all_read, self._not_read, "inbox"
        )

    def _prepare(self, items: list[InboxItem], shown: Searchable) -> tuple[Searchable, Selection]:
        from ui.inbox.search import searchable

        return searchable(items, shown), self._agent.select(self._presence)

    def _all_read(self, found: tuple[Searchable, Selection]) -> None:
        from ui.inbox.window import InboxWindow

        self._reading = False
        window = self._windows.find(InboxWindow)
        if window is None:
            self._read_again = False
            return
        self._put(window, found)
        if self._read_again:
            self._read_again = False
            self._fill(window)

    def _not_read(self, fault: errors.TidingsError) -> None:
        self._reading = self._read_again = False
        self._failed(fault)

    def _put(self, window: InboxWindow, found: tuple[Searchable, Selection]) -> None:
        agent, (items, selection) = self._agent, found
        window.show_items(items, agent.media_path, agent.choices(), agent.status(), selection)

    def _ask_presence(self) -> None:
        """Why something is held back may be the desktop's doing."""
        if not self._asking:
            self._asking = True
            self._actions.ask_presence(self._presence_known)

    def _presence_known(self, presence: PresenceState) -> None:
        from ui.inbox.window import InboxWindow

        self._asking = False
        window = self._windows.find(InboxWindow)
        if window is not None and presence != self._presence:
            self._presence = presence
            self._fill(window)

    # What the person does in it

    def _mark(self, campaign_ids: Sequence[str], read: bool) -> None:
        if len(campaign_ids) <= AT_ONCE:
            self._recorder.mark_read(campaign_ids, read)
            return

        def mark() -> None:
            """A few at a time, so that nobody waits long for the store."""
            for start in range(0, len(campaign_ids), AT_ONCE):
                self._agent.interactions.mark_read(campaign_ids[start : start + AT_ONCE], read)

        self._bridge.run_in_worker(mark, lambda _none: None, self._failed, "mark")

    def _failed(self, fault: errors.TidingsError) -> None:
        if not isinstance(fault, errors.Interrupted):
            self._tell(fault.title, fault.message)

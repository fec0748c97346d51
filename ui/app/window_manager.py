"""The windows that the person opens, and what is done in them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from agent import __version__
from agent.domain import errors
from agent.domain.model import Change, ConnectionState, FeedbackSignal
from resources import i18n
from resources.i18n import _
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.inbox.controller import InboxController
from ui.popup.ports import Actions
from ui.preferences.controller import PreferencesController
from ui.privacy.controller import PrivacyController
from ui.style.theme import Theme
from ui.windowing.registry import OpenWindows

if TYPE_CHECKING:
    from ui.about.text_windows import DiagnosticsWindow
    from ui.onboarding.first_run import FirstRunWindow

log = logging.getLogger(__name__)


class Windows(QObject):
    """One of each kind at a time. All methods are called on the main thread."""

    video_shown = Signal(object)
    """A button that starts a video, on a window that was just made."""

    settled = Signal()
    """The person has chosen for the first time what to share: all is ready."""

    def __init__(
        self,
        agent: Agent,
        bridge: Bridge,
        actions: Actions,
        theme: Callable[[], Theme],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._agent = agent
        self._bridge = bridge
        self._actions = actions
        self._theme = theme
        self._open = OpenWindows(self)
        self._open.preferences_wanted.connect(lambda: self.show_preferences())
        self._privacy = PrivacyController(
            agent, bridge, self._open, theme, self.tell, lambda: self.show_notice(), self
        )

        self._preferences = PreferencesController(agent, self._open, theme, self.tell, self)
        self._inbox = InboxController(agent, bridge, self._open, actions, theme, self.tell, self)
        self._inbox.video_shown.connect(self.video_shown)
        self._inbox.change_wanted.connect(lambda: self.show_choices())
        self._inbox.connect_wanted.connect(lambda: self.show_first_run())

    def close(self) -> None:
        """Close them all."""
        self._open.close_all()

    def refresh(self, changes: frozenset[Change]) -> None:
        """Something changed: tell the windows that are open, and ask the person what must be asked."""
        self._open.refresh()
        if Change.CONSENT in changes or Change.STATUS in changes:
            self._ask_what_to_share()

    def retranslate(self) -> None:
        """The language is another one. A message, a question and a form stay as they are until they are answered."""
        self._open.retranslate()

    # Each window

    def show_inbox(self, campaign_id: str = "", *, activate: bool = True) -> None:
        """At a campaign if one is named. Without ``activate`` the keyboard stays where it is."""
        self._inbox.show(campaign_id, activate=activate)

    def show_choices(self) -> None:
        """What is shared. Before a company is connected there is nothing to choose: connect first."""
        if self._agent.status().company is None:
            self.show_first_run()
            return
        self._privacy.show()

    def show_first_run(self) -> None:
        """Connect this computer; where nobody knows whether it is connected, that is said instead."""
        if (halted := self._agent.status().halted_by) is not None:
            self.tell(halted.title, halted.message)
        else:
            self._first_run(activate=True)

    def show_preferences(self) -> None:
        """Pop-ups, quiet hours, language and look."""
        self._preferences.show()

    def show_about(self) -> None:
        from ui.about.window import AboutWindow

        def make() -> AboutWindow:
            window = AboutWindow(self._theme(), __version__, self._agent.status())
            window.licences_wanted.connect(lambda: self._show_licences())
            window.diagnostics_wanted.connect(lambda: self._show_diagnostics())
            return window

        self._open.show(AboutWindow, make)

    def _show_licences(self) -> None:
        from agent.cli import diagnostics
        from ui.about.text_windows import LicencesWindow

        self._open.show(LicencesWindow, lambda: LicencesWindow(self._theme(), diagnostics.licences()))

    def _show_diagnostics(self) -> None:
        from agent.cli import diagnostics
        from ui.about.text_windows import DiagnosticsWindow

        def make() -> DiagnosticsWindow:
            kept = self._agent.preferences
            text = diagnostics.report(
                self._agent.status(),
                kept.effective(),
                kept.locked(),
                language=i18n.language(),
                window_system=QGuiApplication.platformName(),
                now=datetime.now(UTC),
            )
            window = DiagnosticsWindow(self._theme(), text)
            window.save_wanted.connect(lambda text: self._save_diagnostics(window, text))
            return window

        self._open.close(DiagnosticsWindow)
        self._open.show(DiagnosticsWindow, make)

    def _save_diagnostics(self, window: DiagnosticsWindow, text: str) -> None:
        from ui.core import save_files

        def chosen(path: Path) -> None:
            self._act(lambda: window.show_saved(save_files.write(path, text.encode())))

        name = f"tidings-diagnostics-{datetime.now(UTC):%Y-%m-%d}.txt"
        self._privacy.acts.choosers.file(window, _("Save the diagnostics"), name, chosen)

    def show_notice(self) -> None:
        """The company's information on the processing."""
        company = self._agent.status().company
        if company is not None:
            from ui.privacy.notice_window import NoticeWindow

            self._open.show(NoticeWindow, lambda: NoticeWindow(self._theme(), company))

    def tell(self, title: str, message: str, *, activate: bool = True) -> None:
        """One message, in place of the one before."""
        from ui.windowing.message_window import MessageWindow

        self._open.replace(
            MessageWindow, lambda: MessageWindow(self._theme(), title, message), activate=activate
        )

    # First run

    def _first_run(self, *, activate: bool) -> FirstRunWindow:
        from ui.onboarding.first_run import FirstRunWindow

        def make() -> FirstRunWindow:
            window = FirstRunWindow(self._theme())
            window.connect_requested.connect(self._enrol)
            window.chosen.connect(self._chosen_first)
            window.deferred.connect(lambda: self._act(self._agent.defer_choice))
            window.notice_requested.connect(lambda: self.show_notice())
            window.set_address(self._agent.status().server_url or self._agent.suggested_server())
            window.show_connect()
            return window

        return self._open.show(FirstRunWindow, make, resume=FirstRunWindow.resume, activate=activate)

    def _enrol(self, address: str, code: str) -> None:
        self._first_run(activate=True).show_progress()
        self._bridge.run_in_worker(
            lambda: self._agent.enrol(address, code),
            lambda _none: self._enrolled(),
            self._not_enrolled,
            "enrol",
        )

    def _enrolled(self) -> None:
        if not self._ask_what_to_share():
            self._close_first_run()

    def _not_enrolled(self, fault: errors.TidingsError) -> None:
        self._first_run(activate=False).show_error(fault.title, fault.message)

    def _ask_what_to_share(self) -> bool:
        """Show the question if it is due; without taking the keyboard where the person did not open it."""
        status = self._agent.status()
        connected = status.connection not in (ConnectionState.NOT_CONNECTED, ConnectionState.REVOKED)
        if not (connected and status.choose_now and status.person and status.company):
            return False
        window = self._first_run(activate=False)
        asked_by = window.asked_by
        is_asked = asked_by is not None and asked_by.tells_as(status.company)
        if not window.choose_page.isVisibleTo(window) or not is_asked:
            window.show_choose(status.person, status.company, self._agent.choices())
        return True

    def _chosen_first(self, choices: Mapping[FeedbackSignal, bool]) -> None:
        """Where the notice changed meanwhile, the agent still wants to be told, and the question comes again."""
        from ui.onboarding.first_run import FirstRunWindow

        window = self._open.find(FirstRunWindow)
        shown = window.asked_by if window is not None else None
        self._act(lambda: self._agent.choose(choices, shown=shown))
        self._close_first_run()
        self.settled.emit()

    def _close_first_run(self) -> None:
        from ui.onboarding.first_run import FirstRunWindow

        self._open.close(FirstRunWindow)

    # What the person does in them

    def _act(self, act: Callable[[], None]) -> None:
        try:
            act()
        except errors.TidingsError as error:
            log.error("%s: %s", type(error).__name__, error.detail)
            self.tell(error.title, error.message)

"""The preferences window at work: what the person chooses there is kept and takes effect at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimeZone

from agent.domain import errors
from agent.domain.preferences import DEFAULTS, Preferences
from ui.core.agent_port import Agent
from ui.desktop import autostart
from ui.style.theme import Theme
from ui.windowing.registry import OpenWindows

if TYPE_CHECKING:
    from ui.preferences.window import PreferencesWindow

log = logging.getLogger(__name__)


class PreferencesController(QObject):
    """``tell`` shows what went wrong, by title and message."""

    def __init__(
        self,
        agent: Agent,
        windows: OpenWindows,
        theme: Callable[[], Theme],
        tell: Callable[[str, str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._agent = agent
        self._windows = windows
        self._theme = theme
        self._tell = tell
        self._before: Preferences | None = None

    def show(self) -> None:
        from ui.preferences.window import PreferencesWindow

        def make() -> PreferencesWindow:
            window = PreferencesWindow(self._theme())
            window.changed.connect(lambda name, value: self._change(window, name, value))
            window.autostart_chosen.connect(lambda on: self._switch_autostart(window, on))
            window.restore_wanted.connect(lambda: self._restore(window))
            window.undo_wanted.connect(lambda: self._undo(window))
            return window

        self._windows.show(PreferencesWindow, make, fill=self._fill)

    def _fill(self, window: PreferencesWindow) -> None:
        kept = self._agent.preferences
        zone = QTimeZone.systemTimeZoneId().toStdString()
        window.show_state(kept.effective(), kept.locked(), autostart=autostart.is_on(), zone=zone)

    def _change(self, window: PreferencesWindow, name: str, value: object) -> None:
        window.offer_undo(False)
        self._act(window, lambda: self._agent.preferences.change({name: value}))

    def _restore(self, window: PreferencesWindow) -> None:
        self._before = self._agent.preferences.own()
        self._act(window, lambda: self._agent.preferences.keep(DEFAULTS))
        window.offer_undo(True)

    def _undo(self, window: PreferencesWindow) -> None:
        before, self._before = self._before, None
        if before is not None:
            self._act(window, lambda: self._agent.preferences.keep(before))
        window.offer_undo(False)

    def _switch_autostart(self, window: PreferencesWindow, on: bool) -> None:
        self._act(window, lambda: autostart.switch(on))

    def _act(self, window: PreferencesWindow, act: Callable[[], None]) -> None:
        """The window shows what holds afterwards, also when that could not be kept."""
        try:
            act()
        except errors.TidingsError as error:
            log.error("%s: %s", type(error).__name__, error.detail)
            self._tell(error.title, error.message)
        self._fill(window)

"""The windows around one open agent: who hears whom. Made once the agent is there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from agent.domain import errors
from agent.domain.model import Change, ConnectionState, PresenceState
from agent.domain.ports import Presence
from agent.domain.preferences import Appearance, Language
from agent.system.clock import SystemClock
from resources import i18n
from ui.app.window_manager import Windows
from ui.core import desktop_errors
from ui.core.agent_port import Agent
from ui.core.bridge import Bridge
from ui.core.recorder import Recorder
from ui.core.timers import QtTimers
from ui.desktop import autostart, browser, placement
from ui.desktop.presence.base import system_presence
from ui.desktop.reduced_motion import reduced_motion
from ui.player.controller import Playback
from ui.player.messages import Look
from ui.player.prestart import Nearby
from ui.popup import view_models
from ui.popup.hosts.window import PopupHost
from ui.popup.pages import PopupPage
from ui.popup.ports import Card, CardContent, DigestContent, PopupEvents
from ui.popup.presenter import Presenter
from ui.style.apply import apply_theme
from ui.style.theme import DEFAULT_ACCENT, Scheme, Theme
from ui.tray.menu import Tray

log = logging.getLogger(__name__)


class Session(QObject):
    """Connects the agent with tray, pop-ups, windows and player."""

    def __init__(
        self,
        application: QApplication,
        agent: Agent,
        bridge: Bridge,
        tray: Tray,
        *,
        presence: Presence | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._application = application
        self._agent = agent
        self._bridge = bridge
        self._tray = tray
        self._presence = presence or system_presence()
        self._clock = SystemClock()
        self._system_language = i18n.language()
        self._open = True
        if self._use_language():
            tray.retranslate()
        self._theme = self._make_theme()
        apply_theme(application, self._theme)
        recorder = Recorder(agent, self.tell)
        self._playback = Playback(
            agent,
            bridge,
            self.tell,
            look=self._player_look,
            follow=lambda campaign_id, link_id: recorder.follow_link(campaign_id, link_id, self.open_url),
            change=self.show_choices,
            timers=QtTimers(self),
        )
        self._windows = Windows(agent, bridge, self, lambda: self._theme, self)
        self._windows.video_shown.connect(self._video_shown)
        self._windows.settled.connect(lambda: tray.say_where_it_is())
        self._presenter = Presenter(agent, self._make_card, self, QtTimers(self), self._clock)
        self._unsubscribe = agent.subscribe(bridge.listen)
        bridge.changed.connect(self._changed)
        application.styleHints().colorSchemeChanged.connect(self._theme_may_differ)
        self._connect_tray()

    def begin(self, *, open_windows: bool) -> None:
        """Show the state, and ask what has to be asked."""
        self._changed(frozenset(Change))
        if open_windows and self._agent.status().connection is ConnectionState.NOT_CONNECTED:
            self._windows.show_first_run()

    def close(self) -> None:
        """Close every window and the player; hear nothing any more."""
        self._open = False
        self._unsubscribe()
        self._presenter.close()
        self._windows.close()
        self._playback.close()

    def show_inbox(self, campaign_id: str = "", *, activate: bool = True) -> None:
        self._windows.show_inbox(campaign_id, activate=activate)

    # What the presenter and the windows let others do

    def ask_presence(self, answer: Callable[[PresenceState], None]) -> None:
        self._bridge.run_in_worker(
            self._presence.current, answer, lambda _error: answer(PresenceState()), "presence"
        )

    def open_url(self, url: str) -> bool:
        if browser.open_url(url):
            return True
        self.tell(desktop_errors.BrowserUnavailable("no browser was started"))
        return False

    def play(self, campaign_id: str) -> None:
        self._playback.play(campaign_id)

    def show_choices(self) -> None:
        self._windows.show_choices()

    def tell(self, fault: errors.TidingsError, *, quietly: bool = False) -> None:
        self._windows.tell(fault.title, fault.message, activate=not quietly)

    # Changes

    def _changed(self, changes: frozenset[Change]) -> None:
        if not self._open:
            return
        if self._use_language():
            self._tray.retranslate()
            self._windows.retranslate()
            self._presenter.retranslate()
        self._tray.update_status(self._agent.status())
        self._theme_may_differ()
        self._presenter.refresh()
        self._windows.refresh(changes)
        self._playback.refresh()

    def _video_shown(self, play: QWidget) -> None:
        Nearby(self._playback, play.isVisible, play)

    def _make_card(self, events: PopupEvents, emergency: bool) -> Card:
        if emergency:
            return self._make_emergency(events)
        if not placement.places_windows():
            return self._make_notification(events)
        host = PopupHost(events, self._make_page, self._theme, self._agent.preferences.effective(), self)
        Nearby(self._playback, host.card.watch.isVisible, host.card)
        return host

    def _make_emergency(self, events: PopupEvents) -> Card:
        from ui.popup.hosts.emergency import EmergencyHost

        sound = self._agent.preferences.effective().sound
        return EmergencyHost(events, self._make_page, self._theme, self, sound=sound)

    def _make_notification(self, events: PopupEvents) -> Card:
        from ui.popup.hosts.notification import NotificationHost

        return NotificationHost(
            events,
            QtTimers(self),
            self._bridge.post,
            open_inbox=self._windows.show_inbox,
            show_quietly=lambda: self._windows.show_inbox(activate=False),
        )

    def _make_page(self, content: CardContent | DigestContent) -> PopupPage:
        if isinstance(content, DigestContent):
            company, choices = self._agent.status().company, self._agent.choices()
            return view_models.digest_page(
                content, company, choices, self._agent.media_path, self._clock.now()
            )
        return view_models.popup_page(
            content,
            self._agent.status().company,
            self._agent.choices(),
            self._agent.media_path,
            self._clock.now(),
        )

    def _make_theme(self) -> Theme:
        company = self._agent.status().company
        chosen = self._agent.preferences.effective()
        theme = Theme.chosen(
            None if chosen.appearance is Appearance.SYSTEM else Scheme(chosen.appearance),
            chosen.text_size / 100,
            company.accent if company is not None else DEFAULT_ACCENT,
        )
        return replace(theme, reduced_motion=theme.reduced_motion or reduced_motion())

    def _use_language(self) -> bool:
        """The person's, or the system's as it was at the start. Whether it is another one than before."""
        chosen = self._agent.preferences.effective().language
        wanted = self._system_language if chosen is Language.SYSTEM else chosen.value
        if wanted == i18n.language():
            return False
        i18n.use_language(wanted)
        return True

    def _theme_may_differ(self, _scheme: object = None) -> None:
        theme = self._make_theme()
        if theme != self._theme:
            self._theme = theme
            apply_theme(self._application, theme)
            self._playback.refresh()

    def _player_look(self) -> Look:
        company = self._agent.status().company
        return Look(
            i18n.language(),
            self._theme.scheme,
            company.accent if company is not None else DEFAULT_ACCENT,
            self._theme.text_scale,
            self._theme.reduced_motion,
        )

    # The tray's menu

    def _connect_tray(self) -> None:
        tray = self._tray
        tray.menu_opening.connect(self._menu_opens)
        tray.pause_chosen.connect(self._pause)
        tray.privacy.connect(lambda: self._windows.show_choices())
        tray.preferences.connect(lambda: self._windows.show_preferences())
        tray.check_now.connect(lambda: self._agent.check_now())
        tray.connect_wanted.connect(lambda: self._windows.show_first_run())
        tray.trouble_clicked.connect(self._tell_trouble)
        tray.autostart_chosen.connect(self._switch_autostart)
        tray.about.connect(lambda: self._windows.show_about())

    def _menu_opens(self) -> None:
        self._tray.update_status(self._agent.status())
        self._tray.set_autostart(autostart.is_on())

    def _pause(self, seconds: float | None) -> None:
        try:
            self._agent.pause(seconds)
        except errors.TidingsError as error:
            self.tell(error)

    def _tell_trouble(self, code: str) -> None:
        for trouble in self._agent.status().troubles:
            if trouble.code == code:
                self._windows.tell(trouble.title, trouble.message)

    def _switch_autostart(self, on: bool) -> None:
        try:
            autostart.switch(on)
        except errors.TidingsError as error:
            self.tell(error)
        self._tray.set_autostart(autostart.is_on())

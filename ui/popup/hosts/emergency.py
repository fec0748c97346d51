"""Puts an emergency on every screen for the presenter, and takes it away again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QGuiApplication, QScreen, QWindow
from PySide6.QtWidgets import QApplication

from ui.core.timers import Call, QtTimers, Timers
from ui.desktop import placement
from ui.desktop.keyboard import Borrowed
from ui.popup.pages import PopupPage
from ui.popup.ports import CardContent, DigestContent, PopupEvents
from ui.popup.widgets.emergency import EmergencyCover, SideCover
from ui.style.theme import Theme

SETTLED_AFTER_MS = 50
"""One change of the screens is told in several pieces."""
_SHOWS_OR_HIDES = {QEvent.Type.Expose, QEvent.Type.Hide, QEvent.Type.Show}


class EmergencyHost(QObject):
    """One emergency after the other, until the last is closed. Screens may come and go meanwhile."""

    def __init__(
        self,
        events: PopupEvents,
        make_page: Callable[[CardContent | DigestContent], PopupPage],
        theme: Theme,
        parent: QObject | None = None,
        timers: Timers | None = None,
        *,
        sound: bool = False,
    ) -> None:
        super().__init__(parent)
        self._events = events
        self._make_page = make_page
        self._theme = theme
        self._sound = sound
        self._bypass = QGuiApplication.platformName() == "xcb"
        self._full_screen = not placement.places_windows()
        self._campaign_id = ""
        self._page: PopupPage | None = None
        self._watched: list[QScreen] = []
        self.sides: list[SideCover] = []
        self._timers = timers or QtTimers(self)
        self._settling: Call | None = None
        self._follows_keyboard = True
        self.cover = EmergencyCover(theme, self._timers, bypass=self._bypass)
        self.cover.guard.ready.connect(self._take_keyboard)
        self._keyboard: Borrowed | None = None
        self._connect(events)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.screenAdded.connect(self._screens_changed)
        application.screenRemoved.connect(self._screens_changed)
        application.primaryScreenChanged.connect(self._screens_changed)
        if self._full_screen:
            application.focusWindowChanged.connect(self._keyboard_went)

    def show(self, content: CardContent | DigestContent) -> None:
        page = self._make_page(content)
        if self._page is not None and page == replace(self._page, received=page.received):
            return
        assert isinstance(content, CardContent), "a digest is never an emergency"
        campaign_id = content.item.campaign.campaign_id
        anew, self._campaign_id, self._page = campaign_id != self._campaign_id, campaign_id, page
        if self._watched:
            self.cover.show_page(page, anew=anew)
            for side in self.sides:
                side.show_title(page.marked_title)
            return
        self._appear(page)

    def look(self) -> None:
        """It covers every screen, and stands above all else."""

    def close(self) -> None:
        self._watch([])
        if self._settling is not None:
            self._settling.cancel()
        window = self.cover.windowHandle()
        if window is not None:
            window.removeEventFilter(self)
        self.cover.guard.stop()
        if self._keyboard is not None and self.cover.isActiveWindow():
            self._keyboard.give_back()
        for cover in (self.cover, *self.sides):
            cover.hide()
            cover.deleteLater()
        self.deleteLater()

    def _connect(self, events: PopupEvents) -> None:
        cover = self.cover
        cover.link_clicked.connect(events.follow)
        cover.watch_clicked.connect(lambda: events.watch())
        cover.like_toggled.connect(events.like)
        cover.acknowledged.connect(lambda: events.acknowledge())
        cover.dismissed.connect(lambda: events.dismiss())

    def _appear(self, page: PopupPage) -> None:
        self.cover.winId()
        self.cover.windowHandle().installEventFilter(self)
        self._screen = placement.active_screen()
        self._watch(QGuiApplication.screens())
        self.cover.setScreen(self._screen)
        self.cover.setGeometry(self._screen.geometry())
        self.cover.show_page(page, anew=True)
        self._cover_all(page.marked_title)
        if self._sound:
            QApplication.beep()

    def _take_keyboard(self) -> None:
        if self._keyboard is None:
            self._keyboard = Borrowed()
        self.cover.take_keyboard()

    def _watch(self, screens: list[QScreen]) -> None:
        """Hear when one of these gets another size, and no longer of those before."""
        there = QGuiApplication.screens()
        for screen in self._watched:
            if screen in there:
                screen.geometryChanged.disconnect(self._screens_changed)
        self._watched = screens
        for screen in screens:
            screen.geometryChanged.connect(self._screens_changed)

    def _screens_changed(self, _value: object = None) -> None:
        """One came, went, or has another size: cover them all again, once all of it was told."""
        if not self._watched:
            return
        self._watch_those_there()
        if self._settling is None:
            self._settling = self._timers.after(SETTLED_AFTER_MS, self._settle)

    def _settle(self) -> None:
        """Coming anew it would come above a screen that was locked meanwhile."""
        self._settling = None
        self._events.after_a_look(self._cover_again)

    def _watch_those_there(self) -> None:
        self._watch(QGuiApplication.screens())
        if self._screen not in self._watched:
            self._screen = QGuiApplication.primaryScreen()

    def _cover_again(self) -> None:
        """The look took a while: a screen may have gone that nobody told of yet."""
        if self._watched and self._page is not None:
            self._watch_those_there()
            self._cover_all(self._page.marked_title)

    def _cover_all(self, title: str) -> None:
        """The announcement comes last: a compositor that gives the keyboard to a new window gives it to this one."""
        for side in self.sides:
            side.hide()
            side.deleteLater()
        self.sides = []
        for screen in self._watched:
            if screen is not self._screen:
                side = SideCover(self._theme, title, bypass=self._bypass)
                side.setScreen(screen)
                side.cover(screen.geometry(), full_screen=self._full_screen)
                self.sides.append(side)
        self.cover.setScreen(self._screen)
        self.cover.cover(self._screen.geometry(), full_screen=self._full_screen)

    def _keyboard_went(self, window: QWindow | None) -> None:
        """Under Wayland the compositor alone says where keys go. What they are for follows, once until it has them."""
        if window is not None and window == self.cover.windowHandle():
            self._follows_keyboard = True
        for side in self.sides:
            if window is not None and window == side.windowHandle() and self._follows_keyboard:
                self._follows_keyboard = False
                self._screen = side.screen()
                self._screens_changed()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _SHOWS_OR_HIDES and isinstance(watched, QWindow):
            self._events.visible(watched.isExposed() and event.type() is not QEvent.Type.Hide)
        return False

"""Puts the pop-up card on the screen for the presenter: pages, place, and whether it can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QMargins, QObject, QPoint
from PySide6.QtGui import QGuiApplication, QScreen, QWindow
from PySide6.QtWidgets import QApplication

from agent.domain.preferences import DEFAULTS, Preferences
from ui.core.timers import Timers
from ui.desktop import coverage, placement, taskbar
from ui.popup.pages import PopupPage
from ui.popup.ports import CardContent, DigestContent, PopupEvents
from ui.popup.widgets.card import PopupCard
from ui.style.theme import Theme

_SHOWS_OR_HIDES = {QEvent.Type.Expose, QEvent.Type.Hide, QEvent.Type.Show}


class PopupHost(QObject):
    """One pop-up, from its first page to its end."""

    def __init__(
        self,
        events: PopupEvents,
        make_page: Callable[[CardContent | DigestContent], PopupPage],
        theme: Theme,
        preferences: Preferences = DEFAULTS,
        parent: QObject | None = None,
        timers: Timers | None = None,
    ) -> None:
        super().__init__(parent)
        self._events = events
        self._make_page = make_page
        self._preferences = preferences
        self._page: PopupPage | None = None
        self._screen: QScreen | None = None
        self._is_exposed = False
        self.card = PopupCard(theme, timers=timers)
        self._connect(events)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.screenRemoved.connect(self._screen_changed)
        application.primaryScreenChanged.connect(self._screen_changed)

    def show(self, content: CardContent | DigestContent) -> None:
        page = self._make_page(content)
        if self._page is not None and page == replace(self._page, received=page.received):
            return
        self._page = page
        self.card.show_page(page)
        if not self.card.isVisible():
            self._appear()

    def close(self) -> None:
        self._watch(None)
        window = self.card.windowHandle()
        if window is not None:
            window.removeEventFilter(self)
        self.card.hide()
        self.card.deleteLater()
        self.deleteLater()

    def _connect(self, events: PopupEvents) -> None:
        card = self.card
        card.link_clicked.connect(events.follow)
        card.watch_clicked.connect(lambda: events.watch())
        card.like_toggled.connect(events.like)
        card.acknowledged.connect(lambda: events.acknowledge())
        card.later_chosen.connect(events.later)
        card.dismissed.connect(lambda: events.dismiss())
        card.change_clicked.connect(lambda: events.change())
        card.inbox_wanted.connect(events.open_inbox)
        card.previous.connect(lambda: events.turn(-1))
        card.next.connect(lambda: events.turn(1))
        card.hover_changed.connect(events.hovered)
        card.resized.connect(self._stand_right)

    # Place

    def _appear(self) -> None:
        screen = placement.popup_screen(self._preferences.screen)
        self.card.setScreen(screen)
        self.card.fit()
        self.card.winId()
        window = self.card.windowHandle()
        window.installEventFilter(self)
        taskbar.leave_out(window)
        self._watch(screen)
        self.card.appear(self._corner(screen))
        if self._preferences.sound:
            QApplication.beep()

    def _corner(self, screen: QScreen) -> QPoint:
        """The card itself stands in the corner; its shadow may lie outside."""
        shadow = self.card.shadow_margin
        body = self.card.size().shrunkBy(QMargins(shadow, shadow, shadow, shadow))
        place = placement.in_corner(
            self._preferences.corner, body, screen.availableGeometry(), placement.MARGIN
        )
        return place - QPoint(shadow, shadow)

    def _watch(self, screen: QScreen | None) -> None:
        """Follow the free part of this screen, and no longer that of the one before."""
        if self._screen is not None:
            self._screen.availableGeometryChanged.disconnect(self._screen_changed)
        self._screen = screen
        if screen is not None:
            screen.availableGeometryChanged.connect(self._screen_changed)

    def _screen_changed(self, _value: object = None) -> None:
        """A panel or a resolution changed, or a screen was taken away: stand right again."""
        screens = QGuiApplication.screens()
        if self._screen not in screens:
            self._screen = None
            self._watch(placement.popup_screen(self._preferences.screen))
        self.card.fit()
        self._stand_right()

    def _stand_right(self) -> None:
        if self._screen is not None and self.card.isVisible():
            self.card.move(self._corner(self._screen))

    # Visibility

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _SHOWS_OR_HIDES and isinstance(watched, QWindow):
            self._is_exposed = watched.isExposed() and event.type() is not QEvent.Type.Hide
            self._events.visible(self._is_exposed)
        return False

    def look(self) -> None:
        if self._is_exposed and QGuiApplication.platformName() == "xcb":
            margin = round(self.card.shadow_margin * self.card.devicePixelRatioF())
            self._events.visible(coverage.is_open(int(self.card.winId()), margin))

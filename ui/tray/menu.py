"""The icon in the tray and its menu. Gets the status and tells what was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from agent.domain import limits
from agent.domain.model import ConnectionState, Status
from resources.i18n import _, ngettext
from ui.style import text_format
from ui.style.app_icon import PREFERENCES_KEYS, TrayState, tray_icon

_AWAY = (ConnectionState.OFFLINE, ConnectionState.HALTED)
_CHECKED = (ConnectionState.CONNECTED, *_AWAY)
"""When it says how long ago the last check was."""
NOT_READY = Status(ConnectionState.CONNECTING)
"""Before the agent has opened its store."""


class Tray(QObject):
    """Shown by ``show``, told the state by ``update_status``. The menu asks for the newest state whenever it opens."""

    open_inbox = Signal()
    pause_chosen = Signal(object)
    """Seconds, or None to go on."""
    privacy = Signal()
    preferences = Signal()
    check_now = Signal()
    connect_wanted = Signal()
    trouble_clicked = Signal(str)
    """The code of the trouble."""
    autostart_chosen = Signal(bool)
    about = Signal()
    quit_wanted = Signal()
    menu_opening = Signal()

    def __init__(
        self, now: Callable[[], datetime] = lambda: datetime.now(UTC), parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._now = now
        self._status: Status | None = None
        self._shown: tuple[TrayState, int] | None = None
        self.menu = QMenu()
        self.icon = QSystemTrayIcon(self)
        self._make_menu()
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        self.menu.aboutToShow.connect(self._menu_opens)
        self.update_status(NOT_READY)

    def show(self) -> None:
        self.icon.show()

    def close(self) -> None:
        self.icon.hide()

    def retranslate(self) -> None:
        """The language is another one: make the menu again."""
        self.menu.clear()
        self._make_menu()
        status, self._status = self._status or NOT_READY, None
        self.update_status(status)

    def set_autostart(self, on: bool) -> None:
        """What the menu's tick says."""
        self.autostart.setChecked(on)

    def say_where_it_is(self) -> None:
        """The last window closed for the first time: a notice of the system's own kind, from the icon."""
        if QSystemTrayIcon.isSystemTrayAvailable():
            message = _("This icon opens the inbox. Its menu holds what you share, a pause, and more.")
            self.icon.showMessage(_("Tidings is ready"), message, self.icon.icon())

    def update_status(self, status: Status) -> None:
        """Show this state in icon, tooltip and menu."""
        if status != self._status:
            self._status = status
            self._update_icon(status)
            self._update_menu(status)
        self.state.setText(self._state_line(status))

    # Icon

    def _update_icon(self, status: Status) -> None:
        shown = (tray_state(status), min(status.unread, 10))
        if shown != self._shown:
            self._shown = shown
            self.icon.setIcon(tray_icon(*shown))
        self.icon.setToolTip("\n".join(["Tidings", *self._tooltip(status)]))

    def _tooltip(self, status: Status) -> list[str]:
        lines = [state_name(status)]
        if status.connection in _AWAY:
            if status.last_check is not None:
                moment = text_format.full_time(status.last_check)
                lines.append(_("Last contact: {moment}").format(moment=moment))
            if status.paused_until is not None:
                lines.append(paused_text(status.paused_until))
        if status.unread:
            lines.append(
                ngettext("{count} new announcement", "{count} new announcements", status.unread).format(
                    count=status.unread
                )
            )
        return lines + [trouble.title for trouble in status.troubles]

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        # A double click tells Trigger as well, so it gets no action of its own. On macOS any click opens the menu.
        if reason is QSystemTrayIcon.ActivationReason.Trigger and sys.platform != "darwin":
            self.open_inbox.emit()

    # Menu

    def _make_menu(self) -> None:
        self.state = self._action("", None)
        self.state.setEnabled(False)
        self._after_troubles = self.menu.addSeparator()
        self._troubles: list[QAction] = []
        self.connect_action = self._action(_("Connect…"), self.connect_wanted.emit)
        self.inbox = self._action("", self.open_inbox.emit)
        self._make_pause_menu()
        self.privacy_action = self._action(_("Privacy: what I share…"), self.privacy.emit)
        self.preferences_action = self._action(_("Preferences…"), self.preferences.emit)
        self.preferences_action.setShortcut(PREFERENCES_KEYS)
        self.check = self._action(_("Check now"), self.check_now.emit)
        self.menu.addSeparator()
        self.autostart = self._action(_("Start at login"), None)
        self.autostart.setCheckable(True)
        self.autostart.triggered.connect(self.autostart_chosen)
        self._action(_("About"), self.about.emit)
        self.quit = self._action(_("Quit"), self.quit_wanted.emit)
        self.quit.setShortcut(QKeySequence(Qt.Modifier.CTRL | Qt.Key.Key_Q))

    def _make_pause_menu(self) -> None:
        self.pause = self.menu.addMenu(_("Pause pop-ups"))
        self.resume = QAction(_("Resume now"), self)
        self.resume.triggered.connect(lambda: self.pause_chosen.emit(None))
        self.pause.addAction(self.resume)
        for seconds in limits.PAUSE_CHOICES_S:
            self._pause_action(_pause_text(seconds), lambda seconds=seconds: float(seconds))  # type: ignore[misc]
        self._pause_action(_("Until tomorrow"), lambda: text_format.seconds_until_tomorrow(self._now()))

    def _pause_action(self, text: str, seconds: Callable[[], float]) -> None:
        action = QAction(text, self)
        action.triggered.connect(lambda: self.pause_chosen.emit(seconds()))
        self.pause.addAction(action)

    def _action(self, text: str, tell: Callable[[], None] | None) -> QAction:
        action = QAction(text, self)
        if tell is not None:
            action.triggered.connect(lambda: tell())
        self.menu.addAction(action)
        return action

    def _menu_opens(self) -> None:
        self.menu_opening.emit()
        for menu in (self.menu, self.pause):
            menu.setFont(QApplication.font())  # A desktop's own font for menus is not in the person's size.
        if self._status is not None:
            self.state.setText(self._state_line(self._status))

    def _update_menu(self, status: Status) -> None:
        connected = status.connection not in (ConnectionState.NOT_CONNECTED, ConnectionState.REVOKED)
        ready = status is not NOT_READY
        new = ngettext("{count} new", "{count} new", status.unread).format(count=status.unread)
        self.inbox.setText(_("Open inbox") + (f" ({new})" if status.unread else ""))
        self.connect_action.setVisible(not connected)
        self.pause.menuAction().setVisible(connected)
        self.resume.setVisible(status.paused_until is not None)
        self.check.setVisible(connected)
        self.privacy_action.setVisible(connected)
        needing_agent = (self.privacy_action, self.preferences_action, self.check)
        for action in (self.inbox, self.pause.menuAction(), *needing_agent):
            action.setEnabled(ready)
        self._update_troubles(status)

    def _update_troubles(self, status: Status) -> None:
        for action in self._troubles:
            self.menu.removeAction(action)
            action.deleteLater()
        self._troubles = []
        for trouble in status.troubles:
            action = QAction(f"⚠ {trouble.title}", self)
            action.triggered.connect(
                lambda _checked=False, code=trouble.code: self.trouble_clicked.emit(code)
            )
            self.menu.insertAction(self._after_troubles, action)
            self._troubles.append(action)

    def _state_line(self, status: Status) -> str:
        line = state_name(status)
        if status.connection in _CHECKED and status.last_check is not None:
            line = f"{line} · {checked_text(status.last_check, self._now())}"
        if status.connection in _AWAY and status.paused_until is not None:
            line = f"{line} · {paused_text(status.paused_until)}"
        return line


def tray_state(status: Status) -> TrayState:
    """Which icon stands for a status."""
    if status.connection in (ConnectionState.NOT_CONNECTED, ConnectionState.REVOKED):
        return TrayState.NOT_CONNECTED
    if status.connection in _AWAY:
        return TrayState.OFFLINE
    return TrayState.PAUSED if status.paused_until is not None else TrayState.CONNECTED


def state_name(status: Status) -> str:
    """The state in words."""
    if status.connection is ConnectionState.CONNECTED and status.paused_until is not None:
        return paused_text(status.paused_until)
    return {
        ConnectionState.NOT_CONNECTED: _("Not connected to a company"),
        ConnectionState.CONNECTING: _("Connecting…"),
        ConnectionState.CONNECTED: _("Connected"),
        ConnectionState.OFFLINE: _("Offline"),
        ConnectionState.HALTED: _("Nothing is received"),
        ConnectionState.REVOKED: _("No longer connected"),
    }[status.connection]


def paused_text(until: datetime) -> str:
    """Until when nothing appears."""
    return _("Pop-ups paused until {moment}").format(moment=f"{until.astimezone():%H:%M}")


def checked_text(last_check: datetime, now: datetime) -> str:
    """How long ago the last check was."""
    seconds = round((now - last_check).total_seconds())
    if seconds < -limits.CLOCK_JUMP_S:  # a clock that was set back: nobody knows how long ago
        return _("checked {moment}").format(moment=text_format.full_time(last_check))
    seconds = max(seconds, 0)
    if seconds < 60:
        return _("checked {count} s ago").format(count=seconds)
    if seconds < 3_600:
        return _("checked {count} min ago").format(count=seconds // 60)
    return _("checked {moment}").format(moment=text_format.full_time(last_check))


def _pause_text(seconds: int) -> str:
    if seconds < 3_600:
        return ngettext("For {count} minute", "For {count} minutes", seconds // 60).format(
            count=seconds // 60
        )
    return ngettext("For {count} hour", "For {count} hours", seconds // 3_600).format(count=seconds // 3_600)

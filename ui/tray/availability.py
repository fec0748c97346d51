"""Waits for a tray: panels start late, and some desktops have none."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QSystemTrayIcon

from ui.core.timers import QtTimers, Timers

log = logging.getLogger(__name__)

RETRY_AFTER_MS = (1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000)
"""Then no more often than the last: a panel that starts after an hour is still found."""
MISSING_AFTER_MS = 10_000


class TrayWatch(QObject):
    """Calls ``show`` until there is a tray. ``missing`` is told once, when there was none for a while."""

    missing = Signal()

    def __init__(
        self,
        show: Callable[[], None],
        parent: QObject | None = None,
        *,
        timers: Timers | None = None,
        available: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        super().__init__(parent)
        self._show = show
        self._timers = timers or QtTimers(self)
        self._available = available
        self._tries = 0
        self._waited_ms = 0
        self._told = False

    def start(self) -> None:
        """Show the icon, at once if it can be."""
        self._show()
        if self._available():
            log.info("The tray icon is shown.")
            return
        if self._waited_ms >= MISSING_AFTER_MS and not self._told:
            self._told = True
            log.info("This desktop has no tray: a window opens instead.")
            self.missing.emit()
        delay = RETRY_AFTER_MS[min(self._tries, len(RETRY_AFTER_MS) - 1)]
        self._tries += 1
        self._waited_ms += delay
        self._timers.after(delay, self.start)

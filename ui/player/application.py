"""The player process: one request from standard input, a window, events to standard output. Ends with its parent."""

from __future__ import annotations

import logging
import os
import sys
import threading

import msgspec
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from agent import logs
from resources import i18n
from ui import diagnostics
from ui.player import messages
from ui.player.messages import Event, PlayerEvent
from ui.player.window import PlayerWindow
from ui.theme import Scheme, Theme, apply_theme

log = logging.getLogger(__name__)

WRONG_USAGE = 2


def run() -> int:
    """Play one video. Returns the exit code."""
    logs.set_up("warning", None)
    diagnostics.install()
    try:
        request = messages.read_request(_read_line())
    except msgspec.DecodeError as error:
        log.error("No request that can be understood: %s", error)
        return WRONG_USAGE
    i18n.use_language(request.language)
    application = QApplication([sys.argv[0]])
    application.setApplicationName("tidings")
    application.setApplicationDisplayName("Tidings")
    application.setDesktopFileName("tidings")
    theme = Theme.of(Scheme.HIGH_CONTRAST if request.high_contrast else Scheme.DARK, request.accent)
    apply_theme(application, theme)
    window = PlayerWindow(request, theme)
    parent = ParentWatch()
    window.told.connect(parent.tell)
    parent.gone.connect(window.close, Qt.ConnectionType.QueuedConnection)
    window.begin()
    return application.exec()


def _read_line() -> bytes:
    """Up to the first newline; unbuffered, so that the rest is left for ``ParentWatch``."""
    line = b""
    while len(line) < messages.MAX_LINE_BYTES:
        byte = os.read(0, 1)
        if byte in (b"", b"\n"):
            break
        line += byte
    return line


class ParentWatch(QObject):
    """The agent at the other end: told what happens, and watched. When its end of standard input closes, it has gone."""

    gone = Signal()

    def __init__(self) -> None:
        super().__init__()
        threading.Thread(target=self._wait, name="parent", daemon=True).start()

    def tell(self, event: Event, detail: str) -> None:
        """Write one event."""
        try:
            os.write(1, messages.line(PlayerEvent(event, detail)))
        except OSError:
            self.gone.emit()

    def _wait(self) -> None:
        while True:
            try:
                if not os.read(0, 1024):
                    break
            except OSError:
                break
        self.gone.emit()

"""The player process: orders from standard input, one window, events to standard output. Ends with its parent.

Started ahead, it loads what a decoder needs and waits without a window, so that the video begins as soon as it is wanted.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from agent.system import log_setup
from resources import i18n
from ui.core import qt_logging
from ui.player import messages
from ui.player.messages import Event, Look, PlayerEvent, PlayRequest, Told
from ui.player.window import PlayerWindow
from ui.style.apply import apply_theme
from ui.style.theme import Scheme, Theme

if TYPE_CHECKING:
    from ui.player.media_player import MediaPlayer

log = logging.getLogger(__name__)

WRONG_USAGE = 2
LOAD_AFTER_MS = 30
"""An order to play that comes right behind the first look is served first: its window shows the poster meanwhile."""


def run() -> int:
    """Play one video. Returns the exit code."""
    log_setup.set_up("warning", None)
    qt_logging.install()
    application = QApplication([sys.argv[0]])
    application.setApplicationName("tidings")
    application.setApplicationDisplayName("Tidings")
    application.setDesktopFileName("tidings")
    application.setQuitOnLastWindowClosed(False)
    player = Player(application)
    application.exec()
    player.close()
    return player.code


class Player(QObject):
    """Obeys the agent."""

    def __init__(self, application: QApplication) -> None:
        super().__init__()
        self.code = 0
        self._application = application
        self._theme = Theme.of(Scheme.DARK)
        self._window: PlayerWindow | None = None
        self._video: MediaPlayer | None = None
        self._agent = AgentLine()
        self._agent.ordered.connect(self._obey)
        self._agent.gone.connect(self._leave)
        self._agent.listen()

    def close(self) -> None:
        """Let go of the decoder before Qt goes."""
        if self._video is not None:
            self._video.stop()
        self._window = self._video = None

    def _obey(self, text: bytes) -> None:
        try:
            order = messages.read_order(text)
        except msgspec.DecodeError as error:
            log.error("No order that can be understood: %s", error)
            self.code = WRONG_USAGE
            self._application.quit()
            return
        if isinstance(order, Look):
            self._look(order)
        elif isinstance(order, PlayRequest):
            self._play(order)
        else:
            self._hear(order)

    def _look(self, look: Look) -> None:
        known = look.scheme in set(Scheme)
        self._theme = Theme.of(
            Scheme(look.scheme) if known else Scheme.DARK,
            look.accent,
            text_scale=look.text_scale,
            reduced_motion=look.reduced_motion,
        )
        i18n.use_language(look.language)
        apply_theme(self._application, self._theme)
        QTimer.singleShot(LOAD_AFTER_MS, self._load)

    def _load(self) -> None:
        if self._video is None and self._window is None:
            from ui.player.media_player import MediaPlayer

            self._video = MediaPlayer(self)

    def _play(self, request: PlayRequest) -> None:
        if self._window is not None:
            log.error("A second video was ordered.")
            return
        self._window = PlayerWindow(request, self._theme, self._video)
        self._window.told.connect(self._tell)
        self._window.begin()

    def _hear(self, told: Told) -> None:
        if self._window is not None:
            self._window.hear(told)

    def _tell(self, event: Event, detail: str) -> None:
        self._agent.tell(event, detail)
        if event is Event.CLOSED:
            self._application.quit()

    def _leave(self) -> None:
        if self._window is not None:
            self._window.close()
        self._application.quit()


class AgentLine(QObject):
    """The agent at the other end of standard input and output. When its end closes, it has gone."""

    ordered = Signal(bytes)
    gone = Signal()

    def listen(self) -> None:
        """From now on, on a thread; what is heard is told on the main one."""
        threading.Thread(target=self._listen, name="agent", daemon=True).start()

    def tell(self, event: Event, detail: str) -> None:
        """Write one event."""
        try:
            os.write(1, messages.line(PlayerEvent(event, detail)))
        except OSError:
            self.gone.emit()

    def _listen(self) -> None:
        try:
            with os.fdopen(0, "rb", closefd=False) as orders:
                while text := orders.readline(messages.MAX_LINE_BYTES):
                    self.ordered.emit(text)
        except OSError as error:
            log.debug("Standard input: %s", error)
        self.gone.emit()

"""One agent for each user: the first holds a lock; a second start asks it to show its inbox, and ends."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

import msgspec
from PySide6.QtCore import QObject, Qt, Signal

from agent.domain import errors
from agent.ipc import calls, channel, running_instance
from agent.system.dirs import Folders

log = logging.getLogger(__name__)

SHOWN_WITHIN_S = 2.0
"""How long the event loop may take to hear that somebody wants the inbox."""
READY_WITHIN_S = 2.0
PATIENCE_S = 10.0
"""For an agent that holds the lock and does not listen yet: it starts, perhaps on a computer that is busy at login."""
ASK_AGAIN_S = 0.2


class InboxRequests(QObject):
    """Tells the main thread that a second start wants the inbox."""

    received = Signal()
    _asked = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    def ask(self) -> None:
        """Called on any other thread. Raises AlreadyRunning where the event loop does not hear it: nothing would show."""
        heard = threading.Event()
        self._asked.emit(heard)
        if not heard.wait(SHOWN_WITHIN_S):
            raise errors.AlreadyRunning("its windows do not answer")

    def _hear(self, heard: threading.Event) -> None:
        heard.set()
        self.received.emit()


def display() -> str:
    """The display that the windows of this process are on, by its environment; empty for none."""
    if sys.platform == "win32":
        return os.environ.get("SESSIONNAME", "Console")
    if sys.platform == "darwin":
        return "Aqua"
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "").removesuffix(".0")


def ask_to_show(folders: Folders, *, patience_s: float = PATIENCE_S) -> bool:
    """Ask the running agent to show its inbox, for as long as ``patience_s`` seconds. Returns whether it does."""
    question = msgspec.json.encode(
        calls.Call(calls.SHOW_INBOX, data=running_instance.data_mark(folders.data))
    )
    deadline = time.monotonic() + patience_s
    while True:
        try:
            calls.result(channel.ask_agent(folders, question, READY_WITHIN_S))
        except errors.AlreadyRunning as fault:
            log.info("The running agent: %s", fault.detail)
        except errors.TidingsError as fault:
            log.info("The running agent does not show its inbox: %s", fault.detail)
            return False
        else:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(ASK_AGAIN_S)

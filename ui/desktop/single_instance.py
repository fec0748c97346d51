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
from agent.domain.msgspec_warmup import decode_json
from agent.ipc import calls, channel, running_instance
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders

log = logging.getLogger(__name__)

SHOWN_WITHIN_S = 2.0
"""How long the event loop may take to hear that somebody wants the inbox; then it is asked again."""
READY_WITHIN_S = 2.0
PATIENCE_S = 10.0
"""For an agent that holds the lock and takes no questions: it starts, perhaps on a busy computer, or it ends."""
ASK_AGAIN_S = 0.2


class InboxRequests(QObject):
    """Tells the main thread that a second start wants the inbox."""

    received = Signal()
    _asked = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    def ask(self) -> bool:
        """Called on any other thread. Returns whether the event loop heard it; else it never will."""
        heard, claim = threading.Event(), threading.Lock()
        self._asked.emit(heard, claim)
        return heard.wait(SHOWN_WITHIN_S) or not claim.acquire(blocking=False)

    def _hear(self, heard: threading.Event, claim: threading.Lock) -> None:
        if claim.acquire(blocking=False):  # who asked has not given up
            heard.set()
            self.received.emit()


def lock_or_show(folders: Folders, *, show: bool) -> InstanceLock | None:
    """The lock of the first agent, also of one that takes the place of another which ends just now.

    Args:
        folders: whose `data` it is about.
        show: whether to ask the agent that runs, if it is on this display, to show its inbox.

    Returns:
        None where the agent that runs does show it.

    Raises:
        AlreadyRunning: another one runs and goes on.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return InstanceLock(folders, display())
        except errors.AlreadyRunning as fault:
            if _goes_on(folders, show=show, fault=fault):
                return None
            if time.monotonic() > deadline:
                raise
        time.sleep(ASK_AGAIN_S)


def _goes_on(folders: Folders, *, show: bool, fault: errors.AlreadyRunning) -> bool:
    """Whether the running agent shows its inbox. Raises `fault` where it will not, False where it takes no questions."""
    place = running_instance.read(folders.data)
    if place is not None and place.is_elsewhere:
        raise fault
    if show and (place is None or place.display == display()):
        shows = _shows(folders)
        if shows is None:
            raise fault
        return shows
    if channel.is_answering(folders, READY_WITHIN_S):
        raise fault
    return False


def _shows(folders: Folders) -> bool | None:
    """Whether the running agent shows its inbox now, as it was asked to; None where it has no windows."""
    question = msgspec.json.encode(
        calls.Call(calls.SHOW_INBOX, data=running_instance.data_mark(folders.data))
    )
    try:
        answer = calls.result(channel.ask_agent(folders, question, READY_WITHIN_S))
        return decode_json(answer, bool | None)
    except errors.AlreadyRunning as fault:
        log.info("The running agent: %s", fault.detail)
        return False
    except (errors.TidingsError, msgspec.MsgspecError) as fault:
        log.info("The running agent does not show its inbox: %s", fault)
        return None


def display() -> str:
    """The display that the windows of this process are on, by its environment; empty for none."""
    if sys.platform == "win32":
        return os.environ.get("SESSIONNAME", "Console")
    if sys.platform == "darwin":
        return "Aqua"
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "").removesuffix(".0")

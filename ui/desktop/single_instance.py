"""One agent for each user: the first holds a lock; a second start asks it to show its inbox, and ends."""

from __future__ import annotations

import logging
import os
import sys
import threading

import msgspec
from PySide6.QtCore import QObject, Qt, Signal

from agent.domain import errors
from agent.domain.msgspec_warmup import decode_json
from agent.ipc import calls, channel, running_instance, starting
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders

log = logging.getLogger(__name__)

SHOWN_WITHIN_S = 2.0
"""How long the event loop may take to hear that somebody wants the inbox; then it is asked again."""


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
    """The lock of the first agent; None where another one runs on this display and shows its inbox, if that is wanted.

    Raises as `starting.lock` does.
    """
    here = display()

    def shows(fault: errors.AlreadyRunning) -> bool:
        place = running_instance.read(
            folders.data
        )  # each time: another one may have taken the lock meanwhile
        if place is not None and place.display != here:
            if channel.is_answering(folders, starting.READY_WITHIN_S):
                raise fault
            return False
        shown = _shows(folders)
        if shown is None:
            raise fault
        return shown

    return starting.lock(folders, here, shows if show else None)


def _shows(folders: Folders) -> bool | None:
    """Whether the running agent shows its inbox now, as it was asked to; None where it has no windows."""
    question = msgspec.json.encode(
        calls.Call(calls.SHOW_INBOX, data=running_instance.data_mark(folders.data))
    )
    try:
        answer = calls.result(channel.ask_agent(folders, question, starting.READY_WITHIN_S))
        return decode_json(answer, bool | None)
    except errors.AlreadyRunning as error:
        log.info("The running agent: %s", error.detail)
        return False
    except (errors.TidingsError, msgspec.MsgspecError) as error:
        log.info("The running agent does not show its inbox: %s", error)
        return None


def display() -> str:
    """The display that the windows of this process are on, by its environment; empty for none."""
    if sys.platform == "win32":
        return os.environ.get("SESSIONNAME", "Console")
    if sys.platform == "darwin":
        return "Aqua"
    return os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY", "").removesuffix(".0")

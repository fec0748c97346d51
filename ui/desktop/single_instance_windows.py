r"""A second start on Windows sets a named event of the person's own session (``Local\``); the first waits for it."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

NAME = "Local\\TidingsShowInbox"
EVENT_MODIFY_STATE = 0x0002
INFINITE = 0xFFFFFFFF


class EventListener(QObject):
    """Waits on a thread; tells on the main thread."""

    _set = Signal()

    def __init__(self, heard: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._heard = heard
        self._closing = False
        self._set.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        if sys.platform == "win32":
            ctypes.windll.kernel32.CreateEventW.restype = ctypes.c_void_p
            self._event = ctypes.c_void_p(ctypes.windll.kernel32.CreateEventW(None, False, False, NAME))
        threading.Thread(target=self._wait, name="second-start", daemon=True).start()

    def close(self) -> None:
        self._closing = True
        signal_event()

    def _wait(self) -> None:
        if sys.platform == "win32":
            while ctypes.windll.kernel32.WaitForSingleObject(self._event, INFINITE) == 0:
                if self._closing:
                    return
                self._set.emit()

    def _tell(self) -> None:
        if not self._closing:
            self._heard()


def signal_event() -> bool:
    """Returns whether somebody waits for it."""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.OpenEventW.restype = ctypes.c_void_p
        event = ctypes.c_void_p(kernel.OpenEventW(EVENT_MODIFY_STATE, False, NAME))
        if event.value:
            kernel.SetEvent(event)
            kernel.CloseHandle(event)
            return True
    return False

"""Who is told of changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.domain.model import Change

Listener = Callable[[Change], None]


class Listeners:
    """May be used on any thread; listeners are called on the thread that tells."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()

    def add(self, listener: Listener) -> Callable[[], None]:
        """Returns how to end it."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return end

    def tell(self, change: Change) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(change)

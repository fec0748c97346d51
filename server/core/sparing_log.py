"""Log lines that a flood of requests must not turn into a flood of lines."""

import logging
import threading
import time

SAY_AGAIN_AFTER_S = 10.0


class SparingLog:
    """Says a thing once in a while, with how often it happened since."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._said_at: dict[str, float] = {}
        self._count: dict[str, int] = {}
        self._lock = threading.Lock()

    def warning(self, key: str, text: str) -> None:
        """Log `text`, unless `key` was said less than `SAY_AGAIN_AFTER_S` ago. Keys are few and fixed."""
        now = time.monotonic()
        with self._lock:
            self._count[key] = self._count.get(key, 0) + 1
            if now - self._said_at.get(key, -SAY_AGAIN_AFTER_S) < SAY_AGAIN_AFTER_S:
                return
            count, self._said_at[key] = self._count.pop(key), now
        self._log.warning("%s (%d since it was said last)", text, count)

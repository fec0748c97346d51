"""A system that has no thread left."""

import threading

import pytest


class Threads:
    """While ``left`` is 0, no thread whose name begins so can be started; ``refused`` counts them."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 0
        self.refused = 0
        real = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if thread.name.startswith(name) and not self.left:
                self.refused += 1
                raise RuntimeError("can't start new thread")
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

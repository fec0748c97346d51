"""A player process, seen from the agent: orders go in, events and its end come out."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import msgspec

from ui.player import messages
from ui.player.messages import Order, PlayerEvent

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 2.0
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)


class PlayerProcess:
    """It ends when its standard input does, so also when this process dies. Raises OSError if it does not start."""

    def __init__(
        self,
        command: Sequence[str],
        heard: Callable[[PlayerProcess, PlayerEvent], None],
        ended: Callable[[PlayerProcess, int], None] = lambda _process, _code: None,
    ) -> None:
        """``heard`` and ``ended`` (with the exit code) are called on a thread."""
        self._heard = heard
        self._ended = ended
        self._closing = False
        self._orders: SimpleQueue[bytes | None] = SimpleQueue()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, creationflags=_NO_WINDOW
        )
        self._writer = threading.Thread(target=self._write, name="player-orders", daemon=True)
        self._writer.start()
        threading.Thread(target=self._listen, name="player", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def send(self, order: Order) -> None:
        """Soon; never waits for the player to read."""
        self._orders.put(messages.line(order))

    def close(self) -> None:
        """Ask it to end and insist if it does not, without waiting here."""
        self._closing = True
        self._orders.put(None)
        threading.Thread(target=self._insist, name="player-end", daemon=True).start()

    def wait(self, seconds: float) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        return self._process.wait(seconds)

    def _insist(self) -> None:
        try:
            self._process.wait(CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            log.warning("The player did not close; it is ended.")
            self._process.kill()

    def _write(self) -> None:
        assert self._process.stdin is not None
        try:
            with self._process.stdin as orders:
                while (text := self._orders.get()) is not None:
                    orders.write(text)
                    orders.flush()
        except OSError as error:
            log.debug("The player took no more orders: %s", error)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for text in output:
                self._told(text)
        self._orders.put(None)
        self._writer.join()
        code = self._process.wait()
        failed = code != 0 and not self._closing
        log.log(logging.WARNING if failed else logging.INFO, "The player ended with %d.", code)
        self._ended(self, 0 if self._closing else code)

    def _told(self, text: bytes) -> None:
        try:
            event = messages.read_event(text)
        except msgspec.DecodeError as error:
            log.warning("The player said something unknown: %s", error)
            return
        self._heard(self, event)

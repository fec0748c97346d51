"""What is done daily and hourly while the server serves, each in a process of its own that ends when it is done.

The threads that wait for it belong to the process that starts the workers: however many there are, it is done once.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

FIRST_AFTER_S = 300.0
EVERY_S = 24 * 3600.0
COUNT_EVERY_S = 600.0
"""What is due is counted once an hour at most: this is how late."""
MOST_S = 3600.0
"""How long one run may take."""

_log = logging.getLogger(__name__)


@contextmanager
def housekeeping(first_after_s: float = FIRST_AFTER_S, every_s: float = EVERY_S) -> Iterator[None]:
    """Keep house and count for reports for the length of a block.

    What is under way at its end is ended; the next start does what is left.
    """
    ending = threading.Event()
    keepers = [
        threading.Thread(target=_keep, args=(ending, first_after_s, every, words), name=words[0])
        for words, every in (
            (["housekeeping"], every_s),
            (["report", "--update"], min(every_s, COUNT_EVERY_S)),
        )
    ]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        ending.set()
        for keeper in keepers:
            keeper.join()


def _keep(ending: threading.Event, wait_s: float, every_s: float, words: list[str]) -> None:
    while not ending.wait(wait_s):
        _run(ending, words)
        wait_s = every_s


def _run(ending: threading.Event, words: list[str]) -> None:
    command = [sys.executable, "-P", "-m", "server", *words]
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            _wait(process, ending)
    except OSError as error:
        _log.error("%s cannot start: %s", words[0], error)


def _wait(process: "subprocess.Popen[bytes]", ending: threading.Event) -> None:
    """What failed has been logged by the process itself, on the same stderr."""
    waited = 0.0
    while process.poll() is None:
        if ending.wait(0.5) or waited > MOST_S:
            process.terminate()
            return
        waited += 0.5

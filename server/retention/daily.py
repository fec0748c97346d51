"""What is done daily, hourly and when mail is due while the server serves, each in a process that ends when it is done.

The threads that wait for it belong to the process that starts the workers: however many there are, it is done once.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from server.mail import outbox, transport

FIRST_AFTER_S = 300.0
EVERY_S = 24 * 3600.0
COUNT_EVERY_S = 600.0
"""What is due is counted once an hour at most: this is how late."""
MAIL_LOOK_S = 2.0
"""How often it is looked whether mail is due, by one file of the data folder."""
MAIL_EVERY_S = 3600.0
"""How often the outbox itself is looked into, for what a crash left without a word."""
MAIL_MOST_S = 900.0
"""How long mail may be sent in one go: a mail server that is slow without end holds nothing up for longer."""
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
    if transport.is_on():
        keepers.append(threading.Thread(target=_keep_mail, args=(ending,), name="mail"))
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


def _keep_mail(ending: threading.Event) -> None:
    """Send what is due in a process of its own, which is started where there is something to send alone."""
    unseen_s = MAIL_EVERY_S
    while not ending.wait(MAIL_LOOK_S):
        unseen_s += MAIL_LOOK_S
        if unseen_s >= MAIL_EVERY_S or outbox.is_flag_due():
            _run(ending, ["mail", "send"], MAIL_MOST_S)
            unseen_s = 0


def _run(ending: threading.Event, words: list[str], most_s: float = MOST_S) -> None:
    command = [sys.executable, "-P", "-m", "server", *words]
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            _wait(process, ending, most_s)
    except OSError as error:
        _log.error("%s cannot start: %s", words[0], error)


def _wait(process: "subprocess.Popen[bytes]", ending: threading.Event, most_s: float) -> None:
    """What failed has been logged by the process itself, on the same stderr."""
    waited = 0.0
    while process.poll() is None:
        if ending.wait(0.5) or waited > most_s:
            process.terminate()
            return
        waited += 0.5

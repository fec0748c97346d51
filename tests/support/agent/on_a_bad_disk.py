"""A process that clicks and confirms over a disk of which some calls fail: `python -m … FOLDER FROM TO PROBABILITY`.

It runs under libfiu's preloaded library (`fiu-run -x`). It says of each act whether the agent has taken it. The numbers are
those of its acts, so that each is another.
"""

import ctypes
import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.domain import errors
from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.on_trial import CAMPAIGNS
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.withdrawing import AnyKeychain

CALLS = (
    *("oc/open", "rw/read", "rw/pread", "rw/write", "rw/pwrite", "rw/ftruncate"),
    *("sync/fsync", "sync/fdatasync", "dir/unlink", "dir/rename"),
)
"""As libfiu names them. A mapping of memory (`mmap`) does not fail."""
ACTS_A_START = 25
TRIES = 60


class BadDisk:
    """The calls of this process that fail with EIO, as often as was said."""

    def __init__(self, probability: float) -> None:
        self._library = ctypes.CDLL("libfiu.so.0")
        self._probability = ctypes.c_float(probability)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Within, some fail."""
        for name in CALLS:
            self._library.fiu_enable_random(
                f"posix/io/{name}".encode(), 1, ctypes.c_void_p(errno.EIO), 0, self._probability
            )
        try:
            yield
        finally:
            for name in CALLS:
                self._library.fiu_disable(f"posix/io/{name}".encode())


def click(agent: Agent, number: int) -> bool:
    """Whether the agent has taken it. While it cannot read what was chosen it takes none, and says so by the switch."""
    is_on = next(choice.on for choice in agent.runtime.choices() if choice.signal is FeedbackSignal.CLICK)
    try:
        return is_on and agent.runtime._outbox.make(
            FeedbackSignal.CLICK, CAMPAIGNS[number % len(CAMPAIGNS)], link_id=f"n{number}"
        )
    except errors.DiskFault:
        return False


def work(folder: Path, disk: BadDisk, numbers: list[int]) -> list[tuple[int, bool]]:
    """Open, click, send, close: all of it while calls fail."""
    said = []
    with disk.failing(), suppress(errors.DiskFault), an_agent(folder, AnyKeychain()) as agent:
        for number in list(numbers):
            said.append((number, click(agent, number)))
            numbers.remove(number)
            if number % 5 == 0:
                with suppress(errors.TidingsError):
                    agent.runtime.interactions.record(Interaction(CAMPAIGNS[0], InteractionKind.READ))
                with suppress(errors.TidingsError):
                    agent.runtime.sync_once()
    return said


def main(folder: Path, first: int, last: int, probability: float) -> None:
    """All acts; a start that failed is tried again."""
    work(folder, BadDisk(0), [])  # imports what it needs
    with an_agent(folder, AnyKeychain()) as agent:
        agent.runtime.sync_once()
        agent.runtime.status()
    disk = BadDisk(probability)
    for begin in range(first, last, ACTS_A_START):
        numbers = list(range(begin, min(begin + ACTS_A_START, last)))
        for _ in range(TRIES):
            for number, taken in work(folder, disk, numbers):
                sys.stdout.write(f"{number} {'taken' if taken else 'refused'}\n")
            if not numbers:
                break
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))

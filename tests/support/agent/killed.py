"""A process whose children can be killed at any point of an agent's work: `python -m … FOLDER URL`.

It imports everything once. For each line on its input, a word and a folder, it forks a child that works in that folder, and
says the child's number; it says "ended" when the child was killed. A child is an agent of its own: real files, its keychain
in memory.
"""

import os
import sys
import threading
from pathlib import Path

from agent.domain.model import Interaction, InteractionKind
from tests.support.agent.on_trial import CAMPAIGNS
from tests.support.agent.parts import an_agent
from tests.support.agent.withdrawing import AnyKeychain

RECORD, OPEN = "record", "open"
KEPT = "kept.log"


def record(folder: Path) -> None:
    """Click and send at once as fast as can be, and write down each click that the agent has taken."""
    kept = os.open(folder / KEPT, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with an_agent(folder, AnyKeychain()) as agent:
        agent.runtime.start()
        for number in range(100_000):
            link_id = f"p{os.getpid()}-{number}"
            agent.runtime.interactions.record(
                Interaction(CAMPAIGNS[number % len(CAMPAIGNS)], InteractionKind.CLICKED, link_id)
            )
            os.write(kept, f"{link_id}\n".encode())


def open_only(folder: Path) -> None:
    """Let the store be migrated, and each outbox when it is first read."""
    with an_agent(folder, AnyKeychain()) as agent:
        agent.runtime.status()
        threading.Event().wait()


WORK = {RECORD: record, OPEN: open_only}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Until its input ends."""
    for line in sys.stdin:
        word, _, folder = line.strip().partition(" ")
        pid = os.fork()
        if pid == 0:
            try:
                WORK[word](Path(folder))
            finally:
                os._exit(1)
        _say(str(pid))
        _, status = os.waitpid(pid, 0)
        _say("killed" if os.WIFSIGNALED(status) else "ended")


if __name__ == "__main__":
    main()

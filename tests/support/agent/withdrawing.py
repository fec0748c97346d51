"""A process that withdraws, to be killed at any point of it: `python -m … FOLDER URL`.

It gives one signal, acts, and says "given"; then it withdraws, says "off" and sends. It is its own agent: real files,
its keychain in memory.
"""

import sys
from pathlib import Path

from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import TOKEN
from tests.support.agent.parts import MemoryKeychain, an_agent


class AnyKeychain(MemoryKeychain):
    """Knows the one token under every name."""

    def read(self, account: str) -> str | None:
        """The company's token."""
        return TOKEN


def withdraw(folder: Path) -> None:
    """Until it is killed."""
    with an_agent(folder, AnyKeychain()) as agent:
        agent.runtime.choose({FeedbackSignal.CLICK: True})
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        agent.runtime.sync_once()
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        _say("given")
        agent.runtime.choose({FeedbackSignal.CLICK: False})
        _say("off")
        agent.runtime.sync_once()
        _say("told")
        sys.stdin.read()


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    withdraw(Path(sys.argv[1]))

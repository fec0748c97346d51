"""A start of the agent that races others for the lock: told by lines on standard input, answers each with one word."""

import sys

from agent.domain import errors
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders


def main() -> None:
    """Take the lock when told to ``race``, let it go when told to ``end``."""
    held: InstanceLock | None = None
    for line in sys.stdin:
        if line == "race\n":
            try:
                held = InstanceLock(Folders.standard())
                answer = "first"
            except errors.AlreadyRunning:
                answer = "second"
        else:
            if held is not None:
                held.release()
            held, answer = None, "ended"
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

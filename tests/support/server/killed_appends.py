"""`python -m tests.support.server.killed_appends FOLDER DATABASE_URL COUNT SEED`: kill COUNT that append to the audit log.

Each process is killed at a moment drawn at random, within or between its acts; the next one goes on with the same log.
"""

import os
import random
import signal
import sys
from pathlib import Path

from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import django_at

MOST_ACTS = 3
MOST_TURNS = 300_000
"""Of an empty loop: as long as an act takes, or longer."""


def main(folder: str, database_url: str, count: str, seed: str) -> None:
    chance = random.Random(int(seed))
    with django_at(Path(folder), database_url or None):
        for _number in range(int(count)):
            _kill_one(chance)


def _kill_one(chance: random.Random) -> None:
    from django.db import connections

    connections.close_all()
    acted, told = os.pipe()
    child = os.fork()
    if not child:
        os.close(acted)
        _append_without_end(told)
    os.close(told)
    for _act in range(chance.randint(0, MOST_ACTS)):
        assert os.read(acted, 1), "the process ended by itself"
    for _turn in range(chance.randrange(MOST_TURNS)):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(acted)


def _append_without_end(told: int) -> None:
    """Acts of one entry and of two in one transaction. Never returns."""
    from django.db import transaction

    from server.audit import log

    try:
        while True:
            log.record("northwind", log.COMMAND_LINE, "publish")
            os.write(told, b".")
            with transaction.atomic():
                log.record("northwind", log.COMMAND_LINE, "recall")
                log.record("northwind", log.COMMAND_LINE, "invite")
            os.write(told, b".")
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])

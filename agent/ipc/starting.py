"""Becoming the agent of a person's data: at once, or when a process that ends, or only looked, lets go of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from agent.domain import errors
from agent.ipc import channel, running_instance
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders

log = logging.getLogger(__name__)

READY_WITHIN_S = 2.0
PATIENCE_S = 10.0
"""For one that holds the lock and takes no questions: it starts, perhaps on a busy computer, it ends, or it is a command."""
ASK_AGAIN_S = 0.2


def lock(
    folders: Folders, display: str = "", shows: Callable[[errors.AlreadyRunning], bool] | None = None
) -> InstanceLock | None:
    """The lock of a first agent.

    Args:
        folders: whose `data` it is about.
        display: where its windows will be, empty for none.
        shows: asks the agent that runs to show itself, and tells whether it does; raises what it is given where it never
            will. None: it is not asked.

    Returns:
        None where the agent that runs shows itself.

    Raises:
        AlreadyRunning: another one runs and goes on.
        NoLocks, DiskFault: as `InstanceLock`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return InstanceLock(folders, display)
        except errors.AlreadyRunning as error:
            place = running_instance.read(folders.data)
            if place is not None and place.is_elsewhere:
                raise
            if shows is not None:
                if shows(error):
                    return None
            elif channel.is_answering(folders, READY_WITHIN_S):
                raise
            if time.monotonic() > deadline:
                raise
            log.info("Waiting for the process that holds the lock: %s", error.detail)
        time.sleep(ASK_AGAIN_S)

"""A worker's life: what it looks after while it answers."""

import asyncio
import logging
import multiprocessing
import os
import socket
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings

from server.core import connection_limits
from server.gateway.bodies import Receive
from server.gateway.exchange import Send
from server.recovery.restored import Watch

LOOK_EVERY_S = 5.0
NEARLY_FULL = 0.9
UNREAD_S = 60
"""How long the other end of a line may acknowledge nothing of what it is sent, or leave it unread (RFC 5482)."""

_DESCRIPTORS = Path("/proc/self/fd")

_log = logging.getLogger(__name__)


async def live(receive: Receive, send: Send) -> None:
    """The lifespan protocol: from the worker's start to its end."""
    await receive()
    _end_with_runner()
    looking = [asyncio.ensure_future(each) for each in (_look_after_connections(), _look_after_database())]
    await send({"type": "lifespan.startup.complete"})
    await receive()
    for each in looking:
        each.cancel()
    await send({"type": "lifespan.shutdown.complete"})


def _end_with_runner() -> None:
    """End this worker when the process that runs it has ended.

    It would answer beside those of the next start, and look into a database that was perhaps replaced meanwhile; and nobody
    would keep house.
    """
    runner = multiprocessing.parent_process()
    if runner is not None and sys.platform != "win32":
        asyncio.get_running_loop().add_reader(runner.sentinel, _end)


def _end() -> None:
    _log.error("The process that runs this worker is gone: it ends.")
    os._exit(1)


async def _look_after_connections() -> None:
    if sys.platform != "linux":
        return
    await asyncio.sleep(1)
    for listening in _listening_sockets():
        with listening:
            # Accepted sockets inherit it. The runner has no setting for a reader that stops reading.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_S * 1000)
    was_full = False
    while True:
        is_full = sum(1 for _ in _DESCRIPTORS.iterdir()) > NEARLY_FULL * connection_limits.of_worker()
        if is_full and not was_full:
            _log.warning(
                "Nearly all of the %d connections of this worker are open: more wait until one is closed.",
                connection_limits.of_worker(),
            )
        was_full = is_full
        await asyncio.sleep(LOOK_EVERY_S)


async def _look_after_database() -> None:
    """End this worker where a backup was restored under it: the one in its place catches up before it answers."""
    if not settings.RESTORE_WATCH_S:
        return
    watch, own = Watch(), ThreadPoolExecutor(1, thread_name_prefix="watch")
    while not await asyncio.get_running_loop().run_in_executor(own, watch.has_gone_back):
        await asyncio.sleep(settings.RESTORE_WATCH_S)
    _log.error(
        "The database is older than it was: was a backup restored while the server ran? This worker ends; the next one does "
        "again what the backup has undone. Stop the server first the next time."
    )
    os._exit(1)


def _listening_sockets() -> Iterator[socket.socket]:
    """Those of this process, each as a copy that the caller closes."""
    for number in [int(path.name) for path in _DESCRIPTORS.iterdir()]:
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            copy = socket.socket(fileno=os.dup(number))
        except OSError:
            continue  # it was closed meanwhile
        if copy.family in (socket.AF_INET, socket.AF_INET6) and copy.getsockopt(
            socket.SOL_SOCKET, socket.SO_ACCEPTCONN
        ):
            yield copy
        else:
            copy.close()

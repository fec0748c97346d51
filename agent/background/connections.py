"""Ways to the server, one for each task, which can be cut off from outside."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from agent.domain import errors
from agent.transport.http_client import ApiClient


class TaskName(StrEnum):
    """What the agent does by itself."""

    POLL = "poll"
    FETCH = "fetch"
    SEND = "send"


class Connections:
    """Of the tasks. That of the poll stays open between two polls. ``connect`` makes one; it raises NotConnected."""

    def __init__(self, connect: Callable[[], ApiClient]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._clients: dict[TaskName, ApiClient] = {}
        self._paused = self._ended = False

    @property
    def refused(self) -> bool:
        """Whether tasks get none at present."""
        return self._paused or self._ended

    def pause(self) -> None:
        """Cut off what is under way, and give tasks none until ``resume``."""
        self._paused = True
        self.interrupt(*TaskName)

    def resume(self) -> None:
        """Give tasks some again, but after the end."""
        self._paused = False

    def end(self) -> None:
        """Cut off what is under way, and give tasks none any more."""
        self._ended = True
        self.interrupt(*TaskName)

    def of(self, name: TaskName) -> ApiClient:
        """The task's, made now if there is none. Raises NotConnected; Interrupted while none is given."""
        client = self._clients.get(name) or self._connect()
        with self._lock:
            self._clients[name] = client
            if self.refused:
                raise errors.Interrupted("about to end")
        return client

    @contextmanager
    def for_once(self, name: TaskName) -> Iterator[ApiClient]:
        """The task's, closed at the end."""
        try:
            yield self.of(name)
        finally:
            self.drop(name)

    def drop(self, name: TaskName) -> None:
        """Close the task's, if there is one."""
        with self._lock:
            client = self._clients.pop(name, None)
        if client is not None:
            client.close()

    def interrupt(self, *names: TaskName) -> None:
        """Cut off what these tasks ask or send at this moment."""
        with self._lock:
            for name in names:
                if name in self._clients:
                    self._clients[name].abort()

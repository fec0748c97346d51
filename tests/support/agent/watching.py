"""Watching an agent at work with its server."""

import threading
from collections.abc import Callable
from typing import Any

from agent.background.scheduler import Task
from agent.domain.model import ConnectionState
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent
from tests.support.agent.scripted_server import LoopbackServer, Reply, Request
from tests.support.waiting import PATIENCE_S, until

CODE = "KX7P-9QMD-2HTV"
RETRIES = "next try in"
"""What the log says of every fault that passes."""


def reaches(agent: Agent, connection: ConnectionState) -> None:
    """Wait for a state of the connection."""
    until(lambda: agent.runtime.status().connection is connection, f"the state {connection.value}")


def asked(server: LoopbackServer, ending: str) -> list[Request]:
    """The requests so far whose path ends so."""
    return [request for request in server.requests if request.path.endswith(ending)]


def held(server: LoopbackServer, company: Company, ending: str) -> threading.Event:
    """Answer requests whose path ends so only after the event was set."""
    free = threading.Event()

    def slow(request: Request) -> Reply:
        if request.path.endswith(ending):
            free.wait(PATIENCE_S)
        return company(request)

    server.answer = slow
    return free


def counted_runs(agent: Agent, name: str | Task) -> Callable[[], int]:
    """How often a task has run since."""
    task = getattr(agent.runtime._background, name) if isinstance(name, str) else name
    run, runs = task._run, []

    def counted() -> Any:
        try:
            return run()
        finally:
            runs.append(1)

    task._run = counted
    return lambda: len(runs)


def wait_after_a_poll(agent: Agent) -> float | None:
    """Let a connected agent that was not started poll now. The seconds after which it would poll again."""
    work = agent.runtime._background
    work.connected()
    return work.poll._run()

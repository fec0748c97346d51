"""A company's server in memory, and an agent connected to it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.domain import limits
from agent.domain.model import ConnectionState
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, Sending, SettableClock, an_agent, sending_parts
from tests.support.agent.scripted_server import LoopbackServer, loopback_server
from tests.support.agent.watching import CODE, reaches


@pytest.fixture
def company() -> Company:
    """With one campaign."""
    made = Company()
    made.publish("c-one")
    return made


@pytest.fixture
def server(company: Company) -> Iterator[LoopbackServer]:
    """The company's, on the loopback address."""
    with loopback_server(company) as running:
        yield running


@pytest.fixture
def sending(server: LoopbackServer, tmp_path: Path) -> Iterator[Sending]:
    """The parts of an agent that make and send events."""
    with closing(sending_parts(tmp_path, server.url, SettableClock())) as parts:
        yield parts


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once what a person's computer tries again after seconds."""
    monkeypatch.setattr(limits, "BACKOFF_FIRST_INTERVALS", 0.0001)


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    """Connected and running."""
    with an_agent(tmp_path) as opened:
        opened.runtime.start()
        opened.runtime.enrol(server.url, CODE)
        reaches(opened, ConnectionState.CONNECTED)
        yield opened

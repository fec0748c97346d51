"""An agent that has no file descriptor left for a while, as beside a program that leaks them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.background.connections import TaskName
from agent.consent import choice_errors
from agent.consent.record_file import ConsentFile
from agent.domain import errors
from agent.domain.model import ConsentState, FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE
from tests.support.descriptors import none_left
from tests.support.threads import Threads

WHILE_NONE_IS_LEFT = ("cannot be listed", "known in memory only", "To be deleted again", "A restart forgets")


@pytest.fixture
def computer(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    """Connected, sharing all, not started: it sends when it is told to."""
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.sync_once()
        yield agent


def take_back(agent: Agent, *, everything: bool) -> None:
    if everything:
        agent.runtime.delete_all_shared()
    else:
        agent.runtime.choose({FeedbackSignal.CLICK: False})


def recorded(agent: Agent) -> ConsentState:
    return ConsentFile(agent.folders.data / "consent.record").read()[FeedbackSignal.CLICK].state


@pytest.mark.expected_logs(*WHILE_NONE_IS_LEFT)
@pytest.mark.parametrize("everything", [False, True])
def test_what_is_taken_back_without_a_descriptor_is_off_and_is_told_as_soon_as_one_is_free(
    computer: Agent, company: Company, everything: bool
) -> None:
    computer.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    with none_left():
        with pytest.raises(choice_errors.NotRecorded):
            take_back(computer, everything=everything)
        assert not next(each.on for each in computer.runtime.choices() if each.signal is FeedbackSignal.CLICK)
        with pytest.raises(errors.EnvironmentFault):
            computer.runtime.send_once()
        assert "NotRecorded" in {each.code for each in computer.runtime.status().troubles}
    computer.runtime.send_once()
    assert recorded(computer) is ConsentState.WITHDRAWN
    assert "click" in {each["signal"] for each in company.withdrawals}
    assert company.counted("click") == []
    assert computer.runtime.status().troubles == ()
    assert not list(computer.folders.data.glob("outbox-*"))


def test_without_a_thread_to_connect_on_the_server_is_asked_later(
    computer: Agent, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = Threads("connect", monkeypatch)
    computer.runtime._background.connected()
    computer.runtime._background._connections.drop(TaskName.POLL)
    with pytest.raises(errors.ServerUnreachable):
        computer.runtime.sync_once()
    threads.left = 1
    computer.runtime.sync_once()
    assert computer.runtime.status().troubles == ()

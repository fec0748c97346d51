"""A disk that is read-only for a while: the agent goes on by itself when it can write again."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.consent.choice_errors import NothingIsRecorded
from agent.domain import errors
from agent.domain.model import ConsentState, FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, MemoryKeychain, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE, RETRIES
from tests.support.disks import read_only

READ_ONLY = pytest.mark.expected_logs(
    "cannot be written", "not on the disk yet", "To be deleted again", RETRIES
)


def on(agent: Agent) -> set[FeedbackSignal]:
    return {choice.signal for choice in agent.runtime.choices() if choice.on}


@READ_ONLY
def test_an_agent_that_started_on_a_read_only_disk_goes_on_when_it_can_be_written(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with an_agent(tmp_path, keychain) as before:
        before.runtime.enrol(server.url, CODE)
        before.runtime.sync_once()
    with ExitStack() as disk:
        disk.enter_context(read_only(tmp_path / "data"))
        with an_agent(tmp_path, keychain) as agent:
            company.publish("c-two")
            agent.runtime._background.poll._run()
            agent.runtime.interactions.mark_read(["c-one"], True)
            with pytest.raises(NothingIsRecorded):
                agent.runtime.choose({FeedbackSignal.CLICK: True})
            disk.close()
            agent.runtime._background.poll._run()
            agent.runtime._background.send._run()
            assert agent.runtime.status().troubles == ()
            agent.runtime.choose({FeedbackSignal.CLICK: True})
            agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
            agent.runtime._background.send._run()
            assert [event["signal"] for event in company.events.values()] == ["click"]
    with an_agent(tmp_path, keychain) as again:
        read = {item.campaign.campaign_id: item.state.read for item in again.runtime.inbox()}
        assert read == {"c-one": True, "c-two": False}, "what came and was done meanwhile is kept"
        assert on(again) == {FeedbackSignal.CLICK}


@READ_ONLY
def test_what_was_withdrawn_on_the_read_only_disk_stays_withdrawn_when_it_can_be_written(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with an_agent(tmp_path, keychain) as before:
        before.runtime.enrol(server.url, CODE)
        before.runtime.choose(all_on())
        before.runtime.send_once()
    with ExitStack() as disk:
        disk.enter_context(read_only(tmp_path / "data"))
        with an_agent(tmp_path, keychain) as agent:
            with pytest.raises(errors.DiskFault):
                agent.runtime.choose({FeedbackSignal.CLICK: False})
            agent.runtime._background.send._run()
            assert "click" in {each["signal"] for each in company.withdrawals}
            disk.close()
            agent.runtime._background.poll._run()
            agent.runtime._background.send._run()
            assert "NotRecorded" not in {each.code for each in agent.runtime.status().troubles}
    with an_agent(tmp_path, keychain) as again:
        assert on(again) == set()
        states = {choice.signal: choice.state for choice in again.runtime.choices()}
        assert states[FeedbackSignal.CLICK] is ConsentState.WITHDRAWN
        assert "withdrawn" in {kept.status for kept in again.runtime.my_data.receipts()}


@READ_ONLY
def test_a_disk_that_becomes_read_only_while_the_agent_runs_costs_no_restart(
    server: LoopbackServer, tmp_path: Path
) -> None:
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        with read_only(tmp_path / "data"):
            agent.runtime._database._let_go()  # as after any fault of the disk
            with pytest.raises(errors.DiskFault):
                agent.runtime.interactions.mark_read(["c-one"], True)
            assert len(agent.runtime.inbox()) == 1, "what is there can be read"
        agent.runtime.interactions.mark_read(["c-one"], True)
        assert [item.state.read for item in agent.runtime.inbox()] == [True]

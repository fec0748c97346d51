"""P7: a withdrawal works on a full disk and on a read-only one, at once and after a restart."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from agent.consent import choice_errors
from agent.domain import errors
from agent.domain.model import Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, MemoryKeychain, all_off, all_on, an_agent
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, loopback_server
from tests.support.agent.watching import CODE
from tests.support.disks import a_small_disk, fill, read_only
from tests.support.proofs import Proof

FAULTS_OF_DISKS = pytest.mark.expected_logs(
    "To be deleted again",
    "written down later",
    "not on the disk yet",
    "DiskFault",
    "cannot be written",
    "The store",
)


def shares_all(agent: Agent, server: LoopbackServer) -> None:
    """Connected, with a click at the server and more on the way."""
    agent.runtime.enrol(server.url, CODE)
    agent.runtime.sync_once()
    agent.runtime.choose(all_on())
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    agent.runtime.sync_once()
    for act in (InteractionKind.SEEN, InteractionKind.CLICKED, InteractionKind.LIKED):
        agent.runtime.interactions.record(Interaction("c-one", act, "l1"))


def is_off(agent: Agent) -> bool:
    """Nothing is on, and what the person does makes no event."""
    before = agent.runtime.status().waiting
    for act in (InteractionKind.SEEN, InteractionKind.CLICKED, InteractionKind.LIKED):
        with suppress(errors.DiskFault):
            agent.runtime.interactions.record(Interaction("c-one", act, "l1"))
    return not any(choice.on for choice in agent.runtime.choices()) and (
        agent.runtime.status().waiting == before
    )


def a_published_company() -> Company:
    company = Company()
    company.publish("c-one")
    return company


@FAULTS_OF_DISKS
@pytest.mark.proves("P7")
def test_on_a_full_disk_a_withdrawal_holds_leaves_and_is_shown(tmp_path: Path, proof: Proof) -> None:
    trials = proof.trials(100, 2)
    held = sum(_on_a_full_disk(tmp_path / str(number)) for number in range(trials))
    proof.found("withdrawals that held, left and stayed on a tmpfs filled to the last byte", held, trials)
    assert held == trials


def _on_a_full_disk(place: Path) -> bool:
    company, keychain = a_published_company(), MemoryKeychain()
    with loopback_server(company) as server, a_small_disk(place) as disk:
        with an_agent(disk, keychain) as agent:
            shares_all(agent, server)
            ballast = fill(disk)
            agent.runtime.choose(all_off())
            assert not list(disk.glob("data/outbox-*"))
            fill(disk)  # what was unlinked made room
            agent.runtime._background.send_once()
            assert set(company.consents.values()) == {"withdrawn"}
            assert company.events == {}
            assert are_told(agent)
            assert is_off(agent)
            ballast.unlink()
            agent.runtime.sync_once()
        with an_agent(disk, keychain) as agent:
            assert are_told(agent)
            return is_off(agent)


def are_told(agent: Agent) -> bool:
    """Whether the person sees all three withdrawals with the server's answers and receipts."""
    messages = [each for each in agent.runtime.messages.all() if b"withdrawn" in each.body]
    receipts = [each for each in agent.runtime.messages.documents() if each.status == "withdrawn"]
    return len(messages) == len(receipts) == 3 and all(each.answer for each in messages)


@FAULTS_OF_DISKS
@pytest.mark.proves("P7")
@pytest.mark.parametrize("reachable", [True, False])
def test_on_a_read_only_disk_a_withdrawal_holds_and_no_restart_undoes_it(
    tmp_path: Path, proof: Proof, reachable: bool
) -> None:
    trials = proof.trials(50, 1)
    held = sum(_on_a_read_only_disk(tmp_path / str(number), reachable) for number in range(trials))
    where = "with" if reachable else "without"
    proof.found(
        f"withdrawals that held on a read-only disk, {where} the server, and after restarts", held, trials
    )
    assert held == trials


def _on_a_read_only_disk(place: Path, reachable: bool) -> bool:
    company, keychain = a_published_company(), MemoryKeychain()
    with loopback_server(company) as server:
        with an_agent(place, keychain) as agent:
            shares_all(agent, server)
            stored = len(company.events)
            with read_only(agent.folders.data):
                if not reachable:
                    server.answer = lambda _: Reply(LOST)
                with pytest.raises(choice_errors.NotRecorded):
                    agent.runtime.choose(all_off())
                codes = {trouble.code for trouble in agent.runtime.status().troubles}
                held = is_off(agent) and "NotRecorded" in codes
                if reachable:
                    agent.runtime._background.send_once()
                    held = held and company.events == {}
        with read_only(place / "data"), an_agent(place, keychain) as agent:
            held = held and is_off(agent)
        server.answer = company
        with an_agent(place, keychain) as agent:
            held = held and is_off(agent) and not list(agent.folders.data.glob("outbox-*"))
            agent.runtime.sync_once()
            assert is_off(agent)
            told = set(company.consents.values()) == {"withdrawn"}
            return held and told and company.events == {} and stored > 0

"""R8: an outage or a restart of the server brings no herd of agents, nor does a morning on which all computers wake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agent.company_in_memory import Company, instead
from tests.support.agent.herd import Herd
from tests.support.agent.parts import an_agent
from tests.support.agent.scripted_server import LOST, Reply, loopback_server
from tests.support.agent.watching import CODE, RETRIES, wait_after_a_poll
from tests.support.proofs import Proof

BEGINS_S, AFTERWARDS_S = 120.0, 900.0
AT_MOST = 2.0


def herd(proof: Proof) -> Herd:
    return Herd(agents=proof.trials(full=10_000, few=5_000))


@pytest.mark.proves("R8")
@pytest.mark.parametrize("outage_s", [5, 20, 60, 300])
def test_an_outage_brings_no_herd(proof: Proof, outage_s: float) -> None:
    agents = herd(proof)

    def reached(moment: float) -> float | None:
        return 0.0 if BEGINS_S <= moment < BEGINS_S + outage_s else None

    peak = agents.peak(reached, BEGINS_S + outage_s + AFTERWARDS_S)
    proof.found(f"peak of polls over steady, outage of {outage_s} s", f"{peak:.2f}", agents.agents)
    assert peak <= AT_MOST


@pytest.mark.proves("R8")
@pytest.mark.parametrize("retry_after_s", [1.0, 5.0, 30.0])
def test_a_restart_that_refuses_at_first_brings_no_herd(proof: Proof, retry_after_s: float) -> None:
    """Three seconds without a server, then 20 s in which it is too busy for half of them."""
    agents = herd(proof)

    def reached(moment: float) -> float | None:
        since = moment - BEGINS_S
        if 0 <= since < 3:
            return 0.0
        return retry_after_s if 3 <= since < 23 and int(moment * 1000) % 2 else None

    peak = agents.peak(reached, BEGINS_S + AFTERWARDS_S)
    proof.found(
        f"peak over steady, a restart with Retry-After: {retry_after_s:g}", f"{peak:.2f}", agents.agents
    )
    assert peak <= AT_MOST


@pytest.mark.proves("R8")
def test_restarts_one_after_the_other_bring_no_herd(proof: Proof) -> None:
    agents = herd(proof)
    peak = agents.peak(lambda moment: 0.0 if moment > BEGINS_S and moment % 40 < 4 else None, AFTERWARDS_S)
    proof.found("peak over steady, 4 s of every 40 s away", f"{peak:.2f}", agents.agents)
    assert peak <= AT_MOST


@pytest.mark.proves("R8")
def test_computers_that_wake_together_bring_no_herd(proof: Proof) -> None:
    agents = herd(proof)
    peak = agents.peak(lambda _moment: None, AFTERWARDS_S, woken_at=BEGINS_S)
    proof.found("peak over steady, all wake from sleep in the same second", f"{peak:.2f}", agents.agents)
    assert peak <= AT_MOST


@pytest.mark.proves("R8")
@pytest.mark.expected_logs(RETRIES)
@pytest.mark.parametrize("reply", [Reply(LOST), Reply(502), Reply(503)], ids=["lost", "502", "503"])
def test_a_running_agent_waits_so(proof: Proof, tmp_path: Path, reply: Reply) -> None:
    """The herd above is of the pacing alone; here the whole agent says for how long it waits."""
    waits = waits_after(reply, proof.trials(full=400, few=40), tmp_path)
    mean = sum(waits) / len(waits)
    proof.found(f"mean wait of an agent after {reply.status}, s", f"{mean:.0f}", len(waits))
    assert mean > 30, "an interval of 60 s on average"


@pytest.mark.proves("R8")
@pytest.mark.expected_logs(RETRIES)
def test_a_running_agent_waits_for_an_interval_beyond_what_a_busy_server_says(
    proof: Proof, tmp_path: Path
) -> None:
    waits = waits_after(Reply(503, headers={"Retry-After": "30"}), proof.trials(full=400, few=40), tmp_path)
    proof.found("waits shorter than Retry-After", sum(wait < 30 for wait in waits), len(waits))
    assert min(waits) >= 30
    assert sum(waits) / len(waits) > 60


def waits_after(reply: Reply, trials: int, folder: Path) -> list[float]:
    """How long an agent wants to wait after one such answer, so many times."""
    company, waits = Company(), []
    with loopback_server(company) as server, an_agent(folder) as agent:
        agent.runtime.enrol(server.url, CODE)
        for _ in range(trials):
            company.faults.append(instead(reply))
            waits.append(wait_after_a_poll(agent))
            wait_after_a_poll(agent)
    return [wait for wait in waits if wait is not None]

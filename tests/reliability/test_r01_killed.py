"""R1: kill -9 at any point of recording and sending. What the agent has taken is at the server in the end, once."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from agent.model import Signal
from tests.support.agent_killed import KEPT, RECORD
from tests.support.agent_on_trial import a_company
from tests.support.agent_parts import all_on, an_agent
from tests.support.agent_server import loopback_server
from tests.support.agent_watching import CODE
from tests.support.agent_withdrawing import AnyKeychain
from tests.support.kills import victims
from tests.support.proofs import Proof

LONGEST_S = (0.1, 0.5)
"""Some kills come while the agent opens its files, the others while it records and sends."""


@pytest.mark.proves("R1")
def test_no_kill_loses_or_doubles_what_the_agent_has_taken(tmp_path: Path, proof: Proof) -> None:
    trials, chance = proof.trials(1_000, 12), random.Random(1)
    company, taken = a_company(), set[str]()
    with loopback_server(company) as server:
        with an_agent(tmp_path, AnyKeychain()) as agent:
            agent.runtime.enrol(server.url, CODE)
            agent.runtime.choose(all_on())
            agent.runtime.sync_once()
        with victims() as process:
            for _ in range(trials):
                assert process.kill(RECORD, tmp_path, chance.uniform(0, chance.choice(LONGEST_S)))
        with an_agent(tmp_path, AnyKeychain()) as agent:
            agent.runtime.sync_once()
            waiting = agent.runtime.status().waiting
            shown = {item.body for item in agent.runtime.my_data.sent()}
    taken = set((tmp_path / KEPT).read_text().split())
    arrived = Counter(event["link_id"] for event in company.counted(Signal.CLICK.value))
    lost, doubled = taken - set(arrived), sum(count > 1 for count in arrived.values())
    unshown = (
        [each for each in taken if not any(f'"{each}"'.encode() in body for body in shown)]
        if trials < 50
        else []
    )
    proof.found("kills", trials, trials)
    proof.found("clicks that the agent had taken and the server never got", len(lost), len(taken))
    proof.found("clicks that the server counted twice", doubled, len(arrived))
    assert (lost, doubled, waiting, unshown) == (set(), 0, 0, [])
    assert len(arrived) <= len(taken) + trials, "one more a kill at most: it was kept, and not said any more"
    assert len(taken) > trials

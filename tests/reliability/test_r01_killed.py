"""R1: kill -9 at any point of recording and sending. What the agent has taken is at the server in the end, once."""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from tests.support.agent.killed import KEPT, RECORD
from tests.support.agent.kills import victims
from tests.support.agent.on_trial import a_company
from tests.support.agent.parts import all_on, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE
from tests.support.agent.withdrawing import AnyKeychain
from tests.support.proofs import Proof

LONGEST_S = 0.1


def size(folder: Path) -> int:
    """How much was written down of what the agent has taken."""
    kept = folder / KEPT
    return kept.stat().st_size if kept.exists() else 0


def grown(folder: Path, before: int) -> bool:
    return size(folder) > before


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
            for number in range(trials):
                after_s = chance.uniform(0, LONGEST_S)
                before = size(tmp_path)
                if number % 2:  # while it opens its files, or just after
                    assert process.kill(RECORD, tmp_path, after_s)
                else:  # while it records and sends
                    has_begun = partial(grown, tmp_path, before)
                    assert process.kill(RECORD, tmp_path, after_s, has_begun)
        with an_agent(tmp_path, AnyKeychain()) as agent:
            agent.runtime.sync_once()
            waiting = agent.runtime.status().waiting
            shown = {item.body for item in agent.runtime.my_data.sent()}
    taken = set((tmp_path / KEPT).read_text().split())
    arrived = Counter(event["link_id"] for event in company.counted(FeedbackSignal.CLICK.value))
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
    assert len(taken) >= trials // 2

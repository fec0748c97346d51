"""P12: of a test that somebody sent to themselves nothing travels, and nothing is kept, whatever they do with it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company, running
from tests.support.agent.parts import Agent, all_on, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE
from tests.support.proofs import Proof

REAL, TITLE = "c-real", "A canary that is tried out"


@pytest.mark.proves("P12")
def test_nothing_of_a_test_is_queued_kept_or_sent_while_all_is_shared(tmp_path: Path, proof: Proof) -> None:
    trials, chance = proof.trials(1_000, 40), random.Random(12)
    company = Company()
    company.publish(REAL, running("A real one", acknowledge=True))
    document = company.try_out(running(TITLE, acknowledge=True))
    trial = "t-0123456789abcdef"
    with loopback_server(company) as server, an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        assert [item.campaign.campaign_id for item in agent.runtime.inbox()] == [trial, REAL]
        agent.runtime.choose(all_on())
        agent.runtime.sync_once()
        before = agent.runtime.status().waiting
        for _ in range(trials):
            _act(agent, trial, chance)
        queued = agent.runtime.status().waiting - before
        agent.runtime.sync_once()
        written = [path for path in tmp_path.rglob("*") if path.is_file()]
        needles = (trial.encode(), TITLE.encode(), document.encode())
        kept = sum(needle in path.read_bytes() for path in written for needle in needles)
        sent = sum(needle in request.body for request in server.requests for needle in needles)
        proof.found("acts on a test that were queued, kept on disk, or sent", queued + kept + sent, trials)
        assert (queued, kept, sent) == (0, 0, 0)
        for act in InteractionKind:
            agent.runtime.interactions.record(Interaction(REAL, act, "l1"))
        agent.runtime.interactions.acknowledge(REAL)
        agent.runtime.sync_once()
    assert {event["signal"] for event in company.events.values()} == set(FeedbackSignal)
    assert set(company.acknowledged) == {REAL}, "the same acts on a real one arrive"


def _act(agent: Agent, trial: str, chance: random.Random) -> None:
    interactions = agent.runtime.interactions
    act = chance.choice([*InteractionKind, "displayed", "acknowledge", "mark", "remind"])
    if isinstance(act, InteractionKind):
        interactions.record(Interaction(trial, act, chance.choice(["l1", "video"])))
    elif act == "displayed":
        interactions.displayed([trial])
    elif act == "acknowledge":
        interactions.acknowledge(trial)
    elif act == "mark":
        interactions.mark_read([trial], chance.random() < 0.5)
    else:
        interactions.remind(trial, chance.choice([None, 1.0]))

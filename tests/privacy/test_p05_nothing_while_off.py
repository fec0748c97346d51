"""P5: while a signal is off, acts leave no row, no file, no log line, no byte; giving it again sends no history."""

from __future__ import annotations

import json
import logging
import random
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company, running
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import LoopbackServer, loopback_server
from tests.support.agent.watching import CODE
from tests.support.proofs import Proof

OFF, ON = "c-while-off", "c-while-on"
"""What the person does while off is done with one announcement, what they do while on with another."""

ACTS = {
    FeedbackSignal.SEEN: InteractionKind.SEEN,
    FeedbackSignal.CLICK: InteractionKind.CLICKED,
    FeedbackSignal.LIKE: InteractionKind.LIKED,
}


@pytest.mark.proves("P5")
def test_acts_while_off_leave_nothing_and_are_never_sent_later(
    tmp_path: Path, proof: Proof, caplog: pytest.LogCaptureFixture
) -> None:
    trials, chance = proof.trials(1_000, 10), random.Random(5)
    caplog.set_level(logging.DEBUG, "agent")
    company = Company()
    for campaign_id in (OFF, ON):
        company.publish(campaign_id, running(campaign_id))
    with loopback_server(company) as server, an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        traces = sum(
            _cycle(agent, server, chance.choice(list(FeedbackSignal)), caplog) for _ in range(trials)
        )
        sent_while_on = sum(b'"event_id"' in request.body for request in server.requests)
    late = sum(OFF.encode() in request.body for request in server.requests)
    proof.found("traces of acts while off: files, rows, log lines, messages", traces, trials)
    proof.found("messages sent later that tell of an act while off", late, trials)
    assert (traces, late) == (0, 0)
    assert sent_while_on == trials, "while on, the same acts are sent"


def _cycle(
    agent: Agent, server: LoopbackServer, signal: FeedbackSignal, caplog: pytest.LogCaptureFixture
) -> int:
    """Off, act, on, act, off again. Returns how many traces the act while off left."""
    caplog.clear()
    before, sent = _rows(agent), len(server.requests)
    agent.runtime.interactions.record(Interaction(OFF, ACTS[signal], "l1"))
    agent.runtime.sync_once()
    files = list(agent.folders.data.glob("outbox-*"))
    said = [
        record for record in caplog.records if OFF in record.getMessage() or signal in record.getMessage()
    ]
    new = [json.loads(r.body) for r in server.requests[sent:] if not r.path.endswith("feed")]
    traces = len(files) + len(said) + len(new) + (_rows(agent) != before)
    agent.runtime.choose({signal: True})
    agent.runtime.interactions.record(Interaction(ON, ACTS[signal], "l1"))
    agent.runtime.sync_once()
    agent.runtime.choose({signal: False})
    agent.runtime.sync_once()
    return traces


def _rows(agent: Agent) -> tuple[int, int]:
    return len(agent.runtime.messages.all()), agent.runtime.status().waiting

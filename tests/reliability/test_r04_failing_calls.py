"""R4: of all calls to the disk 2 % fail with EIO. What the agent has taken is at the server in the end, once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from agent.store import repairs
from tests.support.agent.on_trial import a_company
from tests.support.agent.parts import all_on, an_agent
from tests.support.agent.processes import ROOT
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE
from tests.support.agent.withdrawing import AnyKeychain
from tests.support.proofs import Proof

PROBABILITY = 0.02


@pytest.mark.proves("R4")
def test_no_failing_call_loses_or_doubles_what_the_agent_has_taken(tmp_path: Path, proof: Proof) -> None:
    acts = proof.trials(4_000, 150)
    company = a_company()
    with loopback_server(company) as server:
        with an_agent(tmp_path, AnyKeychain()) as agent:
            agent.runtime.enrol(server.url, CODE)
            agent.runtime.choose(all_on())
            agent.runtime.sync_once()
        words = ["-m", "tests.support.agent.on_a_bad_disk", str(tmp_path), "0", str(acts), str(PROBABILITY)]
        done = subprocess.run(
            ["fiu-run", "-x", "-f", "", sys.executable, *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=3_000,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3_000:]
        with an_agent(tmp_path, AnyKeychain()) as agent:
            agent.runtime.sync_once()
            waiting, on = agent.runtime.status().waiting, all(c.on for c in agent.runtime.choices())
            titles = len(agent.runtime.inbox())
    said = dict(line.split() for line in done.stdout.splitlines() if " " in line)
    taken = {f"n{number}" for number, word in said.items() if word == "taken"}
    arrived = Counter(event["link_id"] for event in company.counted(FeedbackSignal.CLICK.value))
    lost, doubled = taken - set(arrived), sum(count > 1 for count in arrived.values())
    aside = len(repairs.found(tmp_path / "data"))
    proof.found("clicks that the agent had taken and the server never got", len(lost), len(taken))
    proof.found("clicks that the server counted twice", doubled, len(arrived))
    proof.found("clicks that the agent did not take, and said so", acts - len(taken), acts)
    proof.found("files that were set aside without being damaged", aside, acts)
    assert (lost, doubled, aside) == (set(), 0, 0)
    assert (waiting, on, titles) == (0, True, len(company.documents))
    assert len(said) == acts
    assert acts / 4 < len(taken) < acts, "some calls did fail"

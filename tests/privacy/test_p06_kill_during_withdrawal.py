"""P6: kill -9 at any point of a withdrawal. What the person saw turned off is off after a restart and stays unsent."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import an_agent
from tests.support.agent.processes import ROOT
from tests.support.agent.scripted_server import LoopbackServer, loopback_server
from tests.support.agent.watching import CODE
from tests.support.agent.withdrawing import AnyKeychain
from tests.support.proofs import Proof
from tests.support.waiting import PATIENCE_S

LONGEST_S = (0.008, 0.06)
"""Half of the kills come while the withdrawal is made, the others until it has been told to the server."""


@pytest.mark.proves("P6")
def test_no_kill_brings_a_withdrawn_signal_back(tmp_path: Path, proof: Proof) -> None:
    trials, chance = proof.trials(1_000, 4), random.Random(6)
    before_the_screen = resurrected = 0
    template = tmp_path / "template"
    company = Company()
    company.publish("c-one")
    with loopback_server(company) as server:
        with an_agent(template, AnyKeychain()) as agent:
            agent.runtime.enrol(server.url, CODE)
            agent.runtime.sync_once()
        for number in range(trials):
            folder = shutil.copytree(template, tmp_path / str(number))
            seen_off = _killed(folder, chance.uniform(0, chance.choice(LONGEST_S)))
            before_the_screen += not seen_off
            resurrected += _comes_back(folder, server, company, seen_off)
            shutil.rmtree(folder)
    proof.found("withdrawals that a kill brought back or left half done", resurrected, trials)
    proof.found("kills that came before the screen had confirmed", before_the_screen, trials)
    assert resurrected == 0
    if proof.is_full:
        assert 0 < before_the_screen < trials, "else nothing was withdrawn, or no kill came meanwhile"


def _killed(folder: Path, after_s: float) -> bool:
    """Let the process withdraw and kill it so long after it began to. Returns whether it had confirmed."""
    command = [sys.executable, "-m", "tests.support.agent.withdrawing", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"given\n"
        _go_on_for(after_s)
        os.kill(child.pid, signal.SIGKILL)
        said = child.stdout.read()
        child.wait(PATIENCE_S)
    return b"off" in said


def _go_on_for(seconds: float) -> None:
    """A pause as fine as the kill must be: the moment is what is tried, not a wait for something."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def _comes_back(folder: Path, server: LoopbackServer, company: Company, seen_off: bool) -> bool:
    """Start again: what was confirmed as off must be off. What is off must be told, and nothing of it sent or kept."""
    company.events = {}
    before = len(server.requests)
    with an_agent(folder, AnyKeychain()) as agent:
        on = any(choice.on for choice in agent.runtime.choices())
        if on and not seen_off:
            return False  # killed before it was recorded: the person was not told otherwise
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        agent.runtime.sync_once()
        left = list(agent.folders.data.glob(f"outbox-{FeedbackSignal.CLICK}*"))
        sent = [each for each in server.requests[before:] if each.path.endswith("signals")]
        return on or bool(left or sent) or agent.runtime.status().waiting > 0

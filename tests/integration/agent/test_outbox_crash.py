"""Kill -9 of a real process that records events: what it said it kept is counted, once."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from agent.model import Signal
from tests.support.agent_company import Company
from tests.support.agent_parts import SettableClock, sending_parts
from tests.support.agent_server import loopback_server
from tests.support.children import Child
from tests.support.waiting import until

KILLS = 8


def test_no_event_that_was_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    company, chance = Company(), random.Random(9)
    acknowledged = 0
    with loopback_server(company) as server:
        for number in range(KILLS):
            log, least = tmp_path / f"recorder-{number}.log", chance.randrange(1, 60)
            command = [sys.executable, "-m", "tests.support.agent_recorder", tmp_path, server.url]
            with Child(command, log) as child:
                until(lambda: len(log.read_bytes().splitlines()) >= least, "some clicks", every=0.003)
                child.kill()
            acknowledged += len([line for line in log.read_bytes().splitlines(True) if line.endswith(b"\n")])
        sending = sending_parts(tmp_path, server.url, SettableClock())
        sending.outbox.send(sending.client)
        assert sending.outbox.waiting() == 0
        sending.close()
    counted = len(company.counted(Signal.CLICK.value))
    assert acknowledged <= counted <= acknowledged + KILLS
    assert acknowledged >= KILLS

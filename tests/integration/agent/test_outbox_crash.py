"""Kill -9 of a real process that records events: what it said it kept is counted, once."""

from __future__ import annotations

import random
import sys
from functools import partial
from pathlib import Path

from agent.domain.model import FeedbackSignal
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import SettableClock, sending_parts
from tests.support.agent.scripted_server import loopback_server
from tests.support.children import Child
from tests.support.waiting import until

KILLS = 5


def has_recorded(log: Path, least: int) -> bool:
    return log.read_bytes().count(b"\n") >= least


def test_no_event_that_was_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    company, chance = Company(), random.Random(9)
    acknowledged = 0
    with loopback_server(company) as server:
        for number in range(KILLS):
            log, least = tmp_path / f"recorder-{number}.log", chance.randrange(1, 60)
            command = [sys.executable, "-m", "tests.support.agent.recorder", tmp_path, server.url]
            with Child(command, log) as child:
                until(partial(has_recorded, log, least), "some clicks", every=0.003)
                child.kill()
            acknowledged += log.read_bytes().count(b"\n")
        sending = sending_parts(tmp_path, server.url, SettableClock())
        sending.outbox.send(sending.client)
        assert sending.outbox.waiting() == 0
        sending.close()
    counted = len(company.counted(FeedbackSignal.CLICK.value))
    assert acknowledged <= counted <= acknowledged + KILLS
    assert acknowledged >= KILLS

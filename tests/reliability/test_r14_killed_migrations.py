"""R14: kill -9 at any point of a migration from two versions back: all is there afterwards, in the old form or the new."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.domain.model import FeedbackSignal
from agent.store.event_queue import EventQueue
from agent.store.migrations import MIGRATIONS
from tests.support.agent.killed import OPEN
from tests.support.agent.kills import victims
from tests.support.agent.on_trial import a_company, make_old, prepare
from tests.support.agent.parts import SettableClock, an_agent
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.withdrawing import AnyKeychain
from tests.support.proofs import Proof

BACK = 2
LONGEST_S = 0.15


def contents(folder: Path) -> dict[str, object]:
    """All that an agent knows, by what it says."""
    with an_agent(folder, AnyKeychain()) as agent:
        runtime, queue = agent.runtime, EventQueue(agent.folders.data, SettableClock())
        return {
            "announcements": runtime.inbox(),
            "sent": runtime.my_data.sent(),
            "receipts": runtime.my_data.receipts(),
            "choices": runtime.choices(),
            "waiting": runtime.status().waiting,
            "queues": [queue.head(signal, 1_000) for signal in FeedbackSignal],
            "preferences": runtime.preferences.own(),
            "enrolment": runtime._connector.enrolment(),
            "counters": runtime._connector._enrolments.counters(),
            "troubles": runtime.status().troubles,
        }


def version(folder: Path) -> int:
    """The version of the store on the disk."""
    with closing(sqlite3.connect(folder / "data" / "tidings.sqlite3")) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


@pytest.mark.proves("R14")
def test_no_kill_during_a_migration_loses_anything(tmp_path: Path, proof: Proof) -> None:
    trials, chance = proof.trials(200, 8), random.Random(14)
    template, lost, on_the_way = tmp_path / "template", list[int](), 0
    with loopback_server(a_company()) as server:
        prepare(template, server)
    first = contents(template)
    make_old(template, BACK)
    assert version(template) == len(MIGRATIONS) - BACK
    before = contents(shutil.copytree(template, tmp_path / "not-killed"))
    added = {name for name in first if first[name] != before[name]}
    assert added <= {"announcements", "enrolment"}, "only these have fields that the old version lacked"
    with victims() as process:
        for number in range(trials):
            folder = shutil.copytree(template, tmp_path / str(number))
            assert process.kill(OPEN, folder, chance.uniform(0, LONGEST_S))
            on_the_way += version(folder) < len(MIGRATIONS)
            if contents(folder) != before or version(folder) != len(MIGRATIONS):
                lost.append(number)
            shutil.rmtree(folder)
    proof.found("stores that lacked something after a kill during their migration", len(lost), trials)
    proof.found("kills that came before the newest version was there", on_the_way, trials)
    assert lost == []
    if proof.is_full:
        assert 0 < on_the_way < trials

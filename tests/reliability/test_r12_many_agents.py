"""R12: thousands of agents that poll each minute, over real connections, against one `tidings-server serve`."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests

from tests.support import server_data
from tests.support.campaign_server import RunningServer, ServerHome
from tests.support.many_agents import Plan, measure
from tests.support.proofs import Proof
from tests.support.wire import an_hour_ago

WORKERS = 2
P99_MS = 250.0


@pytest.mark.proves("R12")
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_agents_that_poll_each_minute_are_all_answered(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, proof: Proof
) -> None:
    url = request.getfixturevalue("postgres_cluster").new_database() if database == "PostgreSQL" else None
    home = ServerHome(tmp_path / "server", url)
    home.init()
    count = proof.trials(full=10_000, few=150)
    interval_s, seconds = (60.0, 130.0) if proof.is_full else (2.0, 6.0)
    with home.opened():
        people = server_data.add_people(count)
        tokens = server_data.add_computers(people)
        for number in range(5):
            server_data.publish(f"c-{number}", starts=an_hour_ago(), groups=["Everyone"])
    with home.running(workers=WORKERS) as server:
        plan = Plan(server.url, tokens, _tags(server, tokens), interval_s, seconds)
        figures = measure(plan, tmp_path)
        said = server.process.output()
    busy = f"load of the machine {os.getloadavg()[0]:.1f} at the end"
    proof.found(f"polls that failed ({database})", figures.errors, figures.polls)
    proof.found(
        f"99th percentile in ms ({database}; half within {figures.p50_ms:.1f}; {busy})",
        f"{figures.p99_ms:.1f}",
        figures.polls,
    )
    assert figures.errors == 0, figures
    assert figures.polls >= count * (seconds / interval_s - 1)
    assert "WARNING" not in said
    if proof.is_full:
        assert figures.p99_ms <= P99_MS, figures


def _tags(server: RunningServer, tokens: Sequence[str]) -> list[str]:
    """Each agent's tag of an unchanged feed: what differs is the person."""
    with requests.Session() as session:
        answers = [
            session.get(f"{server.url}/api/v1/feed", headers={"Authorization": f"Bearer {token}"}, timeout=60)
            for token in tokens
        ]
    return [answer.headers["ETag"] for answer in answers]

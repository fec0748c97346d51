"""The server on both databases: unchanged polls beside a bare Django view, and a flood of signals.

The load generator runs on the same machine, and the figures include what it takes.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import requests

from tests.support.server import django_ready  # noqa: F401  # isort: skip  (first: models need it)
from benchmarks import wrk
from benchmarks.rows import Row
from server.signals.models import Consent, Signal
from tests.support.agent.many_agents import Plan, measure
from tests.support.children import Child
from tests.support.ports import free_port
from tests.support.server import bulk_data, postgres
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago
from tests.support.waiting import until

PEOPLE = 2_000
CAMPAIGNS = 100
CONNECTIONS = 32
WARM_UP_S = 3
SECONDS = 15
WORKERS = 2
EVENTS = 100_000
BATCH = 100
SENDERS = 4
BARE_THREADS = 5
"""Of the bare view: as many as answered most."""

POLLS_BY_BARE = 0.6
P99_MS = 100.0
AGENTS = 10_000
AGENTS_INTERVAL_S = 60.0
AGENTS_S = 75.0
AGENTS_P99_MS = 250.0
"""As R12 has it."""


def run() -> list[Row]:
    """Measure on SQLite and on PostgreSQL."""
    rows = _measure("SQLite", None)
    with postgres.cluster() as cluster:
        rows += _measure("PostgreSQL", cluster.new_database())
    return rows


def _measure(database: str, url: str | None) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as name:
        folder = Path(name)
        home = ServerHome(folder / "server", url)
        home.init()
        tokens, receipts = _fill(home)
        with home.running("--requests-per-minute", "0", workers=WORKERS) as server:
            tags = _tags(server.url, tokens)
            polls = _polls(server.url, tokens, tags, folder)
            agents = measure(_ten_thousand(server.url, tokens, tags), folder)
            signals_a_second = _send_signals(server.url, tokens, receipts)
        stored = _stored(home)
        with _bare_django(home, folder) as bare_url:
            bare = _polls(bare_url, tokens, tags, folder)
    return [
        Row(
            "server",
            f"unchanged polls a second, {database}",
            polls.per_second,
            "1/s",
            f"≥ {POLLS_BY_BARE:g} ×",
            polls.per_second >= POLLS_BY_BARE * bare.per_second and not polls.other_answers,
            bare.per_second,
            "bare Django view",
        ),
        Row(
            "server",
            f"99th percentile of a poll, {database}",
            polls.p99_ms,
            "ms",
            f"< {P99_MS:g} ms",
            polls.p99_ms < P99_MS,
            bare.p99_ms,
            "bare Django view",
        ),
        Row(
            "server",
            f"99th percentile of {AGENTS:,} agents on lines of their own, {agents.most_open:,} at once, {database}",
            agents.p99_ms,
            "ms",
            f"≤ {AGENTS_P99_MS:g} ms, no error",
            agents.p99_ms <= AGENTS_P99_MS and not agents.errors,
        ),
        Row(
            "server",
            f"signals stored a second, {stored:,} in batches of {BATCH}, {database}",
            signals_a_second,
            "1/s",
            f"all {EVENTS:,} stored",
            stored == EVENTS,
        ),
    ]


def _fill(home: ServerHome) -> tuple[list[str], list[str]]:
    """People with a computer each, who share *seen*, and campaigns for all of them."""
    with home.opened():
        people = bulk_data.add_people(PEOPLE)
        tokens = bulk_data.add_computers(people)
        for number in range(CAMPAIGNS):
            bulk_data.publish(f"c-{number}", starts=an_hour_ago(), groups=["Everyone"])
        receipts = [uuid4() for _ in people]
        Consent.objects.bulk_create(
            Consent(
                person=person,
                receipt_id=receipt,
                signal="seen",
                status=Consent.Status.GIVEN,
                notice_version=3,
                time=an_hour_ago(),
                language="en",
                agent_version="0.1.0",
                receipt="",
            )
            for person, receipt in zip(people, receipts, strict=True)
        )
    return tokens, [str(receipt) for receipt in receipts]


def _tags(url: str, tokens: Sequence[str]) -> list[str]:
    with requests.Session() as session:
        answers = [
            session.get(f"{url}/api/v1/feed", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            for token in tokens
        ]
    return [answer.headers["ETag"] for answer in answers]


def _polls(url: str, tokens: Sequence[str], tags: Sequence[str], folder: Path) -> wrk.Load:
    wrk.polls(url, tokens, tags, folder, CONNECTIONS, WARM_UP_S)
    return wrk.polls(url, tokens, tags, folder, CONNECTIONS, SECONDS)


def _ten_thousand(url: str, tokens: Sequence[str], tags: Sequence[str]) -> Plan:
    """Agents that poll each minute; several have one token, which costs the server the same."""
    times = AGENTS // len(tokens)
    return Plan(url, [*tokens] * times, [*tags] * times, AGENTS_INTERVAL_S, AGENTS_S)


def _send_signals(url: str, tokens: Sequence[str], receipts: Sequence[str]) -> float:
    """Send all events, each batch from another person. Gives events a second."""
    bodies = [_batch(receipts[number]) for number in range(EVENTS // BATCH)]
    work = list(zip(tokens, bodies, strict=False))
    started = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(_send, [url] * SENDERS, [work[start::SENDERS] for start in range(SENDERS)]))
    return EVENTS / (time.perf_counter() - started)


def _batch(receipt: str) -> bytes:
    common = {"signal": "seen", "date": an_hour_ago().date().isoformat(), "receipt_id": receipt}
    events = [
        common | {"event_id": str(uuid4()), "campaign_id": f"c-{number % CAMPAIGNS}"}
        for number in range(BATCH)
    ]
    return json.dumps({"events": events}).encode()


def _send(url: str, work: Sequence[tuple[str, bytes]]) -> None:
    """Send batches one after the other on one connection; a busy server is asked again as it says."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
    for token, body in work:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        while True:
            connection.request("POST", "/api/v1/signals", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 503:
                break
            time.sleep(float(answer.headers["Retry-After"]))
    connection.close()


def _stored(home: ServerHome) -> int:
    with home.opened():
        return Signal.objects.count()


@contextmanager
def _bare_django(home: ServerHome, folder: Path) -> Iterator[str]:
    """The reference, served by the same granian with as many workers and threads, on the same database."""
    port = free_port()
    variables = dict(os.environ) | {"BENCH_SQLITE": str(home.folder / "tidings.sqlite3")}
    if home.database_url:
        variables["BENCH_DATABASE_URL"] = home.database_url
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--no-log"]
    command += [
        "--workers",
        str(WORKERS),
        "--blocking-threads",
        str(BARE_THREADS),
        "benchmarks.bare_django:application",
    ]
    url = f"http://127.0.0.1:{port}"
    with Child(command, folder / "bare.log", env=variables):
        until(lambda: _answers(url), "the bare view to answer", seconds=30)
        yield url


def _answers(url: str) -> bool:
    try:
        return (
            requests.get(f"{url}/api/v1/feed", headers={"Authorization": "Bearer x"}, timeout=5).status_code
            == 401
        )
    except requests.ConnectionError:
        return False

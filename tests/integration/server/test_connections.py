"""Connections: as many as are promised, silent ones closed, and what is said where descriptors are few."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.children import descendants, end_all
from tests.support.raw_http import answer, connect, head, is_closed
from tests.support.server import bulk_data
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago
from tests.support.waiting import until

MORE_THAN_ONCE = 1_500
"""Lines at once: the runner's own limit is 1,024."""
LARGE = 32 * 1024 * 1024
FEW = 400
"""Descriptors, of which a worker keeps 200 for itself."""
PATIENCE_S = 60


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    home = ServerHome(tmp_path_factory.mktemp("connections") / "server")
    home.init()
    return home


@pytest.fixture(scope="module")
def server(home: ServerHome) -> Iterator[RunningServer]:
    with home.running("--idle-timeout", "2") as server:
        yield server


def test_more_lines_than_the_runner_holds_by_itself_are_answered(server: RunningServer) -> None:
    ask = head("GET", "/api/v1/health")
    with ExitStack() as held:
        lines = [held.enter_context(connect(server.url)) for _ in range(MORE_THAN_ONCE)]
        for line in (lines[0], lines[-1]):
            line.sendall(ask)
            assert answer(line).status == 200


@pytest.mark.parametrize("said", [b"", b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n", b"PRI * HTTP/2.0\r\n"])
def test_a_line_that_says_nothing_or_not_enough_is_closed(server: RunningServer, said: bytes) -> None:
    with connect(server.url) as line:
        line.sendall(said)
        assert is_closed(line, 60)


def test_a_line_that_was_answered_is_kept_for_a_while_and_then_closed(server: RunningServer) -> None:
    with connect(server.url) as line:
        for _ in range(3):
            line.sendall(head("GET", "/api/v1/health"))
            assert answer(line).status == 200
        assert is_closed(line, 60)


def test_headers_without_end_are_refused(server: RunningServer) -> None:
    with connect(server.url) as line:
        line.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n")
        assert answer(line).status in (400, 431)


def test_few_descriptors_are_told_and_are_not_used_up(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    checked = subprocess.run(
        ["prlimit", f"--nofile={FEW}:{FEW}", "--", sys.executable, "-m", "server", "check"],
        env=home.variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "! Connections" in checked.stdout
    assert "LimitNOFILE=" in checked.stdout
    with home.running("--idle-timeout", "6", descriptors=FEW) as server, ExitStack() as held:
        assert "hold fewer connections than the 10000 that are promised" in server.process.output()
        lines = [held.enter_context(connect(server.url)) for _ in range(FEW)]
        used = _processor_seconds(server)
        until(lambda: "connections of this worker are open" in server.process.output(), "the log to tell")
        for line in lines:
            assert is_closed(line, 90)
        assert _processor_seconds(server) - used < 6, "it was busy while there was nothing to do"
        assert requests.get(f"{server.url}/api/v1/health", timeout=60).ok
        assert "Too many open files" not in server.process.output()


def _processor_seconds(server: RunningServer) -> float:
    times = [process.cpu_times() for process in descendants(server.process.pid)]
    return sum(each.user + each.system for each in times)


def test_a_token_downloads_three_files_at_once_and_takes_nobody_elses_place(
    home: ServerHome, server: RunningServer
) -> None:
    with home.opened():
        own, other = bulk_data.add_computers(bulk_data.add_people(2))
        video = bulk_data.add_media(b"x" * LARGE, "video/mp4")
        bulk_data.publish("c-video", starts=an_hour_ago(), media=[video])
    with ExitStack() as held:
        path = f"/api/v1/media/{video.sha256}"
        for _ in range(3):
            line = held.enter_context(connect(server.url))
            line.sendall(head("GET", path, {"Authorization": f"Bearer {own}"}))
            assert line.recv(12) == b"HTTP/1.1 200"
        statuses = {
            token: requests.get(
                server.url + path,
                headers={"Authorization": f"Bearer {token}", "Range": "bytes=0-9"},
                timeout=30,
            ).status_code
            for token in (own, other)
        }
        assert statuses == {own: 503, other: 206}
        assert "503, downloads: one token has all 3 places" in server.process.output()


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"a", {tag} , "b"', 304),
        ('"a",W/{tag}', 304),
        ("*", 304),
        ('"a"', 200),
        ("{bare}", 200),
        ('"' + "a" * 20_000 + '"', 200),
        ('"a",' * 5_000, 200),
        ("W/" * 5_000, 200),
        ("," * 20_000, 200),
    ],
)
def test_if_none_match_is_compared_weakly_and_read_to_a_limit(
    home: ServerHome, server: RunningServer, condition: str, status: int
) -> None:
    with home.opened():
        (token,) = bulk_data.add_computers(bulk_data.add_people(1))
    url, headers = f"{server.url}/api/v1/feed", {"Authorization": f"Bearer {token}"}
    tag = requests.get(url, headers=headers, timeout=30).headers["ETag"]
    asked = headers | {"If-None-Match": condition.format(tag=tag, bare=tag.strip('"'))}
    assert requests.get(url, headers=asked, timeout=30).status_code == status


@pytest.mark.parametrize("count", [2, 500, 3_000])
def test_many_ranges_cost_no_more_than_one(home: ServerHome, server: RunningServer, count: int) -> None:
    with home.opened():
        (token,) = bulk_data.add_computers(bulk_data.add_people(1))
        video = bulk_data.add_media(f"{count}".encode() * 1_000, "video/mp4")
        bulk_data.publish(f"c-ranges-{count}", starts=an_hour_ago(), media=[video])
    ranges = "bytes=" + ",".join(f"{n}-{n}" for n in range(count))
    headers = {"Authorization": f"Bearer {token}", "Range": ranges}
    answered = requests.get(f"{server.url}/api/v1/media/{video.sha256}", headers=headers, timeout=30)
    assert answered.status_code in (200, 206, 416)
    assert len(answered.content) <= video.size


def test_the_description_is_built_once(server: RunningServer) -> None:
    url = f"{server.url}/api/v1/openapi.json"
    first = requests.get(url, timeout=30)
    used = _processor_seconds(server)
    for _ in range(100):
        assert requests.get(url, timeout=30).content == first.content
    assert _processor_seconds(server) - used < 3, "it took 0.1 s each time"


def test_workers_end_with_the_process_that_looks_after_them(tmp_path: Path) -> None:
    """Else they answer on, beside those of the next start, and perhaps of a database that was replaced meanwhile."""
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.running(workers=2) as server:
        pid = server.process.pid
        until(lambda: len(descendants(pid)) >= 2, "two workers", PATIENCE_S)
        workers = descendants(pid)
        try:
            psutil.Process(pid).kill()
            _ended, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
        finally:
            end_all(workers)
    assert not alive

"""Every error is a problem document, whatever was sent."""

import contextlib
import json
import socket
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from psycopg import sql

from tests.support.raw_http import connect, head
from tests.support.server import bulk_data
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.postgres import PostgresCluster
from tests.support.server.wire import an_hour_ago, consent
from tests.support.waiting import until

LARGE = 32 * 1024 * 1024
OF_A_COMPANY = 32
"""Writes of one company that may wait."""
DOWNLOADS_OF_A_TOKEN = 3


@pytest.fixture
def headers(northwind: ServerHome) -> dict[str, str]:
    """Those of a connected computer."""
    token = bulk_data.add_computers(bulk_data.add_people(1))[0]
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}


def _assert_problem(answer: requests.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "detail", "status"}
    assert (body["type"], body["status"]) == (f"tidings:{code}", status)


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1/", "/api/v1/nothing", "/api/v2/feed", "/api/v1/feed/", "/admin"]
)
def test_an_unknown_address_is_a_404(serving: RunningServer, path: str) -> None:
    _assert_problem(requests.get(serving.url + path, timeout=30), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "feed"), ("GET", "signals"), ("PUT", "consents"), ("GET", "device")]
)
def test_a_wrong_method_is_a_405_that_names_the_right_one(
    serving: RunningServer, method: str, path: str
) -> None:
    answer = requests.request(method, f"{serving.url}/api/v1/{path}", timeout=30)
    _assert_problem(answer, 405, "unreadable-request")
    assert answer.headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b"1" * 10_000, b'{"events": "\\ud800"}', b"null"],
    ids=["empty", "cut", "not-utf-8", "deep", "nan", "long-number", "half-a-character", "null"],
)
def test_a_body_that_is_no_message_is_refused(
    serving: RunningServer, headers: dict[str, str], body: bytes
) -> None:
    answer = requests.post(f"{serving.url}/api/v1/signals", data=body, headers=headers, timeout=30)
    if answer.status_code == 422:
        _assert_problem(answer, 422, "invalid-request")
    else:
        _assert_problem(answer, 400, "unreadable-request")


def test_a_body_that_is_not_said_to_be_json_is_a_415(serving: RunningServer, headers: dict[str, str]) -> None:
    text = headers | {"Content-Type": "text/plain"}
    answer = requests.post(f"{serving.url}/api/v1/signals", data=b"{}", headers=text, timeout=30)
    _assert_problem(answer, 415, "unreadable-request")


def test_a_body_that_is_too_large_is_a_413(serving: RunningServer, headers: dict[str, str]) -> None:
    body = json.dumps({"events": [], "padding": "x" * 300_000})
    answer = requests.post(f"{serving.url}/api/v1/signals", data=body, headers=headers, timeout=30)
    _assert_problem(answer, 413, "unreadable-request")


@pytest.mark.both_databases
@pytest.mark.parametrize("text", ["a\x00b", "\u202e", "é" * 60, "'; DROP TABLE directory_person; --", "%00"])
def test_strange_text_is_refused_not_stored(serving: RunningServer, northwind: ServerHome, text: str) -> None:
    body = {"code": text, "agent_version": "0.1.0", "platform": "linux"}
    answer = requests.post(f"{serving.url}/api/v1/enrolments", json=body, timeout=30)
    _assert_problem(answer, 404, "invalid-code")
    body = {"code": "0000-0000-0000", "agent_version": text, "platform": "linux"}
    answer = requests.post(f"{serving.url}/api/v1/enrolments", json=body, timeout=30)
    _assert_problem(answer, 422, "invalid-request")


def test_the_first_fault_is_named_without_repeating_what_was_sent(serving: RunningServer) -> None:
    secret = "canary-7c1d"
    body = {"code": "0000-0000-0000", "agent_version": "0.1.0", "platform": secret}
    answer = requests.post(f"{serving.url}/api/v1/enrolments", json=body, timeout=30)
    _assert_problem(answer, 422, "invalid-request")
    assert answer.json()["detail"].startswith("platform: ")
    assert secret not in answer.text


def test_a_computer_that_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        busy, calm = bulk_data.add_computers(bulk_data.add_people(2))
    with home.running("--requests-per-minute", "5") as server:
        feed = f"{server.url}/api/v1/feed"
        answers = [
            requests.get(feed, headers={"Authorization": f"Bearer {busy}"}, timeout=30) for _ in range(6)
        ]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        _assert_problem(answers[-1], 429, "too-many-requests")
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
        assert requests.get(feed, headers={"Authorization": f"Bearer {calm}"}, timeout=30).status_code == 200


def test_a_computer_that_asks_too_often_may_still_take_consents_back_and_disconnect(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        (token,) = bulk_data.add_computers(bulk_data.add_people(1))
    headers = {"Authorization": f"Bearer {token}"}
    with home.running("--requests-per-minute", "1") as server:
        api, given = f"{server.url}/api/v1", consent("seen")
        assert requests.post(f"{api}/consents", json=given, headers=headers, timeout=30).ok
        assert requests.get(f"{api}/feed", headers=headers, timeout=30).status_code == 429
        assert (
            requests.post(f"{api}/consents", json=consent("like"), headers=headers, timeout=30).status_code
            == 429
        )
        taken_back = given | {"status": "withdrawn"}
        assert requests.post(f"{api}/consents", json=taken_back, headers=headers, timeout=30).ok
        assert requests.delete(f"{api}/device", headers=headers, timeout=30).status_code == 204


def test_slow_downloads_do_not_keep_others_from_polling(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        token = bulk_data.add_computers(bulk_data.add_people(1))[0]
        video = bulk_data.add_media(b"x" * LARGE, "video/mp4")
        bulk_data.publish("c-video", starts=an_hour_ago(), media=[video])
    headers = {"Authorization": f"Bearer {token}"}
    with home.running() as server:
        media = f"/api/v1/media/{video.sha256}"
        slow: list[socket.socket] = []
        try:
            refused = until(
                lambda: _refusals_after_one_more(server, media, headers, slow),
                "all download slots to be taken",
            )[0]
            _assert_problem(refused, 503, "overloaded")
            assert int(refused.headers["Retry-After"]) >= 1
            assert requests.get(f"{server.url}/api/v1/feed", headers=headers, timeout=30).status_code == 200
        finally:
            for connection in slow:
                connection.close()
        until(
            lambda: requests.get(server.url + media, headers=headers | {"Range": "bytes=0-0"}, timeout=30).ok,
            "the slots to be free again",
        )


def test_many_who_are_sent_away_make_few_lines_of_log(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        token = bulk_data.add_computers(bulk_data.add_people(1))[0]
        video = bulk_data.add_media(b"x" * LARGE, "video/mp4")
        bulk_data.publish("c-video", starts=an_hour_ago(), media=[video])
    headers, media = {"Authorization": f"Bearer {token}"}, f"/api/v1/media/{video.sha256}"
    with home.running() as server, contextlib.ExitStack() as slow:
        for _ in range(DOWNLOADS_OF_A_TOKEN):
            line = slow.enter_context(connect(server.url))
            line.sendall(head("GET", media, headers))
            line.recv(1)
        answers = [
            requests.get(server.url + media, headers=headers, timeout=30).status_code for _ in range(40)
        ]
        assert answers == [503] * 40
        lines = [
            line for line in server.process.output().splitlines() if "503" in line or "Unavailable" in line
        ]
        assert 1 <= len(lines) < 10


def _refusals_after_one_more(
    server: RunningServer, path: str, headers: dict[str, str], slow: list[socket.socket]
) -> list[requests.Response]:
    """Start one more download that nobody reads; then ask for another. Gives its answer if it is a refusal."""
    address = urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    slow.append(connection)
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {address.netloc}",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    connection.recv(1)
    answer = requests.get(server.url + path, headers=headers | {"Range": "bytes=0-0"}, timeout=30)
    return [answer] if answer.status_code == 503 else []


def _all_refused(sent: Sequence[Future[requests.Response]]) -> list[requests.Response]:
    """Those that found no place, once it is all of them: who is sent later would find one."""
    found = [one.result() for one in sent if one.done()]
    return found if len(found) == len(sent) - OF_A_COMPANY else []


def test_writes_that_wait_too_many_at_once_are_sent_away_and_polls_go_on(tmp_path: Path) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    with home.opened():
        tokens = bulk_data.add_computers(bulk_data.add_people(OF_A_COMPANY + 8))
    headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
    with home.running() as server, closing(sqlite3.connect(home.folder / "tidings.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(len(tokens) + 1) as together:
            sent = [
                together.submit(
                    requests.post,
                    f"{server.url}/api/v1/consents",
                    json=consent("seen"),
                    headers=own,
                    timeout=30,
                )
                for own in headers
            ]
            refused = until(lambda: _all_refused(sent), "all that find no place to be sent away")
            _assert_problem(refused[0], 503, "overloaded")
            assert int(refused[0].headers["Retry-After"]) >= 1
            assert (
                requests.get(f"{server.url}/api/v1/feed", headers=headers[0], timeout=30).status_code == 200
            )
            taken_back = together.submit(
                requests.post,
                f"{server.url}/api/v1/consents",
                json=consent("like", "withdrawn"),
                headers=headers[-1],
                timeout=30,
            )
            other.execute("ROLLBACK")
            # All places of the company were taken: a withdrawal has one of its own.
            assert taken_back.result().status_code == 200
            statuses = sorted(one.result().status_code for one in sent)
    assert statuses == [200] * OF_A_COMPANY + [503] * 8


def test_a_database_that_is_gone_is_a_503_and_comes_back(
    tmp_path: Path, postgres_cluster: PostgresCluster
) -> None:
    url = postgres_cluster.new_database()
    home = ServerHome(tmp_path / "server", url)
    home.init()
    with home.opened():
        token = bulk_data.add_computers(bulk_data.add_people(1))[0]
    name = sql.Identifier(url.rpartition("/")[2])
    with (
        home.running() as server,
        psycopg.connect(postgres_cluster.url("postgres"), autocommit=True) as administrator,
    ):
        feed, headers = f"{server.url}/api/v1/feed", {"Authorization": f"Bearer {token}"}
        assert requests.get(feed, headers=headers, timeout=30).ok
        administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        for _ in range(3):
            answer = requests.get(feed, headers=headers, timeout=30)
            _assert_problem(answer, 503, "overloaded")
            assert 5 <= int(answer.headers["Retry-After"]) <= 15
        administrator.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        assert requests.get(feed, headers=headers, timeout=30).ok

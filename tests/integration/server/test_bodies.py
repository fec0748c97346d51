"""Bodies of requests: slow, in chunks, cut or encoded. None keeps others out, and none is refused for good unread."""

import contextlib
import gzip
import json
from collections.abc import Iterator

import pytest
import requests

from tests.support.raw_http import answer, chunked, connect, head, lines
from tests.support.server import bulk_data
from tests.support.server.campaign_server import Computer, RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago, consent, event, give

STALLED = 200
"""More than there are threads and places for writes in any worker."""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def computer(northwind: ServerHome, serving: RunningServer) -> Computer:
    """A person's computer, who shares *seen*, with a campaign."""
    (person,) = bulk_data.add_people(1)
    bulk_data.publish("c-news", starts=an_hour_ago())
    return bulk_data.connect(serving, person.email)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, list[str]]]:
    """One worker, and the tokens of three people."""
    home = ServerHome(tmp_path_factory.mktemp("bodies") / "server")
    home.init()
    with home.opened():
        tokens = bulk_data.add_computers(bulk_data.add_people(3))
    with home.running() as server:
        yield server, tokens


def _as(token: str) -> dict[str, str]:
    return JSON | {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["enrolments", "signals", "consents"])
def test_bodies_that_never_come_keep_nobody_from_writing(
    small: tuple[RunningServer, list[str]], path: str
) -> None:
    server, tokens = small
    with lines(server.url, STALLED) as stalled:
        for line in stalled:
            line.sendall(head("POST", f"/api/v1/{path}", JSON | {"Content-Length": "5000"}) + b"{")
        code = {"code": "0000-0000-0000", "agent_version": "0.1.0", "platform": "linux"}
        enrolled = requests.post(f"{server.url}/api/v1/enrolments", json=code, timeout=30)
        assert (enrolled.status_code, enrolled.json()["type"]) == (404, "tidings:invalid-code")
        given = requests.post(
            f"{server.url}/api/v1/consents", json=consent("seen"), headers=_as(tokens[0]), timeout=30
        )
        assert given.status_code == 200, given.text


def test_bodies_of_ones_own_that_never_come_keep_nobody_from_withdrawing(
    small: tuple[RunningServer, list[str]],
) -> None:
    server, (own, other, _) = small
    message = consent("like")
    assert requests.post(f"{server.url}/api/v1/consents", json=message, headers=_as(own), timeout=30).ok
    with lines(server.url, STALLED) as stalled:
        for number, line in enumerate(stalled):
            token = own if number % 2 else other
            line.sendall(head("POST", "/api/v1/signals", _as(token) | {"Content-Length": "5000"}) + b"{")
        taken_back = message | {"status": "withdrawn"}
        ended = requests.post(f"{server.url}/api/v1/consents", json=taken_back, headers=_as(own), timeout=30)
    assert ended.status_code == 200, ended.text


def test_a_body_that_stalls_is_given_up(small: tuple[RunningServer, list[str]]) -> None:
    server, (_, _, token) = small
    with connect(server.url) as line:
        line.sendall(head("POST", "/api/v1/signals", _as(token) | {"Content-Length": "5000"}) + b"{")
        refused = answer(line)
        assert refused.status == 408
        assert refused.json()["type"] == "tidings:unreadable-request"


@pytest.mark.parametrize("pieces", [1, 3, 50])
def test_a_body_in_chunks_is_read_like_any_other(computer: Computer, pieces: int) -> None:
    body = json.dumps({"events": [event("seen", "c-news", give(computer, "seen"))]}).encode()
    size = -(-len(body) // pieces)
    with connect(computer.url) as line:
        headers = computer.headers | JSON | {"Transfer-Encoding": "chunked"}
        line.sendall(head("POST", "/api/v1/signals", headers))
        line.sendall(chunked(*(body[start : start + size] for start in range(0, len(body), size))))
        stored = answer(line)
        assert stored.status == 200
        assert stored.json()["results"][0]["status"] == "stored"


def test_chunks_without_end_are_a_413(computer: Computer) -> None:
    with connect(computer.url) as line:
        headers = computer.headers | JSON | {"Transfer-Encoding": "chunked"}
        line.sendall(head("POST", "/api/v1/signals", headers))
        line.sendall(b"".join(b"8000\r\n%s\r\n" % (b" " * 0x8000) for _ in range(9)))
        refused = answer(line)
        assert refused.status == 413
        assert refused.json()["type"] == "tidings:unreadable-request"


GOOD = json.dumps({"events": [event("seen", "c-news", "0d9b6c1e-3f2a-4c5d-8e7f-000000000001")]}).encode()


@pytest.mark.parametrize(
    ("changed", "body", "status"),
    [
        ({}, b"", 400),
        ({}, GOOD[:-1], 400),
        ({}, GOOD[: len(GOOD) // 2], 400),
        ({}, GOOD + b"}", 400),
        ({}, GOOD.decode().encode("utf-16"), 400),
        ({"Content-Encoding": "gzip"}, gzip.compress(GOOD), 415),
        ({"Content-Encoding": "gzip"}, GOOD, 415),
        ({"Content-Encoding": "br"}, GOOD, 415),
        ({"Content-Type": "text/plain"}, GOOD, 415),
        ({"Content-Type": ""}, GOOD, 415),
    ],
    ids=[
        "empty", "without-its-last-byte", "half", "longer", "utf-16", "gzip", "no-gzip", "brotli", "text", "no-type",
    ],
)  # fmt: skip
def test_a_body_that_was_changed_on_its_way_is_not_refused_for_good(
    computer: Computer, changed: dict[str, str], body: bytes, status: int
) -> None:
    headers = computer.headers | JSON | changed
    refused = requests.post(f"{computer.url}/api/v1/signals", data=body, headers=headers, timeout=30)
    assert (refused.status_code, refused.json()["type"]) == (status, "tidings:unreadable-request")


def test_a_whole_body_that_is_against_the_schema_is_refused_for_good(computer: Computer) -> None:
    refused = computer.post("/signals", {"events": []})
    assert (refused.status_code, refused.json()["type"]) == (422, "tidings:invalid-request")


def test_a_line_that_is_cut_within_a_body_leaves_no_trace(
    small: tuple[RunningServer, list[str]],
) -> None:
    server, (token, *_) = small
    for _ in range(20):
        with connect(server.url) as line:
            line.sendall(head("POST", "/api/v1/signals", _as(token) | {"Content-Length": "5000"}) + b"{")
    assert requests.post(
        f"{server.url}/api/v1/consents", json=consent("seen"), headers=_as(token), timeout=30
    ).ok
    assert "Traceback" not in server.process.output()
    assert "ERROR" not in server.process.output()


@pytest.mark.parametrize("path", ["health", "feed", "me", "openapi.json", "nothing"])
def test_head_is_answered_like_get_without_the_body(computer: Computer, path: str) -> None:
    url = f"{computer.url}/api/v1/{path}"
    got = requests.get(url, headers=computer.headers, timeout=30)
    asked = requests.head(url, headers=computer.headers, timeout=30)
    assert asked.status_code == got.status_code
    assert asked.headers["Content-Type"] == got.headers["Content-Type"]
    assert asked.content == b""


def test_head_of_a_file_tells_its_size_and_takes_no_place(computer: Computer) -> None:
    video = bulk_data.add_media(b"x" * 500_000, "video/mp4")
    bulk_data.publish("c-video", starts=an_hour_ago(), media=[video])
    for _ in range(10):
        asked = requests.head(
            f"{computer.url}/api/v1/media/{video.sha256}", headers=computer.headers, timeout=30
        )
        assert (asked.status_code, asked.headers["Content-Length"]) == (200, "500000")


WITHDRAWN = json.dumps(consent("seen", "withdrawn")).encode()
SIZE = b"%x\r\n"
ODD_BODIES: dict[str, tuple[dict[str, str], bytes]] = {
    "a chunk that is shorter than it says": (
        {"Transfer-Encoding": "chunked"},
        SIZE % 5 + WITHDRAWN + b"\r\n0\r\n\r\n",
    ),
    "a chunk without a size": ({"Transfer-Encoding": "chunked"}, b"zz\r\n" + WITHDRAWN),
    "a chunk of 2^72 bytes": ({"Transfer-Encoding": "chunked"}, SIZE % (2**72) + WITHDRAWN),
    "an extension without end": ({"Transfer-Encoding": "chunked"}, b"1;" + b"x" * 200_000),
    "trailers without end": (
        {"Transfer-Encoding": "chunked"},
        chunked(WITHDRAWN)[:-2] + b"X: y\r\n" * 50_000,
    ),
    "a length below zero": ({"Content-Length": "-1"}, WITHDRAWN),
    "a length with a sign": ({"Content-Length": "+5"}, WITHDRAWN),
    "a length of 30 digits": ({"Content-Length": "9" * 30}, WITHDRAWN),
    "a length of a gigabyte": ({"Content-Length": str(10**9)}, WITHDRAWN),
    "two codings": ({"Transfer-Encoding": "gzip, chunked"}, chunked(WITHDRAWN)),
}


@pytest.mark.parametrize("odd", ODD_BODIES)
def test_a_body_that_is_none_is_refused_and_costs_its_own_line_only(
    small: tuple[RunningServer, list[str]], odd: str
) -> None:
    server, (token, other, _) = small
    headers, body = ODD_BODIES[odd]
    with connect(server.url) as line:
        with contextlib.suppress(ConnectionError):  # it may be closed before all was said
            line.sendall(head("POST", "/api/v1/consents", _as(token) | headers) + body)
        with contextlib.suppress(ConnectionError):
            assert answer(line).status in (400, 408, 413, 415, 501)
    given = requests.post(
        f"{server.url}/api/v1/consents", json=consent("seen"), headers=_as(other), timeout=30
    )
    assert given.status_code == 200
    assert "Traceback" not in server.process.output()


def test_requests_one_after_the_other_without_waiting_are_all_answered(
    small: tuple[RunningServer, list[str]],
) -> None:
    server, (token, *_) = small
    length = {"Content-Length": str(len(WITHDRAWN))}
    one = head("POST", "/api/v1/consents", _as(token) | length) + WITHDRAWN
    with connect(server.url) as line:
        line.sendall(one * 20 + head("GET", "/api/v1/health", {"Connection": "close"}))
        said = b"".join(iter(lambda: line.recv(64 * 1024), b""))
    assert said.count(b"HTTP/1.1 200 OK") == 21


@pytest.mark.parametrize("known", [True, False])
def test_a_body_that_waits_to_be_asked_for_is_asked_of_those_only_who_hold_a_token(
    small: tuple[RunningServer, list[str]], known: bool
) -> None:
    server, (token, *_) = small
    waits = {"Expect": "100-continue", "Content-Length": str(len(WITHDRAWN))}
    with connect(server.url) as line:
        line.sendall(head("POST", "/api/v1/consents", _as(token if known else "tdt_unknown") | waits))
        if known:
            assert line.recv(64).startswith(b"HTTP/1.1 100 ")
            line.sendall(WITHDRAWN)
        assert answer(line).status == (200 if known else 401)

"""The way to the server, against real loopback servers that behave well and badly."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.transport.http_client import ApiClient
from tests.support.agent.scripted_server import (
    LOST,
    LoopbackServer,
    Reply,
    html,
    json_reply,
    loopback_server,
    problem,
)
from tests.support.waiting import PATIENCE_S, until

TOKEN = "tdt_" + "s" * 43


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with loopback_server(lambda _: json_reply({"status": "ok"})) as running:
        yield running


@pytest.fixture
def client(server: LoopbackServer) -> Iterator[ApiClient]:
    with closing(ApiClient(server.url, TOKEN)) as opened:
        yield opened


def fails_with(client: ApiClient, kind: type[errors.TidingsError], **bounds: int) -> errors.TidingsError:
    """The fault that a request ends in, which is of exactly this kind."""
    with pytest.raises(errors.TidingsError) as raised:
        client.request("GET", "/api/v1/feed", **bounds)
    assert type(raised.value) is kind, raised.value.detail
    return raised.value


def test_a_poll_sends_exactly_the_allowed_headers(server: LoopbackServer, client: ApiClient) -> None:
    client.request("GET", "/api/v1/feed", headers={"If-None-Match": '"1"'})
    (request,) = server.requests
    assert request.names == {"host", "user-agent", "accept-encoding", "authorization", "if-none-match"}
    assert request.header("User-Agent") == "tidings/0.1.0"
    assert request.header("Accept-Encoding") == "identity"
    assert request.header("Authorization") == f"Bearer {TOKEN}"


def test_a_message_sends_exactly_the_allowed_headers_and_the_very_bytes(
    server: LoopbackServer, client: ApiClient
) -> None:
    client.request("POST", "/api/v1/signals", body=b'{"events": [] }')
    (request,) = server.requests
    assert request.names == {
        "host",
        "user-agent",
        "accept-encoding",
        "authorization",
        "content-type",
        "content-length",
    }
    assert request.body == b'{"events": [] }'


def test_cookies_are_never_sent_back(server: LoopbackServer, client: ApiClient) -> None:
    server.answer = lambda _: json_reply({}, headers={"Set-Cookie": "id=42; Path=/"})
    client.request("GET", "/api/v1/feed")
    client.request("GET", "/api/v1/feed")
    assert "cookie" not in server.requests[1].names


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_netrc_file_is_never_used(
    server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with closing(ApiClient(server.url, token)) as client:
        client.request("GET", "/api/v1/health")
    assert server.requests[0].header("Authorization") == (f"Bearer {token}" if token else "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: LoopbackServer, client: ApiClient, status: int) -> None:
    server.answer = lambda _: Reply(status, b"", {"Location": f"{server.url}/elsewhere"})
    fails_with(client, errors.NotOurServer)
    assert [request.path for request in server.requests] == ["/api/v1/feed"]


def test_a_captive_portals_page_is_not_our_server(server: LoopbackServer, client: ApiClient) -> None:
    for status in (200, 401, 403, 404, 511):
        server.answer = lambda _, status=status: html(status)
        with pytest.raises((errors.NotOurServer, errors.ServerFault)):
            client.request("GET", "/api/v1/feed")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "unauthorized", errors.TokenRefused),
        (404, "invalid-code", errors.CodeRefused),
        (409, "notice-changed", errors.NoticeChanged),
        (422, "invalid-request", errors.NotUnderstood),
        (400, "invalid-request", errors.Refused),
        (413, "invalid-request", errors.Refused),
        (404, "not-found", errors.Refused),
        (400, "something-new", errors.Refused),
    ],
)
def test_each_problem_is_told_apart(
    server: LoopbackServer, client: ApiClient, status: int, code: str, kind: type[errors.Refused]
) -> None:
    server.answer = lambda _: problem(status, code)
    fault = fails_with(client, kind)
    assert type(fault) is kind
    assert fault.title
    assert fault.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 421, 422])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b'{"type": 3}',
        b"\xff\xfe",
        b"<!doctype html><title>404</title>",
        b'{"type": "about:blank", "title": "Not Found", "status": 404}',
        b'{"title": "Not Found"}',
        b'{"type": "https://gateway.example/problems/no-route", "title": "No route", "status": 404}',
        b'{"type": "TIDINGS:not-found"}',
        b'{"type": "tidings"}',
    ],
)
def test_a_problem_that_our_servers_do_not_have_was_told_by_somebody_else(
    server: LoopbackServer, client: ApiClient, status: int, body: bytes
) -> None:
    """A proxy or another service: neither is the token refused nor this version too old."""
    server.answer = lambda _: Reply(status, body, {"Content-Type": "application/problem+json"})
    fault = fails_with(client, errors.AnotherService)
    assert "too old" not in fault.message


def test_a_problem_of_ours_stays_ours_where_a_letter_of_it_is_damaged(
    server: LoopbackServer, client: ApiClient
) -> None:
    body = b'{"type": "tidings:not-found", "detail": "\xff"}'
    server.answer = lambda _: Reply(404, body, {"Content-Type": "application/problem+json"})
    fails_with(client, errors.Refused)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_is_a_fault_of_the_server(
    server: LoopbackServer, client: ApiClient, status: int
) -> None:
    server.answer = lambda _: Reply(status)
    fails_with(client, errors.ServerFault)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_how_long_to_wait_in_seconds(
    server: LoopbackServer, client: ApiClient, status: int
) -> None:
    server.answer = lambda _: problem(status, "overloaded", {"Retry-After": "17"})
    fault = fails_with(client, errors.ServerBusy)
    assert isinstance(fault, errors.ServerBusy)
    assert fault.retry_after_s == 17


def test_a_busy_server_says_how_long_to_wait_as_a_date(server: LoopbackServer, client: ApiClient) -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    server.answer = lambda _: Reply(503, b"", {"Retry-After": format_datetime(moment, usegmt=True)})
    fault = fails_with(client, errors.ServerBusy)
    assert isinstance(fault, errors.ServerBusy)
    assert fault.retry_after_s == pytest.approx(3600, abs=60)


def test_an_encoding_that_was_not_asked_for_is_refused(server: LoopbackServer, client: ApiClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    server.answer = lambda _: Reply(200, b"\x1f\x8b\x08" + b"\0" * 40, headers)
    fails_with(client, errors.NotOurServer)


def test_a_body_without_end_is_refused(server: LoopbackServer, client: ApiClient) -> None:
    server.answer = lambda _: Reply(
        200, headers={"Content-Type": "application/json"}, pieces=server.endless()
    )
    fails_with(client, errors.NotOurServer, max_bytes=1_000_000)


def test_a_body_that_comes_byte_by_byte_is_cut_at_the_deadline(
    server: LoopbackServer, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_DEADLINE_S", 0.3)
    server.answer = lambda _: Reply(200, headers={"Content-Type": "application/json"}, pieces=server.drip())
    fails_with(client, errors.ServerUnreachable)


def test_headers_that_come_line_by_line_are_cut_at_the_deadline(
    server: LoopbackServer, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_DEADLINE_S", 0.3)

    class Slow(dict[str, str]):
        def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]
            return ((f"X-{number}", "x" * 9000) for number, _ in enumerate(server.drip()))

    server.answer = lambda _: Reply(200, headers=Slow())
    fails_with(client, errors.ServerUnreachable)


def test_a_client_works_again_after_a_deadline(
    server: LoopbackServer, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_DEADLINE_S", 0.3)
    server.answer = lambda _: Reply(200, headers={"Content-Type": "application/json"}, pieces=server.drip())
    fails_with(client, errors.ServerUnreachable)
    monkeypatch.undo()
    server.answer = lambda _: json_reply({"status": "ok"})
    assert client.request("GET", "/api/v1/feed").status == 200


def test_a_silent_server_is_given_up(
    server: LoopbackServer, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READ_TIMEOUT_S", 0.2)

    def silent(_: object) -> Reply:
        server.closing.wait(PATIENCE_S)
        return Reply()

    server.answer = silent
    fails_with(client, errors.ServerUnreachable)


def test_a_lost_answer_is_an_unreachable_server(server: LoopbackServer, client: ApiClient) -> None:
    server.answer = lambda _: Reply(LOST)
    fails_with(client, errors.ServerUnreachable)


def test_a_cut_off_answer_is_an_unreachable_server(server: LoopbackServer, client: ApiClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "1000"}
    server.answer = lambda _: Reply(200, b'{"v": 1', headers)
    fails_with(client, errors.ServerUnreachable)


def test_no_server_is_an_unreachable_server() -> None:
    with loopback_server(lambda _: Reply()) as server:
        url = server.url
    with closing(ApiClient(url)) as client:
        fails_with(client, errors.ServerUnreachable)


def test_no_fault_tells_the_token(server: LoopbackServer, client: ApiClient) -> None:
    for reply in (
        html(),
        problem(401, "unauthorized"),
        Reply(500),
        Reply(LOST),
        Reply(302, b"", {"Location": "/"}),
    ):
        server.answer = lambda _, reply=reply: reply
        with pytest.raises(errors.TidingsError) as raised:
            client.request("GET", "/api/v1/feed")
        assert TOKEN not in raised.value.detail


def test_a_request_under_way_is_ended_from_another_thread(server: LoopbackServer, client: ApiClient) -> None:
    server.answer = lambda _: Reply(200, headers={"Content-Type": "application/json"}, pieces=server.drip())
    faults: list[errors.TidingsError] = []

    def ask() -> None:
        faults.append(fails_with(client, errors.Interrupted))

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: server.requests, "the request")
    client.abort()
    thread.join(PATIENCE_S)
    assert len(faults) == 1
    fails_with(client, errors.Interrupted)
    assert len(server.requests) == 1


# Files


def promising(content: bytes, start: int = 0) -> dict[str, str]:
    return {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}", "Content-Type": "video/mp4"}


def test_a_file_is_resumed_where_it_was_cut_off(
    server: LoopbackServer, client: ApiClient, tmp_path: Path
) -> None:
    content, target = b"0123456789" * 1000, tmp_path / "part"
    cut = {"Content-Length": str(len(content)), "Content-Type": "video/mp4"}
    server.answer = lambda _: Reply(200, content[:4000], cut)
    with pytest.raises(errors.ServerUnreachable):
        client.download("/api/v1/media/x", target, size=len(content))
    have = target.stat().st_size
    server.answer = lambda _: Reply(206, content[have:], promising(content, have))
    client.download("/api/v1/media/x", target, size=len(content))
    assert target.read_bytes() == content
    assert server.requests[1].header("Range") == (f"bytes={have}-" if have else "")


def test_a_server_that_knows_no_ranges_sends_the_file_from_its_beginning(
    server: LoopbackServer, client: ApiClient, tmp_path: Path
) -> None:
    content, target = b"0123456789", tmp_path / "part"
    target.write_bytes(b"012")
    server.answer = lambda _: Reply(200, content, {"Content-Type": "video/mp4"})
    client.download("/api/v1/media/x", target, size=10)
    assert target.read_bytes() == content


def test_another_range_than_asked_for_is_refused(
    server: LoopbackServer, client: ApiClient, tmp_path: Path
) -> None:
    target = tmp_path / "part"
    target.write_bytes(b"012")
    server.answer = lambda _: Reply(206, b"23456789", promising(b"0123456789", 2))
    with pytest.raises(errors.MediaRefused):
        client.download("/api/v1/media/x", target, size=10)
    assert target.read_bytes() == b"012"


def test_a_file_of_another_size_is_refused_before_it_is_read(
    server: LoopbackServer, client: ApiClient, tmp_path: Path
) -> None:
    server.answer = lambda _: Reply(200, b"x" * 11, {"Content-Type": "video/mp4"})
    with pytest.raises(errors.MediaRefused):
        client.download("/api/v1/media/x", tmp_path / "part", size=10)
    assert not (tmp_path / "part").exists()


def test_a_file_without_end_stops_at_its_signed_size(
    server: LoopbackServer, client: ApiClient, tmp_path: Path
) -> None:
    server.answer = lambda _: Reply(200, headers={"Content-Type": "video/mp4"}, pieces=server.endless())
    with pytest.raises(errors.NotOurServer):
        client.download("/api/v1/media/x", tmp_path / "part", size=1_000_000)
    assert (tmp_path / "part").stat().st_size <= 1_000_000


def test_a_captive_portals_page_is_never_the_beginning_of_a_file(
    server: LoopbackServer, client: ApiClient, tmp_path: Path
) -> None:
    server.answer = lambda _: html()
    with pytest.raises(errors.NotOurServer):
        client.download("/api/v1/media/x", tmp_path / "part", size=1_000_000)
    assert not (tmp_path / "part").exists()


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_change_is_not_done_by_an_answer_that_says_not_modified(
    client: ApiClient, server: LoopbackServer, method: str
) -> None:
    server.answer = lambda _request: Reply(304)
    with pytest.raises(errors.NotOurServer):
        client.request(method, "/api/v1/device")

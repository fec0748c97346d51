"""Forms that come slowly, in chunks, cut or not at all: none keeps others from the console."""

import re
import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
import requests

from tests.support.raw_http import Answer, answer, chunked, connect, head, lines
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import RunningConsole, running_console
from tests.support.waiting import PATIENCE_S

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TOKEN = "a" * 32
COOKIE = {"Cookie": f"tidings-csrf={TOKEN}"}
BODY = f"csrfmiddlewaretoken={TOKEN}&login=lea%40northwind.example&password=wrong".encode()
HEADERS = (
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Cache-Control",
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    home = ServerHome(tmp_path_factory.mktemp("console") / "server")
    home.init()
    with running_console(home) as running:
        yield running


def post(console: RunningConsole, headers: Mapping[str, str], path: str = "/sign-in") -> bytes:
    """The head of a form that a browser with a cookie sends."""
    return head("POST", path, {**FORM, **COOKIE, **headers}, host=urlsplit(console.url).netloc)


def get(console: RunningConsole, path: str) -> requests.Response:
    found = requests.get(console.url + path, timeout=PATIENCE_S)
    assert found.status_code == 200, found.text
    return found


def stall(console: RunningConsole, stalled: list[socket.socket]) -> None:
    """Send the start of a form on each line, and no more."""
    for line in stalled:
        line.sendall(post(console, {"Content-Length": "200000"}) + b"csrfmi")


def style_of(page: requests.Response) -> str:
    """Where the page has its style sheet from."""
    found = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert found, page.text
    return found.group(1)


@pytest.mark.parametrize("count", [4, 40, 200])
def test_forms_that_never_come_keep_nobody_from_pages_files_and_forms(
    console: RunningConsole, count: int
) -> None:
    with lines(console.url, count) as stalled:
        stall(console, stalled)
        assert get(console, style_of(get(console, "/sign-in"))).headers["Content-Type"].startswith("text/css")
        with connect(console.url) as line:
            line.sendall(post(console, {"Content-Length": str(len(BODY))}) + BODY)
            assert answer(line).status == 200


def test_forms_that_never_come_are_ended_and_the_oldest_of_many_make_way(console: RunningConsole) -> None:
    with lines(console.url, 80) as stalled:
        stall(console, stalled)
        ended = [answer(line) for line in stalled]
    assert {each.status for each in ended} == {408, 503}
    assert all("Nothing was changed" in each.body.decode() for each in ended)
    assert all(each.headers.get("retry-after") for each in ended if each.status == 503)


def test_what_is_refused_unread_is_a_page_in_the_readers_language(console: RunningConsole) -> None:
    refused = _answered(console, post(console, {"Content-Length": "300000", "Accept-Language": "fr"}))
    assert refused.status == 413
    assert 'lang="fr"' in refused.body.decode()
    assert {name.lower() for name in HEADERS} <= refused.headers.keys()


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Transfer-Encoding": "chunked"}, chunked(BODY), 200),
        ({"Transfer-Encoding": "chunked"}, chunked(BODY[:9], BODY[9:]), 200),
        ({"Transfer-Encoding": "chunked"}, chunked(b"x" * 300_000), 413),
        ({"Content-Length": "0"}, b"", 403),
        ({}, b"", 403),
        ({"Content-Length": "many"}, b"", 400),
        ({"Content-Length": "-1"}, b"", 400),
        ({"Content-Length": str(len(BODY)), "Content-Encoding": "gzip"}, BODY, 415),
        ({"Content-Length": str(len(BODY) - 5)}, BODY[:-5], 200),
    ],
)
def test_a_form_is_taken_or_refused_as_its_head_says(
    console: RunningConsole, headers: Mapping[str, str], body: bytes, status: int
) -> None:
    assert _answered(console, post(console, headers) + body).status == status


def test_a_browser_that_goes_away_leaves_nothing_behind(console: RunningConsole) -> None:
    for _time in range(20):
        with connect(console.url) as line:
            line.sendall(post(console, {"Content-Length": "200000"}) + b"csrfmi")
    get(console, "/sign-in")
    assert "Traceback" not in (console.home.folder / "console.log").read_text()


@pytest.mark.parametrize("path", ["/sign-in", "/static/", "/nothing"])
def test_what_is_asked_with_head_has_the_status_of_get_and_no_body(
    console: RunningConsole, path: str
) -> None:
    path = style_of(get(console, "/sign-in")) if path == "/static/" else path
    expected = requests.get(console.url + path, timeout=PATIENCE_S).status_code
    told = requests.head(console.url + path, timeout=PATIENCE_S)
    assert (told.status_code, told.content) == (expected, b"")


def test_a_body_that_comes_with_get_is_not_waited_for(console: RunningConsole) -> None:
    asked = head("GET", "/sign-in", {"Content-Length": "200000"}, host=urlsplit(console.url).netloc)
    assert _answered(console, asked).status == 200


@pytest.mark.parametrize("host", ["evil.example", "a b", "a,b", "[::1", "xn--\xff", ""])
def test_other_names_of_hosts_are_refused_and_fill_no_log(console: RunningConsole, host: str) -> None:
    log = console.home.folder / "console.log"
    before = log.read_text()
    for method in ("GET", "POST"):
        assert _answered(console, head(method, "/sign-in", host=host)).status in (400, 403)
    assert log.read_text() == before


def test_static_files_have_the_headers_of_pages_and_are_kept(console: RunningConsole) -> None:
    page = get(console, "/sign-in")
    path = style_of(page)
    file = get(console, path)
    kept = requests.get(
        console.url + path, headers={"If-None-Match": file.headers["ETag"]}, timeout=PATIENCE_S
    )
    refused = requests.post(console.url + path, timeout=PATIENCE_S)
    assert (kept.status_code, refused.status_code) == (304, 405)
    for each in (file, kept, refused):
        assert {name: each.headers.get(name) for name in HEADERS[:-1]} == {
            name: page.headers[name] for name in HEADERS[:-1]
        }
    assert "immutable" in file.headers["Cache-Control"]


def _answered(console: RunningConsole, asked: bytes) -> Answer:
    with connect(console.url) as line:
        line.sendall(asked)
        return answer(line)

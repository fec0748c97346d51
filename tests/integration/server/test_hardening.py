"""The blocks of docs/hardening.md, tried with the programs that they are for."""

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.support.children import Child
from tests.support.ports import free_port
from tests.support.raw_http import answer, connect, head
from tests.support.server import bulk_data
from tests.support.server.administration import Examples, token_for
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.waiting import until

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "hardening.md"
NGINX = DOCUMENT.parents[1] / "build" / "nginx" / "usr" / "sbin" / "nginx"
"""The set-up unpacks it there: see tasks.py."""
HOST = "news.example.com"
KIB = 1024


def block(language: str) -> str:
    """The one block of the document in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def proxy(serving: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """Nginx with the document's block in front of the server; its port, and its certificate."""
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    certificate, key = folder / "chain.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    making = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run([*making, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    written = (
        block("nginx")
        .replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
        .replace("127.0.0.1:8400", serving.url.removeprefix("http://"))
        .replace("/etc/tidings/tls/chain.pem", str(certificate))
        .replace("/etc/tidings/tls/key.pem", str(key))
        .replace("/var/log/nginx/tidings.error.log", str(folder / "error.log"))
    )
    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        written = f"{name}_temp_path {folder / name};\n{written}"
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\nuser root;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'} crit;\n"
        f"events {{ worker_connections 256; }}\nhttp {{\n{written}\n}}\n"
    )
    command = [str(NGINX) if NGINX.exists() else "nginx", "-c", str(file), "-e", str(folder / "error.log")]
    with Child(command, folder / "output") as child:
        until(lambda: _listens(port) or not child.running, "nginx to listen")
        assert child.running, child.output()
        yield port, certificate


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.usefixtures("northwind")
def test_agents_are_answered_through_the_proxy(proxy: tuple[int, Path]) -> None:
    port, certificate = proxy
    with closing(_line(port, certificate)) as line:
        line.sendall(f"GET /api/v1/health HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"Strict-Transport-Security" in answer
    assert answer.endswith(b'{"status":"ok"}') or b'"ok"' in answer


@pytest.mark.usefixtures("northwind")
def test_a_body_that_stalls_never_reaches_the_server(proxy: tuple[int, Path], serving: RunningServer) -> None:
    port, certificate = proxy
    lines = [_line(port, certificate) for _ in range(40)]
    try:
        for line in lines:
            line.sendall(
                f"POST /api/v1/signals HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000\r\n\r\n{{".encode()
            )
        assert requests.get(f"{serving.url}/api/v1/health", timeout=30).status_code == 200
        refused = requests.post(f"{serving.url}/api/v1/signals", json={"events": []}, timeout=30)
        assert refused.status_code == 401
    finally:
        for line in lines:
            line.close()


def _line(port: int, certificate: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(certificate))
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", port), timeout=30), server_hostname=HOST
    )


def test_the_unit_file_is_one_that_systemd_understands(tmp_path: Path) -> None:
    unit = tmp_path / "tidings-server.service"
    program = tmp_path / "tidings-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit.write_text(block("ini").replace("/opt/tidings/bin/tidings-server", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    own = [line for line in done.stderr.splitlines() if unit.name in line]
    assert own == []


@pytest.mark.usefixtures("northwind")
def test_no_cache_may_keep_an_answer_for_others(serving: RunningServer) -> None:
    """Whoever calls, whatever comes of it (RFC 9111, sections 5.2.2.5 and 5.2.2.7)."""
    (computer,) = bulk_data.add_computers(bulk_data.add_people(1))
    names = {"email": "nobody@northwind.example", "campaign_id": "c-none", "number": "7", "sha256": "0" * 64}
    statuses, shared = set(), []
    for call in sorted(Examples().calls(serving.url), key=lambda call: call.method == "DELETE"):
        for token in (None, token_for("administrator"), computer):
            said = call.send(serving.url, token, **names)
            statuses.add(said.status_code)
            if not {"private", "no-store"} & set(re.split(r"[\s,]+", said.headers.get("Cache-Control", ""))):
                shared.append(f"{call.method} {call.path}: {said.status_code}")
    assert {200, 401, 404} <= statuses
    assert shared == []


@pytest.mark.parametrize(
    ("excess", "status"), [(-1, 200), (0, 200), (1, 431), (8 * KIB, 431), (20 * KIB, 431)]
)
@pytest.mark.parametrize("count", [1, 90])
def test_a_head_may_have_32_kib_and_not_a_byte_more(
    serving: RunningServer, excess: int, status: int, count: int
) -> None:
    """In one header or in many. From 48 KiB on the line's reader refuses it, before that the server does."""
    names = {f"X-{number:03}": "y" * 200 for number in range(count - 1)}
    missing = 32 * KIB + excess - len(head("GET", "/api/v1/health", names | {"X-Last": ""}))
    whole = head("GET", "/api/v1/health", names | {"X-Last": "y" * missing})
    assert len(whole) == 32 * KIB + excess
    with connect(serving.url) as line:
        line.sendall(whole)
        assert answer(line).status == status


def test_a_request_may_have_100_headers(serving: RunningServer) -> None:
    for count, status in ((99, 200), (100, 431)):
        with connect(serving.url) as line:
            line.sendall(head("GET", "/api/v1/health", {f"X-{number}": "y" for number in range(count)}))
            assert answer(line).status == status


def test_a_long_path_counts_as_headers_do(serving: RunningServer) -> None:
    with connect(serving.url) as line:
        line.sendall(head("GET", f"/api/v1/health?{'y' * 33 * KIB}"))
        assert answer(line).status in (414, 431)


def test_too_long_a_head_is_not_final_for_what_it_was_sent_with(serving: RunningServer) -> None:
    """An agent sends its body again: nobody read it."""
    with connect(serving.url) as line:
        line.sendall(
            head("POST", "/api/v1/signals", {"X-Long": "y" * 33 * KIB, "Content-Length": "2"}) + b"{}"
        )
        told = answer(line)
    assert (told.status, told.json()["type"]) == (431, "tidings:unreadable-request")


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o710])
def test_check_tells_that_others_can_look_into_the_data_folder(tmp_path: Path, mode: int) -> None:
    home = ServerHome(tmp_path / "server")
    home.init()
    home.folder.chmod(mode)
    done = home.command("check")
    assert "chmod 700" in done.stdout

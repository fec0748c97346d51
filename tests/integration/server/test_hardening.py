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

from tests.support.campaign_server import RunningServer
from tests.support.children import Child
from tests.support.processes import free_port
from tests.support.waiting import until

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "hardening.md"
NGINX = DOCUMENT.parents[1] / "build" / "nginx" / "usr" / "sbin" / "nginx"
"""The set-up unpacks it there: see tasks.py."""
HOST = "news.example.com"


def block(language: str) -> str:
    """The one block of the document in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def proxy(serving: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """nginx with the document's block in front of the server; its port, and its certificate."""
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

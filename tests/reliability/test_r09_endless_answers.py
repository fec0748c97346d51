"""R9: slow, endless and packed answers hold up neither the windows nor fill the memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import an_agent
from tests.support.agent.processes import ROOT
from tests.support.agent.scripted_server import loopback_server
from tests.support.agent.watching import CODE
from tests.support.proofs import Proof
from tests.support.slow_peer import slow_peer

STALL_MS, GROWN_MIB = 50, 64
DEADLINE_S = 1.0
PATIENCE_S = 900
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: /\r\n"
UNTIL_CLOSED = b"Connection: close\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS_CHUNK = CHUNKED + b"fffffffffffffff\r\n"
PROBLEM = b"HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\n"
BOMB = gzip.compress(bytes(64 * 1024 * 1024))

ATTACKS: dict[str, tuple[bytes, bytes, bool]] = {
    "headers line by line": (OK, b"X-More: 1\r\n", False),
    "body byte by byte": (OK + UNTIL_CLOSED, b" ", False),
    "body without end": (OK + UNTIL_CLOSED, b"[", True),
    "chunk without end": (OK + ENDLESS_CHUNK, b" ", True),
    "chunks of a byte without end": (OK + CHUNKED, b"1\r\n \r\n", True),
    "size of a chunk without end": (OK + CHUNKED, b"0", True),
    "trailers without end": (OK + CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: 1\r\n", True),
    "header without end": (OK + b"X: ", b"x", True),
    "headers without end": (OK, b"X: " + b"x" * 60_000 + b"\r\n", True),
    "interim answers without end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", True),
    "redirection without end": (FOUND + UNTIL_CLOSED, b" ", True),
    "packed body": (OK + b"Content-Encoding: gzip\r\n" + UNTIL_CLOSED, BOMB, True),
    "packed redirection": (FOUND + b"Content-Encoding: gzip\r\n" + UNTIL_CLOSED, BOMB, True),
    "packed chunks": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\nfffffff\r\n", BOMB, True),
    "problem without end": (PROBLEM + UNTIL_CLOSED, b'{"type":', True),
    "feed of brackets": (OK + b"Content-Length: 4194304\r\n\r\n", b'{"v":[' + b"[]," * 1_000, True),
}


@pytest.mark.proves("R9")
def test_no_answer_holds_up_the_windows_or_fills_the_memory(proof: Proof, tmp_path: Path) -> None:
    tries = proof.trials(full=10, few=1)
    with ExitStack() as peers:
        for name, (first, then, flood) in ATTACKS.items():
            port = _connected(tmp_path / name)
            peers.enter_context(slow_peer(first, then, port=port, flood=flood))
        words = [str(DEADLINE_S), str(tries), *(str(tmp_path / name) for name in ATTACKS)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.agent.stalls", *words],
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = dict(zip(ATTACKS, map(json.loads, done.stdout.splitlines()), strict=True))
    longest = max(found.values(), key=lambda each: each["stall_ms"])
    largest = max(found.values(), key=lambda each: each["grown_mib"])
    proof.found("longest stall of the main thread, ms", f"{longest['stall_ms']:.0f}", tries * len(ATTACKS))
    proof.found("most memory that was added, MiB", f"{largest['grown_mib']:.0f}", tries * len(ATTACKS))
    assert {name: each for name, each in found.items() if each["stall_ms"] >= STALL_MS} == {}
    assert {name: each for name, each in found.items() if each["grown_mib"] > GROWN_MIB} == {}


def _connected(folder: Path) -> int:
    """An agent in a folder that is connected to a server at a port of its own, where nobody is any more."""
    with loopback_server(Company()) as server, an_agent(folder) as agent:
        agent.runtime.enrol(server.url, CODE)
        return server.port

"""S5: media are what the company signed before a decoder sees them, and lead to no other file and no other computer."""

import gzip
import hashlib
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.campaigns.media_cache import MediaCache, MediaFile
from agent.domain import errors, limits
from agent.transport.http_client import ApiClient
from resources.sample.drawing import gradient
from resources.sample.make_media import encode
from tests.support.agent.company_in_memory import TOKEN
from tests.support.agent.scripted_server import Reply, Request, loopback_server
from tests.support.hostile_media import NEEDLE, bombs, files
from tests.support.proofs import Proof
from ui.player.file_checks import NotPlayable, open_video

ROOT = Path(__file__).resolve().parents[2]
CONTENT = random.Random(5).randbytes(40_000)
FILE = MediaFile(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), limits.MEDIA_MAX_BYTES)

Answer = Callable[[random.Random, int], Reply]


def flipped(chance: random.Random) -> bytes:
    changed = bytearray(CONTENT)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def playlist(port: int) -> bytes:
    text = f"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:{port}/x\nfile:///etc/passwd\n".encode()
    return text.ljust(len(CONTENT), b"\n")


def redirection(chance: random.Random, port: int) -> Reply:
    places = [
        "file:///etc/passwd",
        "//127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}/x",
        "http://localhost:{port}",
    ]
    place = chance.choice(places).format(port=port)
    return Reply(
        chance.choice([300, 301, 302, 303, 307, 308]), b"", {"Location": place, "Refresh": f"0;url={place}"}
    )


ANSWERS: list[Answer] = [
    lambda chance, _port: Reply(200, flipped(chance)),
    lambda chance, _port: Reply(
        206, flipped(chance), {"Content-Range": f"bytes 0-{FILE.size - 1}/{FILE.size}"}
    ),
    lambda chance, _port: Reply(200, CONTENT[: chance.randrange(FILE.size)]),
    lambda chance, _port: Reply(200, CONTENT + chance.randbytes(chance.randrange(1, 9_000))),
    lambda _chance, port: Reply(200, playlist(port), {"Content-Type": "application/vnd.apple.mpegurl"}),
    lambda chance, _port: Reply(200, gzip.compress(flipped(chance)), {"Content-Encoding": "gzip"}),
    lambda _chance, _port: Reply(
        200, gzip.compress(bytes(64 * 1024 * 1024), 1), {"Content-Encoding": "gzip"}
    ),
    lambda chance, _port: Reply(200, CONTENT, {"Content-Length": str(FILE.size + chance.randrange(1, 99))}),
    redirection,
]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this computer that hears who connects."""
    with closing(socket.create_server(("127.0.0.1", 0))) as heard:
        heard.setblocking(False)
        yield heard


def connections(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            connection, _address = listener.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1


@pytest.mark.proves("S5")
def test_nothing_but_the_signed_bytes_is_let_in(
    tmp_path: Path, proof: Proof, listener: socket.socket
) -> None:
    trials = proof.trials(full=1_000, few=36)
    chance, port = random.Random(1), listener.getsockname()[1]
    answers = itertools.cycle(ANSWERS)
    let_in = 0

    def hostile(_request: Request) -> Reply:
        return next(answers)(chance, port)

    with loopback_server(hostile) as server, closing(ApiClient(server.url, TOKEN)) as client:
        for number in range(trials):
            cache = MediaCache(tmp_path / str(number))
            with pytest.raises(
                (errors.MediaRefused, errors.NotOurServer, errors.ServerUnreachable, errors.Refused)
            ):
                cache.fetch(client, FILE)
            let_in += cache.path(FILE.sha256) is not None
        assert len(server.requests) == trials
        server.answer = lambda _request: Reply(200, CONTENT)
        cache.fetch(client, FILE)
        assert cache.path(FILE.sha256) is not None
    followed = connections(listener)
    proof.found("files let in that are not the signed ones", let_in, trials)
    proof.found("redirections followed", followed, trials)
    assert (let_in, followed) == (0, 0)


@pytest.mark.proves("S5")
def test_the_player_opens_no_file_that_was_changed(tmp_path: Path, proof: Proof) -> None:
    trials = proof.trials(full=1_000, few=100)
    video = encode(tmp_path / "f.mp4", (gradient(64, 48, shift=at / 5) for at in range(5)), "libx264", {})
    whole, chance = video.read_bytes(), random.Random(2)
    signed = hashlib.sha256(whole).hexdigest()
    open_video(str(video), signed).close()
    opened = 0
    for _ in range(trials):
        changed = bytearray(whole)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        video.write_bytes(changed)
        try:
            open_video(str(video), signed).close()
        except NotPlayable:
            continue
        opened += 1
    proof.found("changed videos opened", opened, trials)
    assert opened == 0


def traced(folder: Path, hostile: Path, *words: str) -> tuple[dict[str, int], list[str]]:
    """What was made of the files, and the system calls that name a file or a peer meanwhile."""
    trace = folder / "trace"
    calls = "trace=open,openat,openat2,stat,lstat,newfstatat,statx,access,faccessat,readlink,connect,sendto,execve"
    strace = ["strace", "-f", "-qq", "-s", "300", "-e", calls, "-e", "signal=none", "-o", str(trace)]
    program = [sys.executable, "-m", "tests.support.open_media", str(hostile), *words]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [*strace, *program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), trace.read_text(encoding="utf-8", errors="replace").splitlines()


def touching(lines: list[str]) -> list[str]:
    """Calls that name the file that nobody may open."""
    return [line for line in lines if f"{NEEDLE}.mp4" in line]


def connecting(lines: list[str]) -> list[str]:
    return [line for line in lines if re.search(r"(connect|sendto)\(.*AF_INET", line)]


def written(folder: Path, contents: Iterator[bytes]) -> Path:
    hostile = folder / "hostile"
    hostile.mkdir()
    for number, content in enumerate(contents):
        (hostile / f"{number:04}.mp4").write_bytes(content)
    return hostile


@pytest.mark.proves("S5")
def test_no_file_leads_elsewhere(tmp_path: Path, proof: Proof, listener: socket.socket) -> None:
    (tmp_path / f"{NEEDLE}.mp4").touch()
    port = listener.getsockname()[1]
    step = 1 if proof.is_full else 31
    found, lines = traced(tmp_path, written(tmp_path, itertools.islice(files(tmp_path, port), 0, None, step)))
    touched, connected = touching(lines), connecting(lines)
    proof.found("files opened that media name", len(touched), found["files"])
    proof.found("connections", len(connected) + connections(listener), found["files"])
    proof.found("published copies that name another file", found["needles"], found["files"])
    assert found["files"] >= 40
    assert touched == []
    assert connected == []
    assert found["needles"] == 0


def test_the_trace_shows_what_a_playlist_would_open(tmp_path: Path, listener: socket.socket) -> None:
    (tmp_path / f"{NEEDLE}.mp4").touch()
    port = listener.getsockname()[1]
    lists = [
        f"ffconcat version 1.0\nfile '{tmp_path}/{NEEDLE}.mp4'\n",
        f"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n",
    ]
    _found, lines = traced(tmp_path, written(tmp_path, (text.encode() for text in lists)), "--as-ffmpeg")
    assert touching(lines)


def test_the_trace_shows_what_becomes_of_a_video_that_is_in_order(tmp_path: Path) -> None:
    video = encode(tmp_path / "f.mp4", (gradient(64, 48, shift=at / 5) for at in range(5)), "libx264", {})
    found, lines = traced(tmp_path, written(tmp_path, iter([video.read_bytes()])))
    assert (found["copies"], found["frames"]) == (2, 1), "the video and its poster"
    assert any("0000.mp4" in line for line in lines)


@pytest.mark.proves("S5")
def test_what_unpacks_to_very_much_is_not_unpacked(tmp_path: Path, proof: Proof) -> None:
    hostile = written(tmp_path, bombs())
    found, _lines = traced(tmp_path, hostile)
    proof.found("bombs decoded", found["copies"] + found["frames"], found["files"])
    proof.found("MB of memory at most", found["peak_mb"], found["files"])
    assert found["copies"] + found["frames"] == 0
    assert found["peak_mb"] < 600

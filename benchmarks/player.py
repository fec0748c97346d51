"""The player: how soon its first frame comes after the click, and what many videos in a row leave behind."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from agent.system import subprocesses
from benchmarks.rows import Row
from tests.support.agent.processes import ROOT
from tests.support.children import Child
from tests.support.desktop.x_desktop import VirtualDesktop
from tests.support.videos import make_video, sha256_of
from tests.support.waiting import until
from ui.player.messages import Event, Look, PlayerEvent, PlayRequest
from ui.player.process import PlayerProcess

BARE = "bare QMediaPlayer"
TRIALS = 7
VIDEO_S = 4.0
SHORT_VIDEO_S = 0.5
SHORT_VIDEOS = 4
VIDEOS_IN_A_ROW = 200
READY_S = 2.0
AHEAD_S = 0.3
BY_BARE = 1.5
GROWTH_MB = 1.0
MARATHON_TIMEOUT_S = 900


def run() -> list[Row]:
    """All measurements of the player."""
    folder = Path(tempfile.mkdtemp(prefix="tidings-bench-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        desktop = stack.enter_context(VirtualDesktop())
        environment = desktop.env | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "temporary")}
        (folder / "temporary").mkdir()
        video = make_video(folder / "video.mp4", VIDEO_S, 1280, 720)
        return [*first_frame_rows(environment, video, folder), memory_row(environment, folder)]


def first_frame_rows(environment: Mapping[str, str], video: Path, folder: Path) -> Sequence[Row]:
    """From the click to the first frame: with a player that waits, and without. Medians, taken by turns."""
    bare, cold, ahead = [], [], []
    for _ in range(TRIALS + 1):
        bare.append(_bare_seconds(environment, video, folder))
        cold.append(_own_seconds(environment, video, ready_s=0))
        ahead.append(_own_seconds(environment, video, ready_s=READY_S))
    # The first ones fill the caches.
    reference, own, own_ahead = (statistics.median(each[1:]) for each in (bare, cold, ahead))
    what = "click to first frame"
    return (
        Row(
            "player",
            f"{what}, somebody near",
            own_ahead,
            "s",
            f"≤ {AHEAD_S:g} s",
            own_ahead <= AHEAD_S,
            reference,
            BARE,
        ),
        Row("player", what, own, "s", f"≤ {BY_BARE} ×", own <= BY_BARE * reference, reference, BARE),
    )


def _bare_seconds(environment: Mapping[str, str], video: Path, folder: Path) -> float:
    since = time.monotonic()
    log = folder / "bare.log"
    log.unlink(missing_ok=True)
    with Child([sys.executable, "-m", "benchmarks.bare_player", video], log, environment) as child:
        until(lambda: "first frame" in child.output(), "the bare player's first frame")
        return time.monotonic() - since


def _own_seconds(environment: Mapping[str, str], video: Path, *, ready_s: float) -> float:
    """``ready_s``: for how long somebody was near before the click; 0 starts the process with it."""
    seen: list[float] = []
    came = threading.Event()

    def heard(_process: PlayerProcess, event: PlayerEvent) -> None:
        if event.event is Event.FIRST_FRAME:
            seen.append(time.monotonic())
            came.set()

    since = time.monotonic()
    command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
    player = PlayerProcess([*command, *subprocesses.command("helper", "player")], heard)
    player.send(Look())
    if ready_s:
        time.sleep(ready_s)
        since = time.monotonic()
    player.send(PlayRequest("Video", str(video), sha256_of(video), width=1280, height=720))
    came.wait(15)
    player.close()
    player.wait(10)
    return seen[0] - since


def memory_row(environment: Mapping[str, str], folder: Path) -> Row:
    """How the unique memory of the process that plays grows over many videos, each in a player of its own."""
    videos = folder / "videos"
    videos.mkdir()
    for number in range(SHORT_VIDEOS):
        make_video(videos / f"{number}.mp4", SHORT_VIDEO_S, shift=number / SHORT_VIDEOS)
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.ui.play_videos", str(videos), str(VIDEOS_IN_A_ROW)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=MARATHON_TIMEOUT_S,
        check=True,
    )
    # At the start and the end no player shares its pages, and unique memory is another thing.
    reports = [json.loads(line) for line in done.stdout.splitlines()][1:-1]
    sizes = [report["uss"] / 1e6 for report in reports if report["children"]]
    half = len(sizes) // 2
    growth = statistics.mean(sizes[half:]) - statistics.mean(sizes[:half])
    what = f"memory grown over {VIDEOS_IN_A_ROW} videos"
    return Row("player", what, growth, "MB", f"≤ {GROWTH_MB:g} MB", growth <= GROWTH_MB)

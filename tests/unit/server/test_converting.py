"""Videos that agents do not play become ones that they do, by ffmpeg, which can do nothing else meanwhile."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from PIL import ImageStat
from PIL.Image import open as open_image

from server.media import confined
from server.media.checks import BadFile, Convertible
from server.media.converting import LIMITS, Limits, Unwanted, convert
from server.media.video import CheckedVideo, check_video
from tests.support import odd_videos
from tests.support.odd_videos import CANARY, silent, sounding, trimmed
from tests.support.ports import free_port
from tests.support.server import django_ready
from tests.support.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]
assert django_ready

HEVC_10 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none"
LARGE = "-f lavfi -i testsrc2=size=2200x1001:rate=100:duration=0.2"
UNUSUAL: dict[str, Callable[[Path], Path]] = {
    "of a phone": lambda folder: sounding(folder, "f.mov", options=HEVC_10),
    "of a browser": lambda folder: silent(folder, "f.webm", codec="-c:v libvpx -deadline realtime"),
    "of an old camera": lambda folder: silent(folder, "f.avi", codec="-c:v mpeg4"),
    "large, fast and skewed": lambda folder: silent(folder, "f.mkv", source=LARGE, options="-vf setsar=3/2"),
    "trimmed": lambda folder: trimmed(folder, "f.mp4"),
    "with a hidden picture": lambda folder: odd_videos.edited(folder, "f.mp4", 2_000, -1),
    "that tells much": lambda folder: odd_videos.telling(folder, "f.mov"),
}


def converted(source: Path, folder: Path, limits: Limits = LIMITS) -> tuple[CheckedVideo, list[float]]:
    """What publishing says of the result, and how far it was told to have come."""
    told: list[float] = []
    folder.mkdir()
    path = convert(source, source.name, folder, told.append, lambda: True, limits=limits)
    return check_video(path), told


def test_what_cameras_and_programs_write_becomes_what_agents_play(tmp_path: Path) -> None:
    for number, (kind, make) in enumerate(UNUSUAL.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        source = make(folder)
        with pytest.raises(Convertible):
            check_video(source)
        video, told = converted(source, folder / "out")
        longest = max(video.file.width or 0, video.file.height or 0)
        assert longest <= 1920, kind
        assert CANARY.encode() not in video.file.content, kind
        assert told == sorted(told), kind
        assert told[-1] <= 1, kind


def test_high_dynamic_range_gets_the_colours_of_screens(tmp_path: Path) -> None:
    video, _told = converted(odd_videos.bright(tmp_path, "f.mov", "smpte2084", HEVC_10), tmp_path / "out")
    with video.poster.opened() as file, open_image(file) as picture:
        brightness = ImageStat.Stat(picture.convert("L")).mean[0]
    assert 180 < brightness <= 255


def test_what_cannot_be_converted_is_said(tmp_path: Path) -> None:
    whole = silent(tmp_path, "whole.mov").read_bytes()
    four = odd_videos.PICTURE.format(seconds=4)
    options = "-movflags +faststart -g 1"
    fast_start = silent(tmp_path, "fast.mov", source=four, options=options).read_bytes()
    odd_videos.ffmpeg(f"{odd_videos.SOUND.format(seconds=1)} -c:a aac f.mov", tmp_path)
    long = "-f lavfi -i color=teal:size=32x32:rate=1:duration=700"
    cases = {
        "known here": b"#EXTM3U\n#EXTINF:9,\nfile:/etc/passwd\n",
        "damaged": whole[: len(whole) // 2],
        "or of a kind": fast_start[: len(fast_start) // 2],
        "no moving picture": (tmp_path / "f.mov").read_bytes(),
        "700 seconds": silent(tmp_path, "long.mov", source=long).read_bytes(),
    }
    for number, (what, content) in enumerate(cases.items()):
        source = tmp_path / "case.mov"
        source.write_bytes(content)
        with pytest.raises(BadFile, match=what):
            converted(source, tmp_path / f"out{number}")
    with pytest.raises(BadFile, match="too long"):
        converted(silent(tmp_path, "late.mov"), tmp_path / "late", Limits(stall_s=0))


def test_nobody_waits_for_what_nobody_wants(tmp_path: Path) -> None:
    source = silent(tmp_path, "f.mov")
    (tmp_path / "out").mkdir()
    with pytest.raises(Unwanted):
        convert(source, "f.mov", tmp_path / "out", lambda _share: None, lambda: False)


PRYING = """
cat "$1" > read; cat "$2" > read-secret; echo x > "$2"; echo x > "$3/beside"
(echo > /dev/tcp/127.0.0.1/$4) && echo spoke > spoke; nice > nice; ulimit -d > memory; ulimit -f > size
"""


def speaks(port: int) -> bool:
    """Whether a process that nothing confines connects there, by the same words."""
    words = ["/bin/bash", "-c", "(echo > /dev/tcp/127.0.0.1/$1) && echo spoke", "x", str(port)]
    return "spoke" in subprocess.run(words, capture_output=True, text=True, check=False).stdout


def test_the_process_reads_its_file_and_no_other_and_speaks_to_nobody(tmp_path: Path) -> None:
    source, secret, folder = tmp_path / "source", tmp_path / "secret", tmp_path / "folder"
    source.write_text("source")
    secret.write_text("secret")
    folder.mkdir()
    limits = confined.Limits(os.getpid(), str(source), str(folder), 10, 2**28, 2**20)
    command = [sys.executable, "-I", "-S", confined.__file__, json.dumps(asdict(limits))]
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], stderr=-3
    ) as web:
        until(lambda: speaks(port), "somebody to speak to")
        words = ["/bin/bash", "-c", PRYING, "x", str(source), str(secret), str(tmp_path), str(port)]
        done = subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True, check=False)
        web.kill()
    written = {path.name: path.read_text().strip() for path in folder.iterdir()}
    assert confined.landlock_version() >= 1, "nothing is confined on this machine"
    expected = {"read": "source", "read-secret": "", "nice": "19", "memory": str(2**18), "size": "1024"}
    if confined.landlock_version() < 4:
        expected["spoke"] = "spoke"  # as docs/hardening.md says of kernels before 6.7
    assert written == expected, done.stderr
    assert secret.read_text() == "secret"
    assert not (tmp_path / "beside").exists()

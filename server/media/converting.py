"""Make a video that every agent plays of one that they do not: by ffmpeg, in a process that can do nothing else.

Whoever sends a video may have made it to do harm: `confined` says what the process may do. It opens files and no network
(`-protocol_whitelist`), as the one kind that its first bytes say: no playlist leads it elsewhere.
"""

import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from server.core.errors import EnvironmentFault
from server.media import confined
from server.media.checks import FIT, MEGABYTE, BadFile
from server.media.mp4 import demuxer_of
from server.media.video import (
    MAX_BYTES,
    MAX_DURATION_S,
    MAX_FRAMES_PER_SECOND,
    MAX_SIDE,
    to_usual_colours,
)

MOST_BITS_PER_S = 8_000_000
SOUND_BITS_PER_S = 128_000
FULL = 0.9
"""Of the bytes that a video may have, which a long one is made for: an encoder keeps to its rate roughly."""
MEMORY_BYTES = 1_536 * MEGABYTE
"""A picture of a telephone with 3840 × 2160 pixels and ten bits takes 25 MB, and coders hold dozens."""
LOOK_S, LOOK_BYTES = 60, 64 * 1024
"""How long finding out what a file is may take, and how much there is to say of it."""
LOST_S, LOST_SHARE = 1.0, 0.05
"""A result that is shorter than its original by more than both has lost something."""
EVERY_S = 1.0
"""How often it is asked whether somebody still wants it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How long it may take, and how long without a step forward."""

    whole_s: float = 3_600
    stall_s: float = 180


LIMITS = Limits()


class Unwanted(Exception):
    """Nobody wants it any more."""


@dataclass(frozen=True)
class _Look:
    """What ffprobe says: the length in seconds, None where the file does not say it; and the colours."""

    duration_s: float | None
    transfer: str
    primaries: str
    matrix: str


def is_there() -> bool:
    """Whether this server has ffmpeg."""
    return all(_programs())


def convert(
    source: Path,
    name: str,
    folder: Path,
    reached: Callable[[float], None],
    is_wanted: Callable[[], bool],
    *,
    limits: Limits = LIMITS,
) -> Path:
    """The converted video, in the folder. `name`: what its sender calls it.

    `reached` is told how much is done, of 1; `is_wanted` is asked once a second. Raises `BadFile` where it cannot be
    converted, `Unwanted`, and `EnvironmentFault` where ffmpeg is missing or the disk is full.
    """
    with source.open("rb") as file:
        demuxer = demuxer_of(file)
    if demuxer is None:
        raise BadFile(_("“{file}” is no video that is known here").format(file=name), _("choose another one"))
    look = _looked_at(source, name, demuxer, folder)
    target = folder / "converted.mp4"
    run = _Run(name, look.duration_s, is_wanted, reached, limits)
    try:
        run.through(_command(source, demuxer, look, target), source, folder)
    except BadFile as bad:
        if run.reached_s or demuxer != "mov" or isinstance(bad, _TooSlow):
            raise
        # Perhaps an edit list hides all of it.
        run.through(_command(source, demuxer, look, target, "-ignore_editlist", "1"), source, folder)
    if look.duration_s and run.reached_s < look.duration_s - max(LOST_S, LOST_SHARE * look.duration_s):
        raise _damaged(name)
    return target


def _programs() -> tuple[str | None, str | None]:
    found = shutil.which(settings.FFMPEG)
    return found, shutil.which(Path(found).with_name("ffprobe")) if found else None


def _program(number: int) -> str:
    found = _programs()[number]
    if found is None:
        raise EnvironmentFault(
            _("This server has no ffmpeg"),
            _("Whoever runs it can install ffmpeg. Until then, videos that are playable already are taken."),
        )
    return found


def _looked_at(source: Path, name: str, demuxer: str, folder: Path) -> _Look:
    """Raises `BadFile` for what is no video, or too long a one."""
    entries = "format=duration:stream=codec_type,color_transfer,color_primaries,color_space"
    words = [_program(1), *_reading(demuxer), "-show_entries", f"{entries}:stream_disposition=attached_pic"]
    try:
        done = subprocess.run(
            _confined([*words, "-of", "json", str(source)], source, folder, LOOK_S),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            timeout=LOOK_S,
            check=False,
        )
        if done.returncode:
            raise _refusal(name, done.returncode, "", folder)
        said = json.loads(done.stdout[:LOOK_BYTES])
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise _damaged(name) from error
    streams: list[dict[str, Any]] = said.get("streams", [])
    moving = [one for one in streams if one.get("codec_type") == "video" and not _is_cover(one)]
    if not moving:
        raise BadFile(_("“{file}” has no moving picture").format(file=name), _("choose a video"))
    duration_s = _seconds(said.get("format", {}).get("duration"))
    if duration_s is not None and duration_s > MAX_DURATION_S:
        raise _too_long(name, duration_s)
    keys = ("color_transfer", "color_primaries", "color_space")
    return _Look(duration_s, *(str(moving[0].get(key, "")) for key in keys))


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _seconds(text: object) -> float | None:
    try:
        found = float(str(text))
    except ValueError:
        return None
    return found if 0 < found < float("inf") else None


def _reading(demuxer: str) -> list[str]:
    return ["-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-f", demuxer]


def _command(source: Path, demuxer: str, look: _Look, target: Path, *reading: str) -> list[str]:
    threads = str(max(1, (os.cpu_count() or 1) - 1))
    longest_s = look.duration_s or MAX_DURATION_S
    most = min(MOST_BITS_PER_S, round(FULL * 8 * MAX_BYTES / longest_s) - SOUND_BITS_PER_S)
    filters = [FIT.format(side=MAX_SIDE)]  # first: what is smaller is sooner brought to other colours
    is_hdr = look.transfer in ("smpte2084", "arib-std-b67")
    if is_hdr or look.primaries == "bt2020":
        filters += to_usual_colours(look.transfer if is_hdr else None, look.matrix)
    return [
        _program(0),
        *("-nostdin", "-y"),
        *_reading(demuxer),
        *reading,
        *("-threads", threads, "-i", str(source), "-map", "0:V:0", "-map", "0:a:0?", "-sn", "-dn"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-t", str(MAX_DURATION_S + 1)),
        *("-filter_threads", threads, "-vf", ",".join(filters), "-fpsmax", str(MAX_FRAMES_PER_SECOND)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "22", "-pix_fmt", "yuv420p", "-threads", threads),
        *("-maxrate", str(most), "-bufsize", str(2 * most)),
        *("-c:a", "aac", "-ac", "2", "-b:a", str(SOUND_BITS_PER_S)),
        *("-movflags", "+faststart", "-progress", "pipe:1", "-stats_period", "0.5"),
        *("-f", "mp4", str(target)),
    ]


def _confined(command: Sequence[str], source: Path, folder: Path, processor_s: float) -> list[str]:
    limits = confined.Limits(
        parent=os.getpid(),
        source=str(source),
        folder=str(folder),
        processor_s=round(processor_s * (os.cpu_count() or 1)),
        memory_bytes=MEMORY_BYTES,
        file_bytes=MAX_BYTES,
    )
    return [sys.executable, "-I", "-S", confined.__file__, json.dumps(asdict(limits)), *command]


def _environment() -> dict[str, str]:
    """Nothing of the server's, which holds its secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


class _TooSlow(BadFile):
    """It stood still, or took too long: to try again would take as long."""


class _Run:
    """ffmpeg at work: what it says, and when it is ended."""

    def __init__(
        self,
        name: str,
        duration_s: float | None,
        is_wanted: Callable[[], bool],
        reached: Callable[[float], None],
        limits: Limits,
    ) -> None:
        self.reached_s = 0.0
        self._name = name
        self._duration_s = duration_s
        self._is_wanted = is_wanted
        self._reached = reached
        self._limits = limits
        self._complaints = deque[bytes](maxlen=20)

    def through(self, command: Sequence[str], source: Path, folder: Path) -> None:
        """Until it has ended. Raises as `convert` does."""
        child = subprocess.Popen(
            _confined(command, source, folder, self._limits.whole_s),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            cwd=folder,
        )
        with child:
            try:
                self._watch(child)
            finally:
                child.kill()
        if child.returncode:
            said = b" ".join(self._complaints).decode(errors="replace")
            raise _refusal(self._name, child.returncode, said, folder)

    def _watch(self, child: "subprocess.Popen[bytes]") -> None:
        now = time.monotonic()
        ends, stalls, looks = now + self._limits.whole_s, now + self._limits.stall_s, now
        for line in _lines(child, self._complaints):
            now = time.monotonic()
            if line.startswith(b"out_time_us=") and self._step(line):
                stalls = now + self._limits.stall_s
            if now >= looks:
                looks = now + EVERY_S
                if not self._is_wanted():
                    raise Unwanted
            if now >= min(ends, stalls):
                raise self._too_long()
        try:
            child.wait(self._limits.stall_s)
        except subprocess.TimeoutExpired as error:
            raise self._too_long() from error

    def _too_long(self) -> BadFile:
        return _TooSlow(
            _("converting “{file}” took too long").format(file=self._name),
            _("make it shorter or smaller, or convert it on another computer"),
        )

    def _step(self, line: bytes) -> bool:
        """Whether it has come further."""
        text = line.partition(b"=")[2].strip()
        seconds = int(text) / 1_000_000 if text.isdigit() else 0.0
        if seconds <= self.reached_s:
            return False
        self.reached_s = seconds
        if self._duration_s:
            self._reached(min(1.0, seconds / self._duration_s))
        return True


def _refusal(name: str, code: int, said: str, folder: Path) -> Exception:
    """What to raise where a program ended with this code. `said`: what it complained of."""
    if code in (-signal.SIGSYS, confined.CANNOT):
        _log.error("ffmpeg could not be confined: %s %s", code, said[-500:])
        return EnvironmentFault(
            _("ffmpeg cannot be kept apart here"),
            _(
                "The service may not use Landlock. Whoever runs the server can allow it: “A unit file” in docs/hardening.md."
            ),
        )
    if shutil.disk_usage(folder).free < MEGABYTE or "No space left" in said:
        return EnvironmentFault(
            _("The server's disk has no room for it"),
            _("Try again later, or ask whoever runs the server to free some space."),
        )
    if "malloc" in said or "Cannot allocate memory" in said:
        return BadFile(
            _("converting “{file}” needs too much memory").format(file=name),
            _("make its picture smaller, or convert it on another computer"),
        )
    return _damaged(name)


def _lines(child: "subprocess.Popen[bytes]", complaints: "deque[bytes]") -> Iterator[bytes]:
    """What it says of its progress, and nothing once a second; what it complains of goes to `complaints`."""
    assert child.stdout
    assert child.stderr
    with selectors.DefaultSelector() as selector:
        for stream in (child.stdout, child.stderr):
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(EVERY_S)
            for key, _events in ready:
                content = os.read(key.fd, 64 * 1024)
                if not content:
                    selector.unregister(key.fileobj)
                elif key.fileobj is child.stderr:
                    complaints.append(content[-500:])
                else:
                    yield from content.splitlines()
            yield b""


def _damaged(name: str) -> BadFile:
    return BadFile(
        _("“{file}” is damaged, or of a kind that ffmpeg does not read").format(file=name),
        _("copy or export it again"),
    )


def _too_long(name: str, seconds: float) -> BadFile:
    return BadFile(
        ngettext(
            "“{file}” is {seconds} second long", "“{file}” is {seconds} seconds long", round(seconds)
        ).format(file=name, seconds=round(seconds)),
        _("publish one that is at most {limit} seconds long").format(limit=MAX_DURATION_S),
    )

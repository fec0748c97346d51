"""What a program and all processes that it has started use, as Linux counts it (proc(5))."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.children import descendants

MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ ")
SYSTEM_FOLDERS = ("/lib", "/usr/lib", "/usr/share")
SWITCHES = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SAMPLES = 5
BETWEEN_SAMPLES_S = 1.0


@dataclass(frozen=True)
class Activity:
    """What a program did over a while.

    Attributes:
        processor: share of one core, in percent.
        wakeups: times a second that one of its threads slept and was woken.
    """

    processor: float
    wakeups: float


def memory_mb(pid: int) -> float:
    """Unique set size in MB (10^6 bytes): what would be free if the program ended. The median of some samples."""
    samples = []
    for _ in range(SAMPLES):
        samples.append(sum(sum(_unique_kib(each).values()) for each in _tree(pid)) * 1024 / 1e6)
        time.sleep(BETWEEN_SAMPLES_S)
    return statistics.median(samples)


def activity(pid: int, seconds: float) -> Activity:
    """What the program does in the next `seconds`.

    Processor time of helpers that end meanwhile is counted; their own wake-ups, and those of threads that end, are not.
    """
    before, since = _counters(pid), time.monotonic()
    time.sleep(seconds)
    after, span = _counters(pid), time.monotonic() - since
    return Activity(100 * (after[0] - before[0]) / span, (after[1] - before[1]) / span)


def largest_mappings(pid: int, count: int = 12) -> dict[str, float]:
    """Where the memory of one process is: names of mapped files with their unique MB, the largest first."""
    largest = sorted(_unique_kib(pid).items(), key=lambda item: -item[1])[:count]
    return {name: kib * 1024 / 1e6 for name, kib in largest}


def _tree(pid: int) -> Iterator[int]:
    yield pid
    yield from (process.pid for process in descendants(pid))


def _unique_kib(pid: int) -> dict[str, int]:
    """Unique KiB by mapped file.

    Of the system's libraries the private pages count. Of the program's own files (its Python, its Qt) every page that
    it has in memory counts, also one that some other program run from the same environment has too: on an employee's
    computer there is no other, and the figure shall not depend on what else runs here.
    """
    sizes: dict[str, int] = {}
    try:
        lines = Path(f"/proc/{pid}/smaps").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return sizes
    name, counted = "", ("Private_",)
    for line in lines:
        if MAPPING.match(line):
            words = line.split(maxsplit=5)
            path = words[5] if len(words) > 5 else "anonymous"
            own = path.startswith("/") and not path.startswith(SYSTEM_FOLDERS)
            name, counted = Path(path).name, ("Rss:",) if own else ("Private_",)
        elif line.startswith(counted):
            sizes[name] = sizes.get(name, 0) + int(line.split()[1])
    return sizes


def _counters(pid: int) -> tuple[float, int]:
    """Processor time in seconds and voluntary context switches since the start."""
    seconds, switches = 0.0, 0
    for process in _tree(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # Behind the name in brackets, which may hold anything: own time, and that of children who ended.
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            seconds += sum(map(int, fields[11:15])) / TICKS_A_SECOND
            for thread in Path(f"/proc/{process}/task").iterdir():
                switches += sum(map(int, SWITCHES.findall((thread / "status").read_text())))
    return seconds, switches

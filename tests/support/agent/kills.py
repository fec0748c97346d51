"""Kill -9 at a moment of one's choice, of an agent's processes (`tests.support.agent.killed`)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.agent.processes import ROOT
from tests.support.waiting import until


class Victims:
    """Makes children and kills them."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def kill(self, work: str, folder: Path, after_s: float, ready: Callable[[], bool] = lambda: True) -> bool:
        """Let a child work until it is ready and so long after, then kill it. Returns whether it still ran then."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{work} {folder}\n")
        self._process.stdin.flush()
        pid = int(self._line())
        until(ready, "the child's work", every=0.003)
        end = time.perf_counter() + after_s
        while time.perf_counter() < end:  # the moment is what is tried, not a wait for something
            pass
        os.kill(pid, signal.SIGKILL)
        return self._line() == "killed"

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that makes children has ended"
        return line.strip()


@contextmanager
def victims() -> Iterator[Victims]:
    """For the length of a block."""
    command = [sys.executable, "-m", "tests.support.agent.killed"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        yield Victims(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)

"""Child processes that never outlive their parent and are ended one by one, by process id."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.support.waiting import PATIENCE_S


class Child:
    """One process with its output in a file; a context manager that ends it and what it started.

    Args:
        command: the program and its words.
        log: file for standard output and standard error, appended to.
        env: its whole environment; None for our own.
        stdin: bytes for its standard input, which is then closed.
        pass_fds: open file descriptors that it inherits.
        cwd: the folder that it starts in.
        stop_signal: what asks it to end.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        pass_fds: Sequence[int] = (),
        cwd: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.log = log
        self._stop_signal = stop_signal
        self.name = Path(command[0]).name
        with log.open("ab") as output:
            self._began = output.tell()
            self._process = subprocess.Popen(
                [*tied_to_parent(), *command],
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if env is None else env),
                pass_fds=pass_fds,
                cwd=cwd,
                start_new_session=True,  # a terminal's Ctrl-C is for us, who then end it in order
            )
        if stdin and self._process.stdin:
            self._process.stdin.write(stdin)
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """All that it wrote so far; nothing of what others wrote into the file before it was started."""
        return self.log.read_bytes()[self._began :].decode(errors="replace")

    def wait(self, seconds: float | None) -> int:
        """Its exit code, once it ends by itself; None waits without end.

        Raises:
            subprocess.TimeoutExpired: it is still running after `seconds`.
        """
        return self._process.wait(seconds)

    def interrupt(self) -> None:
        """Asks it to end as a terminal's Ctrl-C does."""
        if self.running:
            self._process.send_signal(signal.SIGINT)

    def ask_to_end(self) -> None:
        """Asks it to end, and waits for nothing."""
        if self.running:
            self._process.send_signal(self._stop_signal)

    def stop(self, patience: float = PATIENCE_S) -> int:
        """Asks it to end, insists after `patience` seconds, ends what it started, and gives its exit code."""
        started = descendants(self.pid) if self.running else []
        if self.running:
            self._process.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        if self.running:
            self._process.kill()
        code = self._process.wait(PATIENCE_S)
        end_all(started)
        return code

    def kill(self) -> None:
        """Ends it at once, with no chance to tidy up (SIGKILL), and what it had started."""
        started = descendants(self.pid)
        self._process.kill()
        self._process.wait(PATIENCE_S)
        end_all(started)


def stop_together(children: Sequence[Child]) -> None:
    """Asks all of them to end before it waits for any, and ends what they started."""
    running = [child for child in children if child.running]
    started = [process for child in running for process in descendants(child.pid)]
    for child in running:
        child.ask_to_end()
    for child in running:
        child.stop()
    end_all(started)


def tied_to_parent() -> list[str]:
    """Words before a command that make Linux end it when its parent dies, however that happens."""
    if sys.platform == "linux" and shutil.which("setpriv"):
        return ["setpriv", "--pdeathsig", "TERM", "--"]
    return []


def descendants(pid: int) -> list[psutil.Process]:
    """All processes that this one started and that still run."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def end_all(processes: Sequence[psutil.Process]) -> None:
    """Ends each of these processes, gently and then for sure."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_S)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=PATIENCE_S)

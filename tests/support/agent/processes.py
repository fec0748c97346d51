"""The agent under test as a real process. The server has `campaign_server`."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.domain.model import FeedbackSignal
from agent.runtime import Runtime
from agent.system.dirs import Folders
from tests.support.agent import forks
from tests.support.children import Child
from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]
ASK_AGAIN_S = 0.5
"""Between two questions that take a process each: more of them would keep those waiting who are to answer."""
AGENT = [sys.executable, "-m", "agent"]
TRACEBACK = "Traceback (most recent call last)"


class CommandFailed(AssertionError):
    """A command ended with another exit code than was expected of it."""


class Program:
    """One of our programs with its environment. Commands run to their end; `start` leaves one running.

    Args:
        module: what `python -m` runs.
        env: the whole environment.
        log: file for the output of what is started.
        is_quick: whether `run` forks the agent in place of starting it, where starting is not the subject; not once its
            `command` was changed.
    """

    def __init__(self, module: str, env: Mapping[str, str], log: Path, *, is_quick: bool = False) -> None:
        assert module == "agent" or not is_quick
        self._is_quick = is_quick
        self.command = [sys.executable, "-m", module]
        self.env = dict(env) | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.log = log
        self.child: Child | None = None

    def run(
        self, *words: str | Path, stdin: str = "", code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end.

        Args:
            words: its command line.
            stdin: what is typed.
            code: the exit code to expect; None for any.

        Raises:
            CommandFailed: another exit code.
        """
        is_forked = self._is_quick and self.command == AGENT
        done = (self._forked if is_forked else self._started)(*map(str, words), stdin=stdin)
        if code is not None and done.returncode != code:
            line = " ".join(map(str, words))
            raise CommandFailed(f"{line}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def _forked(self, *words: str, stdin: str) -> "subprocess.CompletedProcess[str]":
        return forks.run(words, self.env, stdin, PATIENCE_S)

    def _started(self, *words: str, stdin: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self.command, *words],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def start(self, *words: str | Path) -> Child:
        """Starts it and leaves it running; it must not run already."""
        assert self.child is None or not self.child.running, "it runs already"
        self.child = Child([*self.command, *words], self.log, self.env)
        return self.child

    def stop(self) -> int | None:
        """Ends it as a session's end does, and gives its exit code; None if it never ran."""
        return self.child.stop() if self.child else None

    def kill(self) -> None:
        """Ends it with SIGKILL, as a power cut does."""
        assert self.child is not None
        self.child.kill()

    def output(self) -> str:
        """All that it wrote while it ran."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class AgentProcess(Program):
    """`tidings` for one person; a context manager.

    Args:
        env: of the desktop that it runs on.
        folder: for its data, cache, logs and lock.
    """

    def __init__(self, env: Mapping[str, str], folder: Path) -> None:
        self.home = folder / "agent"
        super().__init__("ui", dict(env) | {"TIDINGS_HOME": str(self.home)}, folder / "agent.log")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def database(self) -> Path:
        """Its store."""
        return self.home / "data" / "tidings.sqlite3"

    def enrol(self, url: str, code: str) -> None:
        """Connects it with an invitation code, while it does not run."""
        self.run("enrol", url, "-", stdin=f"{code}\n")

    def choose(self, *on: FeedbackSignal) -> None:
        """Switches these signals on and the others off, as the person does in the window; while it does not run."""
        runtime = Runtime.open(Folders.under(self.home))
        try:
            runtime.choose({signal: signal in on for signal in FeedbackSignal})
        finally:
            runtime.stop()

    def status(self) -> dict[str, Any]:
        """What `tidings status --json` says; also while the agent runs."""
        status: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return status

    def logs(self) -> str:
        """Its standard error and its log files."""
        files = sorted((self.home / "logs").glob("*.log*"))
        return self.output() + "".join(file.read_text(errors="replace") for file in files)

"""The two programs under test as real processes: `tidings-server` and `tidings`."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.children import Child
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
COMMAND_TIMEOUT_S = 60
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 15
TRACEBACK = "Traceback (most recent call last)"


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class CommandFailed(AssertionError):
    """A command ended with another exit code than was expected of it."""


class Program:
    """One of our programs with its environment. Commands run to their end; `start` leaves one running.

    Args:
        module: what `python -m` runs.
        env: the whole environment.
        log: file for the output of what is started.
    """

    def __init__(self, module: str, env: Mapping[str, str], log: Path) -> None:
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
        done = subprocess.run(
            [*self.command, *words],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        if code is not None and done.returncode != code:
            line = " ".join(map(str, words))
            raise CommandFailed(f"{line}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def start(self, *words: str | Path) -> Child:
        """Starts it and leaves it running; it must not run already."""
        assert self.child is None or not self.child.running, "it runs already"
        self.child = Child([*self.command, *words], self.log, self.env)
        return self.child

    def stop(self) -> int | None:
        """Ends it as a session's end does, and gives its exit code; None if it never ran."""
        return self.child.stop(STOP_TIMEOUT_S) if self.child else None

    def kill(self) -> None:
        """Ends it with SIGKILL, as a power cut does."""
        assert self.child is not None
        self.child.kill()

    def output(self) -> str:
        """All that it wrote while it ran."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class ServerProcess(Program):
    """`tidings-server` with a data folder of its own, always on the same free loopback port; a context manager.

    Args:
        folder: for its data and its log.
        database_url: PostgreSQL, else SQLite.
    """

    def __init__(self, folder: Path, database_url: str = "") -> None:
        self.data = folder / "server-data"
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "TMPDIR", "TZ")}
        env = inherited | {"LANG": "C.UTF-8", "HOME": str(folder), "TIDINGS_SERVER_DATA": str(self.data)}
        if database_url:
            env["DATABASE_URL"] = database_url
        super().__init__("server", env, folder / "server.log")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def serve(self) -> None:
        """Starts it and waits until it answers."""
        self.start("serve", "--port", str(self.port), "--workers", "1", "--requests-per-minute", "0")
        until(self.healthy, f"the server; it wrote:\n{self.output()}", START_TIMEOUT_S)

    def healthy(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def invite(self, email: str) -> str:
        """A one-time code for this person."""
        printed = self.run("invite", email).stdout
        return next(line for line in printed.splitlines() if line.startswith("Code:")).split()[1]

    def report(self, campaign_id: str) -> dict[str, Any]:
        """What a communicator is told of a campaign; hidden figures are None."""
        report: dict[str, Any] = json.loads(self.run("report", campaign_id, "--json").stdout)
        return report


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

    def status(self) -> dict[str, Any]:
        """What `tidings status --json` says; also while the agent runs."""
        status: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return status

    def logs(self) -> str:
        """Its standard error and its log files."""
        files = sorted((self.home / "logs").glob("*.log*"))
        return self.output() + "".join(file.read_text(errors="replace") for file in files)

"""A process whose children run a command of the server and are killed before a step of one's choice.

`python -m tests.support.server.killed_commands`. It imports everything once. A step is a statement to the database, or a file
of the data folder that is made, written, renamed or removed: a process may be killed before each, and nothing between two
steps is on a disk. Each line of the input is the folder, the address of the database (empty for SQLite), the number of the
step and the command's words, in JSON. It answers whether the child was killed, and the steps.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.agent.processes import ROOT
from tests.support.server.campaign_server import ServerHome, django_at

NEVER = -1
FILE_STEPS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir")
"""Of Python's audit events; `open` too, where it is for writing."""


class Killing:
    """Makes children and waits for them."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, home: ServerHome, *words: str | Path, before: int = NEVER) -> tuple[bool, list[str]]:
        """Whether the command was killed, before its step of this number, and the steps that it took until then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        json.dump(
            [str(home.folder), home.database_url, before, [str(word) for word in words]], self._process.stdin
        )
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that makes children has ended"
        is_killed, steps = json.loads(line)
        return bool(is_killed), list(steps)


@contextmanager
def killing() -> Iterator[Killing]:
    """For the length of a block."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        yield Killing(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


class _Steps:
    """Counts them in a file that outlives the process, and ends it before one of them."""

    def __init__(self, folder: Path, counted: int, before: int) -> None:
        self._folder, self._counted, self._before = str(folder), counted, before
        self._count = 0

    def take(self, name: str) -> None:
        if self._count == self._before:
            os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1
        os.write(self._counted, f"{name}\n".encode())

    def see(self, event: str, words: tuple[Any, ...]) -> None:
        """An audit event."""
        is_writing = event == "open" and bool(words[2] & (os.O_WRONLY | os.O_RDWR))
        if (is_writing or event in FILE_STEPS) and self._is_in_folder(words[0]):
            self.take(f"{event} {Path(os.fsdecode(words[0])).name}")

    def _is_in_folder(self, path: object) -> bool:
        return isinstance(path, (str, bytes, os.PathLike)) and os.fsdecode(path).startswith(self._folder)

    def execute(self, execute: Callable[..., Any], sql: str, *words: Any) -> Any:
        """A statement of Django's."""
        self.take(" ".join(sql.split()[:3]))
        return execute(sql, *words)


def _run(folder: Path, url: str | None, words: Sequence[str], steps: _Steps) -> None:
    from tests.support.server.commands import tidings_server

    with django_at(folder, url):
        from django.db import connection

        connection.ensure_connection()
        sys.addaudithook(steps.see)
        with connection.execute_wrapper(steps.execute):
            done = tidings_server(*words)
        assert done.returncode == 0, done


def main() -> None:
    """Until its input ends."""
    for line in sys.stdin:
        folder, url, before, words = json.loads(line)
        counted = os.memfd_create("steps")
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _run(Path(folder), url, words, _Steps(Path(folder), counted, before))
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the command failed"
        steps = os.pread(counted, os.fstat(counted).st_size, 0).decode().splitlines()
        print(json.dumps([os.WIFSIGNALED(status), steps]), flush=True)
        os.close(counted)


if __name__ == "__main__":
    main()

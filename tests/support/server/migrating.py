"""A process whose children bring a server's database to this version and are killed before a statement of one's choice.

`python -m tests.support.server.migrating`. It imports everything once. Each line of its input is a folder, the address of the
database (empty for SQLite) and a number, in JSON. It answers how many statements were run, and whether the child was killed.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.agent.processes import ROOT
from tests.support.server.campaign_server import ServerHome, django_at

NEVER = -1


class Migrators:
    """Makes children and waits for them."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def migrate(self, home: ServerHome, killed_before: int = NEVER) -> tuple[bool, int]:
        """Whether the child was killed, before its statement of this number, and how many statements it ran."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        json.dump([str(home.folder), home.database_url, killed_before], self._process.stdin)
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that makes children has ended"
        is_killed, count = json.loads(line)
        return bool(is_killed), int(count)


@contextmanager
def migrators() -> Iterator[Migrators]:
    """For the length of a block."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        yield Migrators(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


def _migrate(folder: Path, url: str | None, killed_before: int, counted: int) -> None:
    with django_at(folder, url):
        from django.db import connection

        from server.database.migrating import migrate

        def count(execute: Callable[..., Any], *words: Any) -> Any:
            if os.lseek(counted, 0, os.SEEK_END) == killed_before:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(counted, b".")
            return execute(*words)

        with connection.execute_wrapper(count):
            migrate()


def main() -> None:
    """Until its input ends."""
    for line in sys.stdin:
        folder, url, killed_before = json.loads(line)
        counted = os.memfd_create("statements")
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _migrate(Path(folder), url, killed_before, counted)
                status = 0
            finally:
                if status:
                    traceback.print_exc()
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the migration failed"
        print(json.dumps([os.WIFSIGNALED(status), os.lseek(counted, 0, os.SEEK_END)]), flush=True)
        os.close(counted)


if __name__ == "__main__":
    main()

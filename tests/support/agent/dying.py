"""A process whose children die by SIGKILL at a step of one's choice: `python -m tests.support.agent.dying`.

A step is a call of a function of the agent's that connecting and disconnecting go through. It imports everything once. For
each line on its input, an act, a step, a folder and a server's address, it forks a child that does the act there, and says
"killed", or "ended" where the act had fewer steps.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from tests.support.agent.parts import MemoryKeychain, an_agent
from tests.support.agent.processes import ROOT
from tests.support.agent.watching import CODE

STEPS = (
    "enrolment/service.py",
    "enrolment/device_token.py",
    "enrolment/code_exchange.py",
    "consent/gate.py",
    "consent/record_file.py",
    "agent_dying.py",
)
"""Files whose functions are steps, and all of the store's."""


class FileKeychain(MemoryKeychain):
    """Keeps its secrets when the process ends."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.secrets = json.loads(path.read_text()) if path.exists() else {}

    def write(self, account: str, secret: str) -> None:
        """Keep it."""
        super().write(account, secret)
        self._keep()

    def delete(self, account: str) -> None:
        """Forget it."""
        super().delete(account)
        self._keep()

    def _keep(self) -> None:
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(self.secrets))
        part.replace(self._path)


def keychain(folder: Path) -> FileKeychain:
    """That of the agent in this folder."""
    return FileKeychain(folder / "keychain.json")


def _die_at(step: int) -> None:
    left = step

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal left
        path = frame.f_code.co_filename
        if event == "call" and (path.endswith(STEPS) or "/agent/store/" in path):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def _act(act: str, step: int, folder: Path, url: str) -> None:
    with an_agent(folder, keychain(folder)) as agent:
        _die_at(step)
        if act == "enrol":
            agent.runtime.enrol(url, CODE, keep=True)
        else:
            agent.runtime.disconnect()
        sys.setprofile(None)


def main() -> None:
    """Until its input ends."""
    for line in sys.stdin:
        act, step, folder, url = line.split()
        pid = os.fork()
        if pid == 0:
            try:
                _act(act, int(step), Path(folder), url)
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write("killed\n" if os.WIFSIGNALED(status) else "ended\n")
        sys.stdout.flush()


class Dying:
    """Lets acts die."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def at(self, act: str, step: int, folder: Path, url: str) -> bool:
        """Returns whether the act had so many steps and was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{act} {step} {folder} {url}\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline().strip()
        assert said in ("killed", "ended"), said
        return said == "killed"


@contextmanager
def dying() -> Iterator[Dying]:
    """For the length of a block."""
    command = [sys.executable, "-m", "tests.support.agent.dying"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        yield Dying(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)


if __name__ == "__main__":
    main()

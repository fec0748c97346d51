"""R15: whoever starts at the same time over the same data, of whatever login, exactly one is first."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.agent.processes import ROOT
from tests.support.proofs import Proof

RACERS = 6
KILLED_EACH = 10
"""So often the first is killed while it holds the lock, and another takes its place in the next race."""


class Racer:
    """A process that starts when it is told to."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._begin()

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.agent.racer"],
            env=dict(self._env),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def told(self, word: str) -> None:
        """Tells it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """What became of it."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def killed(self) -> None:
        """As by a power cut; another process stands ready afterwards."""
        self.close()
        self._begin()

    def close(self) -> None:
        """Ends it at once."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def racers(home: Path) -> Iterator[list[Racer]]:
    """Half of them in a session, the others as from cron, ``su`` or another computer: with the same home only."""
    session = home / "session"
    session.mkdir(mode=0o700)
    bare = {"PATH": os.environ["PATH"], "HOME": str(home)}
    logins = (bare | {"XDG_RUNTIME_DIR": str(session)}, bare)
    with ExitStack() as stack:
        made = [Racer(logins[number % 2]) for number in range(RACERS)]
        for each in made:
            stack.callback(each.close)
        yield made


@pytest.mark.proves("R15")
def test_exactly_one_of_those_that_start_at_once_is_first(proof: Proof, tmp_path: Path) -> None:
    races = proof.trials(full=500, few=20)
    wrong: list[list[str]] = []
    with racers(tmp_path) as started:
        for number in range(races):
            for each in started:
                each.told("race")
            answers = [each.answer() for each in started]
            if sorted(answers) != ["first", *["second"] * (RACERS - 1)]:
                wrong.append(answers)
            for each, answer in zip(started, answers, strict=True):
                if answer == "first" and number % KILLED_EACH == 0:
                    each.killed()
                else:
                    each.told("end")
                    assert each.answer() == "ended"
    proof.found("races that had none or more than one first", len(wrong), races)
    assert not wrong

"""Helper processes: this same program, started with hidden words, from source and frozen alike."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from agent.domain import errors

_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""On Windows: a helper must not flash a console."""


def command(*words: str) -> list[str]:
    """The command line that starts this program with other words.

    ``-P``: no code of the current folder is ever run (Python documentation, "Interface options").
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    module = "ui" if importlib.util.find_spec("ui.__main__") else "agent"
    return [sys.executable, "-P", "-m", module, *words]


@contextmanager
def import_without(module: str) -> Iterator[None]:
    """Import others as if an optional module of theirs were not installed; their warnings about that are expected."""
    absent = module not in sys.modules
    if absent:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        if absent:
            del sys.modules[module]


class Helper:
    """One that runs and was asked. Raises EnvironmentFault when it cannot be started."""

    def __init__(self, name: str, question: bytes) -> None:
        self._name = name
        self._question = question
        try:
            self._process = subprocess.Popen(
                command("helper", name),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                creationflags=_NO_WINDOW,
            )
        except OSError as error:
            raise errors.EnvironmentFault(f"helper {name} did not start: {error}") from error

    def answer(self, timeout_s: float) -> bytes:
        """Raises subprocess.TimeoutExpired when it takes too long (it is ended), EnvironmentFault when it fails."""
        with self._process as process:
            try:
                answer, told = process.communicate(self._question, timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if process.returncode != 0:
            told_last = told.decode(errors="replace")[-500:]
            raise errors.EnvironmentFault(f"helper {self._name} ended with {process.returncode}: {told_last}")
        return answer

    def end(self) -> None:
        """It is not wanted any more. From any thread."""
        self._process.kill()


def ask(helper: str, question: bytes, *, timeout_s: float) -> bytes:
    """Start a helper, give it a question on standard input and return its answer.

    Raises subprocess.TimeoutExpired when it takes too long (it is ended), EnvironmentFault when it cannot be started
    or fails.
    """
    return Helper(helper, question).answer(timeout_s)

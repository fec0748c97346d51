"""Steps with their time on the terminal, commands with their output in a log, and errors for people."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
WORK = BUILD / "package"
LOG = WORK / "package.log"
TAIL_LINES = 25


class PackagingError(Exception):
    """What stopped the build or the trial. `title` says what, `message` what to do about it."""

    def __init__(self, title: str, message: str) -> None:
        super().__init__(title)
        self.title = title
        self.message = message


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announces a step, and its time when it has gone well."""
    print(f"   {text} …", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def reused(text: str) -> None:
    """Says that a step is not needed: what it would make is there and nothing that it is made from has changed."""
    print(f"   {text}: unchanged", flush=True)


def run(
    command: Sequence[str | Path],
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    accepted: Sequence[int] = (0,),
) -> str:
    """Runs a command to its end and answers its standard output; all that it prints goes to the log too.

    Raises:
        PackagingError: it is not installed, or its exit code is not among `accepted`.
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(map(str, command))}\n")
        log.flush()
        try:
            done = subprocess.run(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise PackagingError(
                f"{command[0]} is not installed",
                "“python3 -m tasks setup package” installs what packaging needs.",
            ) from None
        log.write(done.stdout + done.stderr)
    if done.returncode not in accepted:
        tail = (done.stdout + done.stderr).splitlines()[-TAIL_LINES:]
        words = " ".join(map(str, command[:4]))
        raise PackagingError(
            f"“{words} …” ended with {done.returncode}",
            "\n".join([*tail, f"All of it is in {LOG.relative_to(ROOT)}."]),
        )
    return done.stdout


def tool(name: str) -> str:
    """The path of a program of this Python environment, else of the system.

    Raises:
        PackagingError: it is not installed.
    """
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        raise PackagingError(
            f"{name} is not installed", "“python3 -m tasks setup package” installs what packaging needs."
        )
    return found


def fingerprint(files: Iterable[Path], *words: str) -> str:
    """A digest of files, with their names, and of words."""
    digest = hashlib.sha256("\0".join(words).encode())
    for file in sorted(files):
        digest.update(f"\0{file}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_current(stamp: Path, mark: str) -> bool:
    """Whether a stamp file holds this mark."""
    return stamp.exists() and stamp.read_text() == mark

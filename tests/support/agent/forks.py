"""`python -m agent …` in a fork of a process that has imported the agent: a process of its own, without the 0.4 s of a start.

Standard input, output and error are files. For commands whose start as an interpreter is not the subject: what depends on
the locale, on Python's own variables or on its options needs a start.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import random
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[3]
IMPORTED = (
    "agent.cli.commands",
    "agent.cli.doctor",
    "agent.cli.privacy",
    "agent.runtime",
    "agent.system.log_setup",
)
LARGEST_REQUEST = 100_000
"""In bytes: the words and the environment of a command."""


def run(
    words: Sequence[str], env: Mapping[str, str], stdin: str, timeout: float
) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end.

    Raises:
        subprocess.TimeoutExpired: it took longer; it was killed.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, contextlib.ExitStack() as stack:
        given, printed, complained = (stack.enter_context(_file()) for _ in range(3))
        given.write(stdin)
        given.flush()
        given.seek(0)
        request = json.dumps([list(words), dict(env), str(Path.cwd())]).encode()
        handed = [each.fileno() for each in (given, printed, complained, theirs)]
        socket.send_fds(_forker(), [request], handed)
        theirs.close()
        pid = int(ours.recv(32))
        ours.settimeout(timeout)
        try:
            code = int(ours.recv(32))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(list(words), timeout) from None
        printed.seek(0)
        complained.seek(0)
        return subprocess.CompletedProcess(list(words), code, printed.read(), complained.read())


def _file() -> IO[str]:
    return tempfile.TemporaryFile("w+", encoding="utf-8")


@functools.cache
def _forker() -> socket.socket:
    """The way to the process that forks. It ends when this one does, since nobody else has the other end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "tests.support.agent.forks", str(theirs.fileno())]
    process = subprocess.Popen(command, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _serve(requests: socket.socket) -> None:
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for the commands
    while True:
        request, handed, _flags, _address = socket.recv_fds(requests, LARGEST_REQUEST, 4)
        if not request:
            return
        if os.fork() == 0:
            requests.close()
            _wait_for(request, handed)
        for descriptor in handed:
            os.close(descriptor)


def _wait_for(request: bytes, handed: list[int]) -> None:
    """Starts the command, says its process id, then its exit code; it has ended before that is known."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    answer = socket.socket(fileno=handed.pop())
    pid = os.fork()
    if pid == 0:
        answer.close()
        _become_the_agent(request, handed)
    answer.send(str(pid).encode())
    _pid, status = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):
        answer.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become_the_agent(request: bytes, handed: list[int]) -> None:
    """Ends with the command, as an interpreter does."""
    words, env, folder = json.loads(request)
    for standard, descriptor in enumerate(handed):
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(folder)
    random.seed()
    sys.argv = ["agent", *words]
    runpy.run_module("agent", run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))

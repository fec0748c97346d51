"""What the short-lived helper processes without a screen do: one question in, one answer out."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

from agent.domain import limits

_WATCH_S = 1.0


def run(name: str) -> int:
    """Answer one question from standard input on standard output. Returns the exit code."""
    answer = _find(name)
    if answer is None:
        sys.stderr.write(f"There is no helper named {name}.\n")
        return 2
    if sys.platform != "win32":
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
    sys.stdout.buffer.flush()
    return 0


def _end_with(parent: int) -> None:
    """A question to a keychain may wait for a person: with whoever asked, its window goes."""
    latest = time.monotonic() + limits.KEYCHAIN_TIMEOUT_S
    while os.getppid() == parent and time.monotonic() < latest:
        time.sleep(_WATCH_S)
    os._exit(1)


def _find(name: str) -> Callable[[bytes], bytes] | None:
    if name == "keychain":
        from agent.system import keychain

        return keychain.answer
    if name == "verify":
        from agent.verification import verifier

        return verifier.answer
    if name == "proxies":
        from agent.transport import proxies

        return proxies.answer
    return None

"""What the short-lived helper processes without a screen do: one question in, one answer out."""

from __future__ import annotations

import sys
from collections.abc import Callable


def run(name: str) -> int:
    """Answer one question from standard input on standard output. Returns the exit code."""
    answer = _find(name)
    if answer is None:
        sys.stderr.write(f"There is no helper named {name}.\n")
        return 2
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
    sys.stdout.buffer.flush()
    return 0


def _find(name: str) -> Callable[[bytes], bytes] | None:
    if name == "keychain":
        from agent import secrets

        return secrets.answer
    if name == "verify":
        from agent import verifier

        return verifier.answer
    if name == "proxies":
        from agent import proxies

        return proxies.answer
    return None

"""The command ``tidings``: opens the tray, plays a video as a helper, or hands over to the agent's command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from agent import __main__ as command_line


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:2] == ["helper", "player"]:
        from ui.player.application import run as play

        return play()
    return command_line.main(words, open_tray=_open_tray)


def _open_tray(options: argparse.Namespace) -> int:
    from ui.app import run

    return run(options)


if __name__ == "__main__":
    raise SystemExit(main())

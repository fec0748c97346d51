"""The command ``tidings``: opens the tray, is a helper with a screen, or hands over to the agent's command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.cli.doctor import Check


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. Returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:2] == ["helper", "player"]:
        _leave_sources_unread()
        from ui.player.application import run as play

        return play()
    if words[:2] == ["helper", "desktop"]:
        from ui.desktop.probe import run as probe

        return probe()
    if words[:2] == ["helper", "notification"]:
        from ui.desktop.notifications import run as notify

        return notify()
    from agent import __main__ as command_line  # Not for the player: it is waited for.

    return command_line.main(
        words, open_tray=_open_tray, extra_checks=_checks(), leave_desktop=_leave_desktop
    )


def _checks() -> Iterator[Callable[[], Check]]:
    from ui.app.doctor_checks import checks

    yield from checks()


def _leave_desktop() -> None:
    from ui.desktop import autostart

    autostart.forget()


def _open_tray(options: argparse.Namespace) -> int:
    _leave_sources_unread()
    from ui.app.app import run

    return run(options)


def _leave_sources_unread() -> None:
    from ui.app.pyside_imports import leave_sources_unread

    leave_sources_unread()


if __name__ == "__main__":
    raise SystemExit(main())

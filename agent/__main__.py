"""The command line of the agent: results on standard output, logs on standard error, exit code 0, 1 or 2."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from agent import __version__
from agent.cli import helpers, privacy_arguments
from agent.domain import errors
from agent.system import private_files
from agent.system.dirs import Folders
from resources import i18n
from resources.i18n import _

if TYPE_CHECKING:
    from agent.cli.doctor import Check

OpenTray = Callable[[argparse.Namespace], int]


def main(
    argv: Sequence[str] | None = None,
    *,
    open_tray: OpenTray | None = None,
    extra_checks: Iterable[Callable[[], Check]] = (),
    leave_desktop: Callable[[], None] = lambda: None,
) -> int:
    """Run a command. Returns the exit code.

    ``open_tray`` is how to show windows, where there are any; ``leave_desktop`` how to delete what they left on the desktop.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["helper"]:
        return helpers.run(words[1] if len(words) > 1 else "")
    private_files.limit_umask()
    _print_whatever_there_is()
    i18n.use_language()
    options = build_parser().parse_args(words)
    from agent.cli import commands
    from agent.system import log_setup

    if options.command is None:
        options.command, options.headless = "run", False
    if options.command == "run" and not options.headless:
        if open_tray is None:
            sys.stderr.write(_("The windows are not installed here. Use “tidings run --headless”.") + "\n")
            return 1
        return open_tray(options)
    try:
        log_setup.set_up(options.log_level, Folders.standard().logs)
        code = commands.COMMANDS[options.command](options, extra_checks)
        if options.command == "purge" and code == 0:
            leave_desktop()
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _unread()
    except errors.TidingsError as error:
        logging.getLogger(__name__).info("%s: %s", type(error).__name__, error.detail)
        sys.stderr.write(f"{error.title}. {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 1


def _print_whatever_there_is() -> None:
    """What the terminal cannot say is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _unread() -> int:
    """Whoever reads what is printed has read enough, as `head` does (docs.python.org, signal, note on SIGPIPE)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def build_parser() -> argparse.ArgumentParser:
    """Every subcommand with its options; each sets `run`, which takes the options and gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="tidings",
        description=_("Your company's announcements on your desktop. You decide what is shared."),
    )
    parser.add_argument("--version", action="version", version=f"tidings {__version__}")
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="warning",
        help=_("what is logged on standard error (default: warning)"),
    )
    commands = parser.add_subparsers(dest="command", metavar=_("COMMAND"), title=_("commands"))
    run = commands.add_parser("run", help=_("start in the tray (what happens without a command)"))
    run.add_argument("--headless", action="store_true", help=_("without windows: receive and send only"))
    run.add_argument("--minimized", action="store_true", help=_("open no window at the start"))
    enrol = commands.add_parser("enrol", help=_("connect this computer with an invitation code"))
    enrol.add_argument(
        "url", metavar="URL", help=_("the server's address, for example https://news.example.com")
    )
    enrol.add_argument(
        "code", metavar="CODE", help=_("the code of the invitation; “-” reads it from standard input")
    )
    commands.add_parser("once", help=_("check for announcements and send what waits, once"))
    status = commands.add_parser(
        "status", help=_("show the connection, what is shared, and what is held back and why")
    )
    doctor = commands.add_parser("doctor", help=_("look for what could be wrong"))
    either = doctor.add_mutually_exclusive_group()
    for each in (status, either):
        each.add_argument("--json", action="store_true", help=_("for programs"))
    either.add_argument(
        "--diagnostics",
        action="store_true",
        help=_("print what an administrator may be given: no name, no address, no announcement"),
    )
    privacy_arguments.add(commands)
    purge = commands.add_parser("purge", help=_("disconnect and delete everything of Tidings for this user"))
    purge.add_argument("--yes", action="store_true", help=_("do not ask"))
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

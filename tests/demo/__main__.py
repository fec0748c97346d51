"""`python -m tests.demo`: the sample company's server, an employee's agent, announcements with a video.

With a screen it runs on it until Ctrl-C. Without one it runs on a virtual desktop with a scripted employee who
uses real mouse and keyboard events, and ends with a table of what was done, shared and stored.
"""

import argparse
import os
import signal
import sys
from dataclasses import dataclass
from typing import Literal

from tests.support.agent.processes import CommandFailed
from tests.support.waiting import OverdueError


@dataclass(frozen=True)
class DemoOptions:
    """How the demo looks."""

    language: Literal["en", "fr"]
    dark: bool


def parse() -> tuple[DemoOptions, bool]:
    """The options, and whether a virtual desktop is wanted."""
    parser = argparse.ArgumentParser(
        prog="make demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--language", choices=("en", "fr"), default="en", help="of the employee (default: en)"
    )
    parser.add_argument("--dark", action="store_true", help="a dark desktop (virtual desktop only)")
    parser.add_argument(
        "--virtual", action="store_true", help="use the virtual desktop even if there is a screen"
    )
    given = parser.parse_args()
    has_screen = sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return DemoOptions(given.language, given.dark), given.virtual or not has_screen


def main() -> int:
    """Runs the demo and gives the exit code: 0 all as promised, 1 something was not."""
    options, virtual = parse()
    # Whatever ends us, what we started is ended in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if virtual:
            from tests.demo import without_screen

            return without_screen.run(options)
        from tests.demo import with_screen

        return with_screen.run(options)
    except (OverdueError, CommandFailed) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

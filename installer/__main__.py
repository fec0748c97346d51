"""Builds the agent's package and tries it: `make package`, or `python -m installer`.

Without a command: freeze, deb, smoke. A step whose sources have not changed is not done again. All of it is in build/.
"""

from __future__ import annotations

import argparse
import sys
import time

from installer.steps import LOG, ROOT, PackagingError


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m installer", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "command",
        nargs="?",
        default="all",
        choices=("all", "freeze", "deb", "smoke", "clean"),
        help="all     what happens without a command\n"
        "freeze  only the program, in build/package/tidings\n"
        "deb     the program and the .deb\n"
        "smoke   these, and a trial of the .deb on a bare system (as root)\n"
        "clean   forget what was built and the bare system",
    )
    return parser.parse_args()


def main() -> int:
    """Runs a command. Returns 0 done, 1 the package failed its trial, 2 it could not be built or tried."""
    command = parse().command
    started = time.monotonic()
    try:
        _carry_out(command)
    except PackagingError as error:
        print(f"\n{error.title}\n{error.message}", file=sys.stderr)
        return 2
    except AssertionError as error:
        print(f"\nThe package failed its trial\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 1
    print(f"   done in {time.monotonic() - started:.0f} s; the log is {LOG.relative_to(ROOT)}")
    return 0


def _carry_out(command: str) -> None:
    from installer import freeze

    if command == "clean":
        freeze.clean()
        if sys.platform == "linux":
            from installer.linux import chroot

            chroot.clean()
        return
    program = freeze.freeze()
    print(f"   {program.relative_to(ROOT)}: {freeze.size_mb():.0f} MB")
    if command == "freeze":
        return
    if sys.platform != "linux":
        raise PackagingError(
            "No package for this system yet", "“python -m installer freeze” builds the program."
        )
    from installer.linux import deb

    file = deb.package()
    print(f"   {file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.0f} MB")
    if command != "deb":
        from installer.linux import smoke

        smoke.try_out(file)


if __name__ == "__main__":
    sys.exit(main())

"""Commands of the campaign server, run in the test's own process. Use within `ServerHome.opened()`."""

import argparse
import importlib


def run_command(name: str, *words: object) -> int:
    """Run one `tidings-server` command. Answers its exit status; what it prints is pytest's to capture.

    Raises `server.core.errors.ServerError`, which the program would explain.
    """
    module = importlib.import_module(f"server.commands.{name}")
    parser = argparse.ArgumentParser(prog=name)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args([str(word) for word in words])) or 0)

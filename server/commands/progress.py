"""Bars on a terminal, for commands that take a while. Not a command itself."""

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress

from server.core.progress import Bar, Tick


@contextlib.contextmanager
def bars() -> Iterator[Bar]:
    """A bar for each stage, on a terminal only."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:

        def start(title: str, total: int) -> Tick:
            task = progress.add_task(title, total=total)
            return lambda reached: progress.update(task, completed=reached)

        yield start

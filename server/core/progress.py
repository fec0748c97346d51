"""How far an import has come, told to whoever shows it."""

from collections.abc import Callable

Tick = Callable[[int], None]
"""Takes how much of a stage is done."""

Bar = Callable[[str, int], Tick]
"""Begins a stage: takes its title and how much there is to do."""


def no_bar(_title: str, _total: int) -> Tick:
    """For those who show nothing."""
    return lambda _reached: None

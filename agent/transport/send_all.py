"""Several kinds of messages over one connection: what keeps one kind back does not keep back the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from agent.domain import errors
from agent.domain.ports import Transport

T = TypeVar("T", bound=Transport)

_FOR_ALL = (errors.ServerUnreachable, errors.ServerBusy, errors.Interrupted, errors.TokenRefused)
"""What holds for the connection as a whole: to try more is of no use, or was forbidden by the server."""


def all_of(transport: T, steps: Iterable[Callable[[T], object]]) -> None:
    """Take each step. Raises the first fault that one of them met, after all were tried that could be."""
    fault: errors.TidingsError | None = None
    for step in steps:
        try:
            step(transport)
        except _FOR_ALL:
            raise
        except (errors.EnvironmentFault, errors.Refused) as error:
            fault = fault or error
    if fault is not None:
        raise fault

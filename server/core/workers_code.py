"""How a worker loads what answers."""

import importlib
from collections.abc import Callable
from typing import Any


def prepared(module: str) -> Callable[..., Any]:
    """The ASGI application that the module's `prepare` gives.

    In place of granian's own loader, which puts the current folder in front of everything (`sys.path`): what lies there would
    run in place of any module that the worker is the first to import.
    """
    application: Callable[..., Any] = importlib.import_module(module).prepare()
    return application

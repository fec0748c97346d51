"""Memory and start: PySide need not read the source of every module that is imported after it.

It does so to learn whether the module names PySide6, whose classes the module could then switch to snake case
(``from __feature__ import …``). Nobody here does; and Python's ``linecache`` keeps every line that was read (ADR 11).
"""

from __future__ import annotations

import importlib
import sys


def leave_sources_unread() -> None:
    """Call before anything else of Qt is imported. Does nothing where PySide is built otherwise."""
    importlib.import_module("PySide6.QtCore")
    feature = sys.modules.get("shibokensupport.feature")
    if hasattr(feature, "_mod_uses_pyside"):
        setattr(feature, "_mod_uses_pyside", _as_any_that_uses_it)  # noqa: B010 - it is not in the stubs


def _as_any_that_uses_it(_module: object) -> bool:
    return True

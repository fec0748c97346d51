"""No source is read and kept in the agent's memory because PySide asks for it."""

import subprocess
import sys

SOURCES_KEPT = """
import linecache
from ui.app.pyside_imports import leave_sources_unread
leave_sources_unread()
before = set(linecache.cache)
import ui.app.app, ui.app.session, agent.runtime
print(sorted(set(linecache.cache) - before))
"""


def test_what_is_imported_after_qt_is_not_kept_as_text() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SOURCES_KEPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"

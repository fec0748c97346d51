"""The tables of this version in SQLite, without rows: made once for all workers of a run, then copied.

Making them takes `tidings-server init` most of its time.
"""

import fcntl
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.agent.processes import ROOT

MIGRATE = "import django; django.setup(); from server.database.migrating import migrate; migrate()"

run_folder: Path | None = None
"""Of the run of tests; `tests/conftest.py` says where. Without one nothing is copied."""


def copy(folder: Path) -> None:
    """Put them into a data folder that has no database."""
    if run_folder is not None:
        shutil.copytree(_made(run_folder), folder, dirs_exist_ok=True)


@functools.cache
def _made(run: Path) -> Path:
    made, unfinished = run / "empty-tables", run / "empty-tables.unfinished"
    with (run / "empty-tables.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers wait
        if not made.exists():
            unfinished.mkdir(mode=0o700)
            own = {"DJANGO_SETTINGS_MODULE": "server.settings", "TIDINGS_SERVER_DATA": str(unfinished)}
            command = [sys.executable, "-c", MIGRATE]
            subprocess.run(command, cwd=ROOT, env=os.environ | own, check=True, umask=0o077)
            unfinished.rename(made)
    return made

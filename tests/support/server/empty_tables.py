"""The tables of this version, without rows: made once for all workers of a run, then copied.

Making them takes `tidings-server init` most of its time.
"""

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.agent.processes import ROOT
from tests.support.server.postgres import PostgresCluster, programs

MIGRATE = "import django; django.setup(); from server.database.migrating import migrate; migrate()"

run_folder: Path | None = None
"""Of the run of tests; `tests/conftest.py` says where. Without one nothing is copied."""


def copy(folder: Path) -> None:
    """Put them into a data folder that has no database."""
    if run_folder is not None:
        shutil.copytree(_made(run_folder), folder, dirs_exist_ok=True)


def restore(cluster: PostgresCluster, database_url: str) -> None:
    """Put them into an empty database of PostgreSQL."""
    if run_folder is not None:
        command: list[str | Path] = [programs() / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f"]
        command += [_dumped(run_folder, cluster), database_url]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@functools.cache
def _made(run: Path) -> Path:
    made, unfinished = run / "empty-tables", run / "empty-tables.unfinished"
    with _alone(run):
        if not made.exists():
            unfinished.mkdir(mode=0o700)
            _migrate(TIDINGS_SERVER_DATA=str(unfinished))
            unfinished.rename(made)
    return made


@functools.cache
def _dumped(run: Path, cluster: PostgresCluster) -> Path:
    dumped, unfinished = run / "empty-tables.sql", run / "empty-tables.sql.unfinished"
    with _alone(run):
        if not dumped.exists():
            url = cluster.new_database()
            _migrate(DATABASE_URL=url, TIDINGS_SERVER_DATA=str(run / "none"))
            subprocess.run([programs() / "pg_dump", "-f", unfinished, url], check=True)
            unfinished.rename(dumped)
    return dumped


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Other workers wait."""
    with (run / "empty-tables.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate(**variables: str) -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "server.settings"} | variables
    subprocess.run([sys.executable, "-c", MIGRATE], cwd=ROOT, env=environment, check=True, umask=0o077)

"""Northwind's server as `tidings-server init` has made it: once in this process for each database, then copied."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.server.postgres import PostgresCluster, cluster_of


@dataclass(frozen=True)
class Made:
    """A data folder and, with PostgreSQL, a database, of which nothing but copies is used."""

    folder: Path
    database_url: str | None = None


Make = Callable[[Path, str | None], None]
"""Makes the server in a folder and an empty database."""


def copy(make: Make, folder: Path, database_url: str | None) -> bool:
    """Put a copy into a folder and an empty database, if both may have one; else do nothing and answer False."""
    cluster = cluster_of(database_url) if database_url else None
    if (folder.exists() and any(folder.iterdir())) or (database_url and cluster is None):
        return False
    made = _made(make, cluster)
    shutil.copytree(made.folder, folder, dirs_exist_ok=True)
    if cluster and database_url and made.database_url:
        cluster.replace(database_url, made.database_url)
    return True


@functools.cache
def _made(make: Make, cluster: PostgresCluster | None) -> Made:
    folder = Path(tempfile.mkdtemp(prefix="tidings-northwind-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = Made(folder / "server", cluster.new_database() if cluster else None)
    made.folder.mkdir(mode=0o700)
    make(made.folder, made.database_url)
    return made

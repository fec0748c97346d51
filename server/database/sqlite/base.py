"""As Django's own, but the database is never open to other users, not even while it is made.

SQLite gives the files of its log the mode that the database has (sqlite.org/src, os_unix.c: findCreateFileMode).
"""

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from server import private_files


class DatabaseWrapper(base.DatabaseWrapper):
    """Found by Django by this name."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises the errors of the database's module."""
        path = Path(conn_params["database"])
        if path.parent.is_dir() and ":" not in path.name:
            private_files.make(path)
            for ending in ("-wal", "-shm"):
                private_files.tighten(path.with_name(path.name + ending))
        return super().get_new_connection(conn_params)

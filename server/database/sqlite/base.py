"""As Django's own, but the database is never open to other users, not even while it is made.

SQLite gives the files of its log the mode that the database has (sqlite.org/src, os_unix.c: findCreateFileMode).
"""

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base

from server.core import private_files
from server.database.sqlite import log


class DatabaseWrapper(base.DatabaseWrapper):
    """Found by Django by this name."""

    transaction_mode: str | None  # which its typing lacks

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises the errors of the database's module."""
        path = Path(conn_params["database"])
        if path.parent.is_dir() and ":" not in path.name:
            private_files.make(path)
            for ending in ("-wal", "-shm"):
                private_files.tighten(path.with_name(path.name + ending))
        return super().get_new_connection(conn_params)

    def _start_transaction_under_autocommit(self) -> None:
        """Number each transaction that may write: see `log`. Raises the errors of Django's databases."""
        super()._start_transaction_under_autocommit()  # type: ignore[misc]
        if self.transaction_mode == "IMMEDIATE":
            with self.wrap_database_errors:
                (number,) = self.connection.execute("PRAGMA user_version").fetchone()
                self.connection.execute(f"PRAGMA user_version = {log.following(number)}")

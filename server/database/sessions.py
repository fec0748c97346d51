"""What each new connection to PostgreSQL is told."""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper


def prepare(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Limit how long locks are waited for and held in vain, and get along with a pooler between us and the database."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_backend_pid(), set_config('lock_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            [f"{seconds * 1000:.0f}ms" for seconds in (settings.LONGEST_WAIT_S, settings.LONGEST_IDLE_S)],
        )
        backend = cursor.fetchone()[0]
    # It may give each transaction another backend, which knows neither what was prepared before nor a cursor that
    # outlives its transaction.
    if _is_anothers(connection, backend):
        connection.connection.prepare_threshold = None
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True


def is_pooled(connection: BaseDatabaseWrapper) -> bool:
    """Whether a pooler stands between us and PostgreSQL. Raises `DatabaseError` when there is no connection."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return _is_anothers(connection, cursor.fetchone()[0])


def _is_anothers(connection: BaseDatabaseWrapper, backend: int) -> bool:
    """A pooler tells its clients numbers of its own."""
    return bool(backend != connection.connection.info.backend_pid)

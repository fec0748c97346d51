"""Whether the database can be used at all: looked at before anything is written to it."""

from pathlib import Path

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from server.database.sqlite import log
from server.errors import EnvironmentFault


def damage() -> str:
    """What SQLite finds wrong with its file; empty when it is sound. Raises `django.db.DatabaseError`."""
    if connection.vendor != "sqlite":
        connection.ensure_connection()
        return ""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA quick_check(1)")
        found = str(cursor.fetchone()[0])
    return "" if found == "ok" else " ".join(found.split())


def require_own_log() -> None:
    """Raise `EnvironmentFault` where SQLite would replay the log of another database, or of another time.

    Before this process opens the database, which replays it.
    """
    if connection.vendor != "sqlite":
        return
    database = Path(connection.settings_dict["NAME"])
    try:
        is_of_another = log.is_of_another(database)
    except FileNotFoundError:
        return
    except OSError as error:
        raise EnvironmentFault(
            _("The database cannot be read"), _("The system says: {reason}.").format(reason=error.strerror)
        ) from error
    if is_of_another:
        raise EnvironmentFault(
            _("The log beside the database does not belong to it"),
            _(
                "Was {database} restored from a backup? Then stop all programs that use it, and remove {database}-wal and "
                "{database}-shm, which belong to what was there before. Nothing was changed."
            ).format(database=database.name),
        )


def require_sound() -> None:
    """Raise `EnvironmentFault` for a database that is damaged, cannot be reached, or is of a newer program."""
    try:
        found = damage()
        strangers = _unknown_migrations() if not found else []
    except DatabaseError as error:
        raise EnvironmentFault(
            _("The database cannot be used"),
            _("{reason}. Check DATABASE_URL and --data, and whether the database runs.").format(
                reason=" ".join(str(error).split()).rstrip(".")
            ),
        ) from error
    if found:
        raise EnvironmentFault(
            _("The database is damaged"),
            _(
                "{reason}. Nothing was changed. Stop all programs that use it, and put a backup in its place; before "
                "that, remove tidings.sqlite3-wal and tidings.sqlite3-shm, which belong to the damaged one."
            ).format(reason=found.rstrip(".")),
        )
    if strangers:
        raise EnvironmentFault(
            _("The database is of a newer version of this program"),
            _(
                "It knows {change}, which this version does not. Nothing was changed. Install the newer version."
            ).format(change=strangers[0]),
        )


def _unknown_migrations() -> list[str]:
    loader = MigrationExecutor(connection).loader
    own = loader.migrated_apps
    known = loader.disk_migrations.keys()
    return sorted(
        f"{app}.{name}" for app, name in loader.applied_migrations if app in own and (app, name) not in known
    )

"""Whether the database can be used at all: looked at before anything is written to it."""

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from server.core import under_way
from server.core.errors import EnvironmentFault
from server.database.sqlite import log


def damage() -> str:
    """What SQLite finds wrong with its file; empty when it is sound. Raises `django.db.DatabaseError`."""
    if connection.vendor != "sqlite":
        connection.ensure_connection()
        return ""
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            found = str(cursor.fetchone()[0])
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # of the system around it, as a file that cannot be opened
            raise
        found = str(error)  # so far gone that it is no database
    return "" if found == "ok" else " ".join(found.split())


def missing() -> list[str]:
    """The tables that are gone, and the columns, as `table.column`. Raises `django.db.DatabaseError`."""
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        gone = []
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if table not in there:
                gone.append(table)
                continue
            found = {column.name for column in connection.introspection.get_table_description(cursor, table)}
            gone += [
                f"{table}.{field.column}"
                for field in model._meta.concrete_fields
                if field.column not in found
            ]
    return sorted(gone)


def strangers() -> list[str]:
    """Whose keys are in the data folder, and whom the database does not know. Raises `django.db.DatabaseError`.

    Their computers must not be told that they are not connected.
    """
    return sorted(with_keys() - set(companies()))


def orphans() -> list[str]:
    """The tables with rows that lead to a row which is gone, as where only some tables were restored.

    Raises `django.db.DatabaseError`. PostgreSQL keeps no such rows.
    """
    if connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_key_check")
        return sorted({f"{row[0]} → {row[2]}" for row in cursor.fetchall()})


def with_keys() -> set[str]:
    """The companies whose keys are in the data folder, but for those that are being closed or brought in."""
    moving = {*under_way.begun("closing"), *under_way.begun("arrival")}  # interrupted: housekeeping ends it
    return {file.parent.name for file in settings.KEY_FOLDER.glob("*/*.jwk.json")} - moving


def companies() -> list[str]:
    """The ids of all companies; none where there is no table of them. Raises `django.db.DatabaseError`."""
    with connection.cursor() as cursor:
        if "directory_company" not in connection.introspection.table_names(cursor):
            return []
        cursor.execute("SELECT id FROM directory_company ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def told_of_strangers(unknown: list[str]) -> str:
    """What to do about them."""
    return _(
        "The data folder has the keys of {companies}, whom this database does not know. Put the database in its place "
        "that belongs to them, or a backup, and check DATABASE_URL and --data"
    ).format(companies=", ".join(unknown))


def require_whole() -> None:
    """Raise `EnvironmentFault` where a table or column is gone that this version has. After the migrations."""
    if gone := missing():
        raise EnvironmentFault(
            _("The database is damaged"),
            _("Missing: {tables}. {advice}").format(
                tables=", ".join(gone), advice=_("Put a backup in its place.")
            ),
        )


def require_own_log() -> None:
    """Raise `EnvironmentFault` where SQLite would replay the log of another database, or of another time.

    Before this process opens the database, which replays it.
    """
    if connection.vendor != "sqlite":
        return
    database = Path(connection.settings_dict["NAME"])
    try:
        is_of_another = log.is_of_another(database)
    except OSError as error:
        raise EnvironmentFault(
            _("The database cannot be read"), _("The system says: {reason}.").format(reason=error.strerror)
        ) from error
    if is_of_another:
        raise EnvironmentFault(
            _("The log beside the database does not belong to it"),
            _(
                "Was {database} restored from a backup? Then stop all programs that use it, and remove {database}-wal and "
                "{database}-shm, which belong to what was there before, and copy the backup into its place again. Nothing "
                "was changed."
            ).format(database=database.name),
        )


def require_sound() -> None:
    """Raise `EnvironmentFault` for a database that is damaged, cannot be reached, or is of a newer program."""
    try:
        found = damage()
        newer = _unknown_migrations() if not found else []
        unknown = strangers() if not (found or companies()) else []
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
    if newer:
        raise EnvironmentFault(
            _("The database is of a newer version of this program"),
            _(
                "It knows {change}, which this version does not. Nothing was changed. Install the newer version."
            ).format(change=newer[0]),
        )
    if unknown:
        raise EnvironmentFault(_("The database is empty"), f"{told_of_strangers(unknown)}.")


def _unknown_migrations() -> list[str]:
    loader = MigrationExecutor(connection).loader
    own = loader.migrated_apps
    known = loader.disk_migrations.keys()
    return sorted(
        f"{app}.{name}" for app, name in loader.applied_migrations if app in own and (app, name) not in known
    )

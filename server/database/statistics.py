"""How large PostgreSQL believes our tables are, by which it chooses how to look something up.

Of a table that it knows nothing about it expects a few rows: it then compares each row of one with each of another. Its own
daemon looks once a minute, and never at what a transaction has not committed yet.
"""

from collections.abc import Iterable

from django.apps import apps
from django.db import connection
from django.db.models import Model

CHANGED = """
SELECT changed.relname FROM pg_stat_user_tables AS changed JOIN pg_class ON pg_class.oid = changed.relid
WHERE changed.schemaname = current_schema()
AND (pg_class.reltuples < 0 OR changed.n_mod_since_analyze > 1000 + pg_class.reltuples / 5)
"""
"""Those never looked at, or of which a fifth has changed since; much as the daemon does."""


def refresh() -> None:
    """Let PostgreSQL look at those of our tables that have changed by much. Takes a few tenths of a second where any has."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(CHANGED)
        changed = {name for (name,) in cursor.fetchall()}
    look_at(model for model in apps.get_models(include_auto_created=True) if model._meta.db_table in changed)


def look_at(models: Iterable[type[Model]]) -> None:
    """Let PostgreSQL look at these tables, at what this transaction has stored, too. Not where another looks already."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f'ANALYZE (SKIP_LOCKED) "{model._meta.db_table}"')

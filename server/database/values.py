"""Whether each value can be read as what its column holds.

SQLite takes any value into any column: one of another type, put there by hand or by a disk, ends whatever reads it.
PostgreSQL takes none.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection, models

_TEXT = "typeof({column}) = 'text'"
_INTEGER = "typeof({column}) = 'integer'"
_READABLE: tuple[tuple[type[Any], str], ...] = (
    (models.BooleanField, "{column} IN (0, 1)"),
    (models.IntegerField, _INTEGER),
    (models.BinaryField, "typeof({column}) = 'blob'"),
    (models.UUIDField, _TEXT + " AND length({column}) = 32 AND {column} NOT GLOB '*[^0-9a-f]*'"),
    (models.DateTimeField, _TEXT + " AND datetime({column}) IS NOT NULL"),
    (models.DateField, _TEXT + " AND length({column}) = 10 AND date({column}) IS NOT NULL"),
    (models.JSONField, _TEXT + " AND json_valid({column})"),
    (models.CharField, _TEXT),
    (models.TextField, _TEXT),
)
"""The first that a field is of."""


def unreadable(tables: Iterable[type[models.Model]] = ()) -> Iterator[str]:
    """The columns, `table.column`, that hold a value which cannot be read; of all our tables where none are given."""
    if connection.vendor != "sqlite":
        return
    for model in tables or apps.get_models(include_auto_created=True):
        rules = {str(field.column): rule for field in model._meta.concrete_fields if (rule := _rule(field))}
        counts = ", ".join(_count(column, rule) for column, rule in rules.items())
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {counts} FROM {connection.ops.quote_name(model._meta.db_table)}")
            found = cursor.fetchone()
        for column, count in zip(rules, found, strict=True):
            if count:
                yield f"{model._meta.db_table}.{column}"


def _rule(field: "models.Field[Any, Any]") -> str:
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    return next((rule for kind, rule in _READABLE if isinstance(field, kind)), "")


def _count(column: str, rule: str) -> str:
    quoted = connection.ops.quote_name(column)
    return f"total({quoted} IS NOT NULL AND NOT ({rule.format(column=quoted)}))"

"""Many rows at once, without an object for each: 700,000 of them are a few seconds' work."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

ROWS_AT_ONCE = 5000
VALUES_AT_ONCE = 900
"""In one statement; SQLite took 999 at most for long."""


def insert(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows, given as values of these columns, within a transaction. Ids are texts: no database needs a `UUID`."""
    table, names = model._meta.db_table, ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copied:
                for row in rows:
                    copied.write_row(row)
            return
        places = ", ".join(["%s"] * len(columns))
        waiting = iter(rows)
        while some := list(islice(waiting, ROWS_AT_ONCE)):
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', some)


def insert_numbered(model: type[Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """The same, for rows that others name: answers their primary keys, which the database chooses, in the same order."""
    table, names = model._meta.db_table, ", ".join(f'"{column}"' for column in columns)
    places = f"({', '.join(['%s'] * len(columns))})"
    at_once = VALUES_AT_ONCE // len(columns)
    numbers: list[int] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            cursor.execute(
                f'INSERT INTO "{table}" ({names}) VALUES {", ".join([places] * len(some))} RETURNING "id"',
                [value for row in some for value in row],
            )
            numbers += sorted(number for (number,) in cursor.fetchall())
    return numbers


def delete_some(rows: QuerySet[Any], most: int) -> int:
    """Delete so many of these rows at most, to which no others belong. Answers how many it were. Within a transaction.

    They are not named one by one. Django would read those of a model that others can belong to, each as an object.
    """
    some, values = rows.order_by().values("pk")[:most].query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f'DELETE FROM "{rows.model._meta.db_table}" WHERE "id" IN ({some})', values)
        return int(cursor.rowcount)

"""`person_key__among=[…]`: as `__in`, with the whole list as one parameter.

A person has another key in each campaign. SQLite takes 999 parameters of a query from Django, and either database would plan
a query with 20,000 of them anew each time.
"""

import json
from typing import TYPE_CHECKING, Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, CharField, Lookup, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    AnyLookup = Lookup[Any]
else:
    AnyLookup = Lookup


class Among(AnyLookup):
    """`IN` for a list of any length, which travels as one parameter."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[str | int]]:
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} IN (SELECT value FROM json_each(%s))", [*parameters, json.dumps(list(self.rhs))]

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, connection)
        return f"{left} = ANY(%s)", [*parameters, list(self.rhs)]


def as_text(column: str) -> Cast:
    """A date or an id as the text that the database has or makes of it: of a million, no object is made."""
    return Cast(column, CharField())


class Joined(Aggregate):
    """The texts of all rows that have one, in no order, with `separator` between."""

    function = "STRING_AGG"
    output_field = CharField()

    def __init__(self, text: Combinable | str, separator: str) -> None:
        super().__init__(text, Value(separator))

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        """Its name there."""
        return super().as_sql(compiler, connection, function="GROUP_CONCAT", **context)

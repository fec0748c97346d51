"""A server with one company, without people, groups, campaigns and tokens, in one statement for each table.

Django would read all rows first, to follow them into other tables.
"""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from server.access.models import AccessToken
from server.audit import chain_heads
from server.campaigns.models import Campaign, Media
from server.directory.models import Company, Group, Person

EMPTIED = (Campaign, Media, Person, Group, AccessToken)
KEPT = "northwind"


def empty() -> None:
    """Delete all of `EMPTIED`, all that can only be with one of them, and other companies than the one that is `KEPT`."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        Company.objects.exclude(pk=KEPT).delete()
        for company in Company.objects.all():
            company.feeds_changed()  # what is kept in memory is of before
    for end in (Path(settings.DATA) / "audit").glob("*.json"):
        if end.stem != KEPT:
            chain_heads.forget(end.stem)  # of a company that is gone, whose name another test may take


@functools.cache
def _tables() -> list[str]:
    """What is deleted with something else stands before it."""
    found: list[type[models.Model]] = []

    def add(model: type[models.Model]) -> None:
        for other in _going_with(model):
            if other not in (*found, model):
                add(other)
        if model not in found:
            found.append(model)

    for model in EMPTIED:
        add(model)
    return [model._meta.db_table for model in found]


def _going_with(model: type[models.Model]) -> Iterator[type[models.Model]]:
    for field in model._meta.get_fields(include_hidden=True):
        of: Any = field.related_model
        if field.auto_created and getattr(field, "on_delete", None) is models.CASCADE:
            yield of

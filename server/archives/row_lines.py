"""A row as a line of canonical JSON, and back.

Rows that the database numbers are numbered afresh, from 1 in the order in which they were made, so that the same content
gives the same bytes whatever numbers a database used; references to them follow.
"""

import itertools
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import BinaryField, ForeignKey, JSONField, Model
from django.utils.translation import gettext as _

from server.archives.arrival_rules import arrival_faults
from server.archives.row_rules import faults_of, without_sums, without_wrong_counts
from server.archives.rows import AnyField, Reference, columns, is_numbered, label, referred_models, target
from server.campaigns.countable import counted_as, hide_uncounted
from server.campaigns.models import Campaign
from server.core.errors import Refused
from server.core.json_text import read_json
from server.signing.digests import canonical_json

LONGEST_LINE = 8 * 1024 * 1024
WRONG_SHAPE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What JSON raises that is not of the shape of a row."""
ELSEWHERE = "another server"
"""Who published alone what nobody has looked at yet: an account of the server that it comes from."""
MOST_REFERRED = 1_000_000
"""Rows of a table that others refer to: people, campaigns. Their names on both sides are held in memory."""


class Numbers:
    """What each row is called on the other side: database and archive number rows differently.

    Only of models that others refer to: there may be a million signals, and nobody needs to find one again.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[Any, Any]] = {}

    def learn(self, model: type[Model], here: Any, there: Any) -> None:
        """Raises `Refused` when there are more than the memory has room for."""
        if model in referred_models():
            known = self._known.setdefault(label(model), {})
            known[here] = there
            if len(known) > MOST_REFERRED:
                raise Refused(
                    _("The company is too large"),
                    _("{table} has more than {most} rows.").format(table=label(model), most=MOST_REFERRED),
                )

    def of(self, model: type[Model], here: Any) -> Any:
        """Raises `KeyError` for a row that has not been met."""
        return self._known[label(model)][here]


def to_line(row: Model, number: int, numbers: Numbers) -> bytes:
    """The row, which is the `number`th of its model. `numbers` learns it."""
    model = type(row)
    without_sums(row)
    values: dict[str, Any] = {}
    for field in columns(model):
        value = getattr(row, field.attname)
        if isinstance(field, ForeignKey):
            values[field.name] = None if value is None else numbers.of(target(field), value)
        elif field.primary_key and is_numbered(model):
            values[field.name] = number
        else:
            values[field.name] = _plain(value)
    pk = model._meta.pk
    numbers.learn(model, row.pk, values[pk.name])
    return canonical_json(values).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (bytes, memoryview, bytearray)):
        return b64encode(bytes(value)).decode()
    return value


def wrong_row(model: type[Model], number: int, reason: str) -> Refused:
    """What is told of a row that cannot be brought in. `number`: of its line, from 1; `reason`: the column, and why."""
    return Refused(
        _("The archive holds a row that cannot be right"),
        _(
            "{table}: {reason} (rows/{table}.jsonl, row {number}). Nothing was imported. Take the company out again, "
            "where it is; what “tidings-server check” tells there has to be mended first."
        ).format(table=label(model), number=number, reason=reason[:300].rstrip(".")),
    )


def from_line(model: type[Model], line: bytes, number: int, numbers: Numbers) -> tuple[Model, Any]:
    """The row, not saved, and what the archive calls it. A field that an older archive lacks has its default.

    `number`: of the line, from 1. Raises `Refused` for a line that does not hold such a row.
    """
    try:
        values = read_json(line)
        if not isinstance(values, dict):
            raise ValueError(_("no object"))
        row = model(**_attributes(model, values, numbers))
        if isinstance(row, Campaign):
            _count_anew(row, known="counted" in values)
            row.alone_by = ELSEWHERE if row.alone_by else ""  # accounts do not move
            row.alone_texts = None  # nobody signed them
        without_wrong_counts(row)
        for column, reason in itertools.chain(faults_of(row), arrival_faults(row)):
            raise ValueError(f"{column}: {reason}")
        return row, values[model._meta.pk.name]
    except (*WRONG_SHAPE, ValidationError) as error:
        told = "; ".join(error.messages) if isinstance(error, ValidationError) else f"{error}"
        raise wrong_row(model, number, told) from error


def _count_anew(row: Campaign, *, known: bool) -> None:
    """Of a recalled campaign nobody can tell any more which links were in which variant: they have no figures here."""
    if row.status == Campaign.Status.RECALLED:
        row.counted = {}
    if known:
        return
    row.counted = counted_as(row.content)
    if row.result is not None:  # an older version counted each link for itself
        hide_uncounted(row)


def _attributes(model: type[Model], values: Mapping[str, Any], numbers: Numbers) -> dict[str, Any]:
    fields = {field.name: field for field in columns(model)}
    if unknown := values.keys() - fields.keys():
        raise ValueError(_("unknown field {name}").format(name=min(unknown)))
    attributes = {}
    for name, field in fields.items():
        if name not in values:
            if not field.has_default():
                raise ValueError(_("{name} is missing").format(name=name))
        elif isinstance(field, ForeignKey):
            attributes[field.attname] = _referred(field, values[name], numbers)
        elif not (field.primary_key and is_numbered(model)):
            try:
                attributes[field.attname] = _checked(field, values[name])
            except (TypeError, ValueError, OverflowError, ValidationError) as error:
                told = "; ".join(error.messages) if isinstance(error, ValidationError) else f"{error}"
                raise ValueError(f"{name}: {told}") from error
    return attributes


def _referred(field: Reference, named: Any, numbers: Numbers) -> Any:
    """The row here that the archive names. Raises `ValueError` for one that the archive does not hold before this one."""
    if named is None:
        return None
    try:
        return numbers.of(target(field), named)
    except (KeyError, TypeError) as error:
        raise ValueError(_("{name}: there is no such row").format(name=field.name)) from error


def _json_type(field: JSONField) -> type:
    """That of the default; where that is nothing, a description."""
    default = field.get_default()
    return dict if default is None else type(default)


def _checked(field: AnyField, value: Any) -> Any:
    """The value in the field's own type. Raises `ValidationError` and what a wrong type raises."""
    if value is None:
        if not field.null:
            raise ValueError(_("{name} is empty").format(name=field.name))
        return None
    if isinstance(field, BinaryField):
        return b64decode(value, validate=True)
    if isinstance(field, JSONField):
        if field.has_default() and not isinstance(value, _json_type(field)):
            raise TypeError(_("it is of another type"))
        return value
    proper = field.to_python(value)
    if field.choices and proper not in {choice for choice, _label in field.flatchoices}:
        raise ValueError(_("{name} is none of its choices").format(name=field.name))
    field.run_validators(proper)
    return proper

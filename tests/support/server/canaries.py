"""Rows about a person with a value in every column that can be found again, made from the models themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from django.db.models import Field, Model

    from server.campaigns.models import Campaign
    from server.directory.models import Person

FIRST_DAY = datetime(2031, 1, 1, 12, tzinfo=UTC)
SHAPES: dict[str, Any] = {
    "counts": {"size": 5, "days": {"2026-11-23": 1}, "links": {}},
    "sizes": {"assigned": 6, "groups": {}},
}
"""Of columns about nobody that hold nothing else: an import would mend it."""


@dataclass
class Canaries:
    """One row of every model that leads to a person. `planted`: what must be found again, by table and column."""

    person: Person
    campaign: Campaign
    planted: dict[str, str] = field(default_factory=dict)
    rows: list[Model] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def plant(self) -> None:
        """Make the rows, in every table that leads to the person. Within `ServerHome.opened()`."""
        from server.data_subject.personal_rows import leading_models
        from server.directory.models import Person

        self._describe_person()
        for model in leading_models():
            if model is not Person and not model._meta.auto_created:
                self.rows.append(self.row(model))

    def _describe_person(self) -> None:
        person = self.person
        for column in person._meta.concrete_fields:
            if column.is_relation or column.primary_key:
                continue
            setattr(person, column.name, self._value(column))
        person.save()
        self._note(person)

    def row(self, model: type[Model]) -> Model:
        """Make one row of a model; one that does not lead to the person, as a draft, is about somebody else."""
        from server.data_subject.personal_rows import leading_models

        values = {
            column.name: self._related(column.related_model) if column.related_model else self._value(column)
            for column in model._meta.concrete_fields
            if column.name != "id" and not self._may_lack(column)
        }
        row = model._default_manager.create(**(values | self._ways(model)))
        if model in leading_models():
            self._note(row)
        return row

    def _may_lack(self, column: Field[Any, Any]) -> bool:
        """It refers to a row about somebody else, and need not."""
        from server.data_subject.personal_rows import leading_models

        model = column.related_model
        return column.null and isinstance(model, type) and model not in leading_models()

    def _ways(self, model: type[Model]) -> dict[str, str]:
        """The columns that lead to the person without a foreign key."""
        from server.audit.log import old_subject_of
        from server.data_subject.personal_rows import PERSON_KEY, SUBJECT, fields_of
        from server.signals.keys import keys_of

        key = keys_of(self.person.pk, self.person.company_id)[self.campaign.pk]
        ways = {PERSON_KEY: key, SUBJECT: old_subject_of(self.person.pk)}
        return {name: ways[name] for name in ways if name in fields_of(model)}

    def _related(self, model: type[Model]) -> Model:
        for known in (self.person, self.person.company, self.campaign):
            if isinstance(known, model):
                return known
        row = self.row(model)
        self.rows.append(row)
        return row

    def _note(self, row: Model) -> None:
        """What the row has in its personal columns, once it is stored: some are filled in then."""
        from server.core.data_map import Personal
        from server.data_subject.personal_rows import declared

        for column in row._meta.concrete_fields:
            said = declared(type(row), column.name)
            if isinstance(said, Personal) and not said.secret and not column.is_relation:
                value = as_text(getattr(row, column.name))
                self.planted[f"{row._meta.label}.{column.name}"] = value

    def _value(self, column: Field[Any, Any]) -> Any:
        """A value that appears nowhere else, as far as the column's type allows."""
        number = next(self._numbers)
        if column.choices:
            return column.choices[0][0]
        kind = column.get_internal_type()
        values: dict[str, Callable[[], Any]] = {
            "UUIDField": uuid4,
            "DateTimeField": lambda: FIRST_DAY + timedelta(days=number, seconds=number),
            "DateField": lambda: (FIRST_DAY + timedelta(days=number)).date(),
            "JSONField": lambda: SHAPES.get(column.name, [f"canary-{number}"]),
            "BooleanField": lambda: True,
            "BinaryField": lambda: f"canary-{number}".encode(),
        }
        if kind in values:
            return values[kind]()
        if "Integer" in kind:
            return 20_000 + number
        if column.name in ("receipt", "document"):
            return f"canary-{number}.x.y"
        text = f"canary-{number}@northwind.example" if column.name == "email" else f"canary-{number}"
        return text[: column.max_length]


def as_text(value: Any) -> str:
    """A planted value as JSON shows it; of a list the only item."""
    if isinstance(value, list):
        return as_text(value[0])
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else str(value)


def texts_in(answer: Any) -> set[str]:
    """Every value in a JSON answer, as text."""
    if isinstance(answer, dict):
        return set().union(*(texts_in(value) for value in answer.values()))
    if isinstance(answer, list):
        return set().union(*(texts_in(value) for value in answer))
    return {str(answer)}

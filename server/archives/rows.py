"""Which rows belong to a company, by looking at the models: a new model is taken out, brought in and deleted by itself."""

from collections import deque
from collections.abc import Sequence
from functools import cache
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import AutoField, Field, ForeignKey, Model, QuerySet

from server.directory.models import Company

if TYPE_CHECKING:
    AnyField = Field[Any, Any]
    Reference = ForeignKey[Any, Any]
else:
    AnyField, Reference = Field, ForeignKey


class Homeless(TypeError):
    """A model leads to no company, and does not say that it belongs to the server itself: a bug in the model."""


def is_of_the_server(model: type[Model]) -> bool:
    """Whether the model says that its rows stay with the server when a company leaves."""
    return bool(getattr(model, "of_the_server", False))


@cache
def company_models() -> Sequence[type[Model]]:
    """All models whose rows belong to a company, each after those that it refers to. Raises `Homeless`."""
    ours = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.startswith("server.") and not is_of_the_server(model)
    ]
    for model in ours:
        path_to_company(model)
    by_name = {label(model): model for model in ours}
    order = TopologicalSorter(
        {
            name: sorted(label(target(field)) for field in references(by_name[name]))
            for name in sorted(by_name)
        }
    )
    return [by_name[name] for name in order.static_order()]


def archived_models() -> Sequence[type[Model]]:
    """Those whose rows are taken out with the company, in the same order. The others stay behind, and go with its account."""
    return [model for model in company_models() if not getattr(_owner(model), "stays_here", False)]


def _owner(model: type[Model]) -> type[Model]:
    """Of a table between two models, the one that it belongs to; else the model itself."""
    owner = model._meta.auto_created
    return owner if isinstance(owner, type) else model


@cache
def path_to_company(model: type[Model]) -> str:
    """The shortest chain of references to the company, none of which may be empty: `campaign__company`.

    Raises `Homeless` when there is none.
    """
    waiting: deque[tuple[type[Model], tuple[str, ...]]] = deque([(model, ())])
    seen = {model}
    while waiting:
        current, path = waiting.popleft()
        if current is Company:
            return "__".join((*path, "pk"))
        for field in references(current):
            if not field.null and target(field) not in seen:
                seen.add(target(field))
                waiting.append((target(field), (*path, field.name)))
    raise Homeless(f"{label(model)} leads to no company; give it a reference, or of_the_server = True")


def rows_of(model: type[Model], company_id: str) -> QuerySet[Model]:
    """The company's rows of this model, in the order in which they were made."""
    return model._base_manager.filter(**{path_to_company(model): company_id}).order_by("pk")


def label(model: type[Model]) -> str:
    """The model's name in the archive: `directory.person`."""
    return model._meta.label_lower


def columns(model: type[Model]) -> Sequence[AnyField]:
    """The fields that have a column of their own."""
    return [field for field in model._meta.concrete_fields if isinstance(field, Field)]


def references(model: type[Model]) -> list[Reference]:
    """The columns that refer to another model."""
    return [field for field in columns(model) if isinstance(field, ForeignKey)]


def target(field: Reference) -> type[Model]:
    """The model that a reference leads to."""
    related = field.remote_field.model
    assert not isinstance(related, str)
    return related


@cache
def referred_models() -> frozenset[type[Model]]:
    """The models that a row of another one can refer to."""
    return frozenset(target(field) for model in company_models() for field in references(model))


def is_numbered(model: type[Model]) -> bool:
    """Whether the database numbers the rows: such a number is another one after an import."""
    return isinstance(model._meta.pk, AutoField)

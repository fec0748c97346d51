"""Which rows lead to a person, found in the models themselves, so that a new model is covered by itself.

Three ways lead to a person: foreign keys, over any number of tables; `person_key`, the HMAC under a campaign's key; and
`subject`, by which the audit log names people: in each entry another value, and in older entries one hash.
"""

from collections.abc import Iterator
from functools import cache

from django.apps import apps
from django.db.models import Field, ForeignKey, Model, Q, QuerySet

from server.audit.log import old_subject_of
from server.audit.models import EntrySubject
from server.core.data_map import TARGETING, Declaration
from server.directory.models import Person
from server.signals.keys import keys_of

PERSON_KEY = "person_key"
SUBJECT = "subject"


def leading_models() -> list[type[Model]]:
    """Every model whose rows can lead to a person, the tables between two others included; `Person` itself first."""
    found = [model for model in own_models() if model is not Person and _leads(model)]
    return [Person, *sorted(found, key=lambda model: model._meta.label)]


def own_models() -> Iterator[type[Model]]:
    """All models of this server, the tables between two others included."""
    for model in apps.get_models(include_auto_created=True):
        if model.__module__.startswith("server."):
            yield model


def rows_about(model: type[Model], person: Person) -> QuerySet[Model]:
    """The rows of a leading model that lead to this person."""
    found = Q(pk__in=())
    if model is Person:
        found |= Q(pk=person.pk)
    for path in _paths(model):
        found |= Q(**{path: person.pk})
    names = fields_of(model)
    if PERSON_KEY in names:
        found |= Q(person_key__among=keys_of(person.pk, person.company_id).values())
    if SUBJECT in names:
        entries = list(EntrySubject.objects.filter(person=person.pk).values_list("pk", flat=True))
        found |= Q(subject=old_subject_of(person.pk)) | Q(pk__among=entries)
    return model._default_manager.filter(found).order_by("pk")


def fields_of(model: type[Model]) -> dict[str, "Field[object, object]"]:
    """The model's columns, by name."""
    return {field.name: field for field in model._meta.concrete_fields}


def declared(model: type[Model], field: str) -> Declaration:
    """What the data map says of a column. A table between two models leads to people, so all of it is about them."""
    data_map: dict[str, Declaration] = getattr(model, "data_map", {})
    return data_map[field] if data_map else TARGETING


def _leads(model: type[Model]) -> bool:
    return bool(_paths(model)) or bool({PERSON_KEY, SUBJECT} & fields_of(model).keys())


@cache
def _paths(model: type[Model]) -> tuple[str, ...]:
    """The lookups that lead from the model to a person over foreign keys."""
    return tuple(_walk(model, frozenset({model})))


def _walk(model: type[Model], seen: frozenset[type[Model]]) -> Iterator[str]:
    for field in model._meta.concrete_fields:
        if not isinstance(field, ForeignKey):
            continue
        target = field.related_model
        if target is Person:
            yield field.name
        elif target not in seen:
            for rest in _walk(target, seen | {target}):
                yield f"{field.name}__{rest}"

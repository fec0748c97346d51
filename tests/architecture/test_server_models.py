"""Every stored field says what it is for, and the migrations hold all of them."""

from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Field, ManyToManyField, Model

from server.core.data_map import OF_OTHERS, DataMap, Impersonal, Personal, data_map_of
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import django_at

MODELS = apps.get_models()
"""Those of Django and allauth, too: what is declared of them stands beside ours."""


def _fields(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields() if isinstance(field, (Field, ManyToManyField))}


def _declared(model: type[Model]) -> DataMap:
    return data_map_of(model._meta.label_lower, getattr(model, "data_map", None))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_field_is_declared_personal_or_not(model: type[Model]) -> None:
    declared = _declared(model)
    assert set(declared) == _fields(model)
    assert all(isinstance(value, (Personal, Impersonal)) for value in declared.values())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_field_that_leads_to_a_person_is_declared_personal(model: type[Model]) -> None:
    people = {apps.get_model("directory", "Person"), apps.get_model("accounts", "Account")}
    leading = {
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.related_model in people
    }
    assert all(isinstance(_declared(model)[name], Personal) for name in leading)


def test_what_is_declared_of_others_is_still_installed() -> None:
    assert set(OF_OTHERS) == {
        model._meta.label_lower for model in MODELS if not model.__module__.startswith("server.")
    }


def test_the_migrations_are_those_of_the_models(tmp_path: Path) -> None:
    with django_at(tmp_path, None):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)

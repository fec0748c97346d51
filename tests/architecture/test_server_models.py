"""Every stored field says what it is for, and the migrations hold all of them."""

from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Field, ManyToManyField, Model

from server.core.data_map import Impersonal, Personal
from tests.support.server import django_ready  # noqa: F401
from tests.support.server.campaign_server import django_at

MODELS = [model for model in apps.get_models() if model.__module__.startswith("server.")]


def _fields(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields() if isinstance(field, (Field, ManyToManyField))}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_field_is_declared_personal_or_not(model: type[Model]) -> None:
    declared = getattr(model, "data_map", {})
    assert set(declared) == _fields(model)
    assert all(isinstance(value, (Personal, Impersonal)) for value in declared.values())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_field_that_leads_to_a_person_is_declared_personal(model: type[Model]) -> None:
    person = apps.get_model("directory", "Person")
    leading = {
        field.name
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.related_model is person
    }
    assert all(isinstance(getattr(model, "data_map", {})[name], Personal) for name in leading)


def test_the_migrations_are_those_of_the_models(tmp_path: Path) -> None:
    with django_at(tmp_path, None):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)

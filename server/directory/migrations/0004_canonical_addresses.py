"""Addresses whose domain is written in ASCII (`xn--…`) take the spelling under which they are looked up from now on."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from server.directory.addresses import canonical


def respell(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Where both spellings are there, the two people stay two: somebody has to decide who they are."""
    people = apps.get_model("directory", "Person").objects
    for person in people.filter(email__contains="@xn--") | people.filter(email__contains=".xn--"):
        email = canonical(person.email)
        if email != person.email and not people.filter(company=person.company_id, email=email).exists():
            people.filter(pk=person.pk).update(email=email)


class Migration(migrations.Migration):
    dependencies = [("directory", "0003_logo")]

    operations = [migrations.RunPython(respell, migrations.RunPython.noop)]

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def forget_attempts(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    """They counted for minutes, and nobody can tell any more whose they are."""
    apps.get_model("accounts", "Attempt").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_attempts"),
    ]

    operations = [
        migrations.RunPython(forget_attempts, migrations.RunPython.noop),
        migrations.AddField(
            model_name="attempt",
            name="whose_digest",
            field=models.CharField(
                default="",
                help_text="HMAC of the account's number, or of what was typed, in hex.",
                max_length=64,
            ),
            preserve_default=False,
        ),
    ]

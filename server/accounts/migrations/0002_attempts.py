from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def end_sessions_of_nobody(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    """Sign-ins that waited for a code hold an address, and did not end with their account."""
    apps.get_model("accounts", "Session").objects.filter(account=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attempt",
            fields=[
                (
                    "key_digest",
                    models.CharField(
                        help_text="HMAC of allauth's key under the server's secret, in hex.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "value",
                    models.JSONField(help_text="As allauth sets it: the times of attempts, in seconds."),
                ),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.RunPython(end_sessions_of_nobody, migrations.RunPython.noop),
    ]

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def name_accounts(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    """As the audit log names them."""
    ErasureRequest = apps.get_model("erasure", "ErasureRequest")
    for one in ErasureRequest.objects.select_related("asked_by"):
        one.asked_as = f"account {one.asked_by.pk} ({', '.join(one.asked_by.roles)})"
        one.save(update_fields=["asked_as"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_bound_groups"),
        ("erasure", "0001_erasure_requests"),
    ]

    operations = [
        migrations.AddField(
            model_name="erasurerequest",
            name="asked_as",
            field=models.CharField(
                default="", help_text="How the audit log names who asked.", max_length=100
            ),
            preserve_default=False,
        ),
        migrations.RunPython(name_accounts, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="erasurerequest",
            name="asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.account",
            ),
        ),
    ]

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def name_accounts(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    """As the audit log names them."""
    NoticeProposal = apps.get_model("notices", "NoticeProposal")
    for one in NoticeProposal.objects.select_related("proposed_by"):
        one.proposed_as = f"account {one.proposed_by.pk} ({', '.join(one.proposed_by.roles)})"
        one.save(update_fields=["proposed_as"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_bound_groups"),
        ("notices", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="noticeproposal",
            name="proposed_as",
            field=models.CharField(
                default="", help_text="How the audit log names who proposed it.", max_length=100
            ),
            preserve_default=False,
        ),
        migrations.RunPython(name_accounts, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="noticeproposal",
            name="proposed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.account",
            ),
        ),
    ]

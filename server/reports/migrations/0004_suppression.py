from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce


def describe_blocks(apps: Any, _schema_editor: object) -> None:
    """Say of how many people each block was formed, and end those whose cohort was dissolved."""
    block, member, cohort_member = (
        apps.get_model("reports", name) for name in ("Block", "BlockMember", "CohortMember")
    )
    counted = (
        member.objects.filter(block=OuterRef("pk")).order_by().values("block").annotate(people=Count("pk"))
    )
    block.objects.update(size=Coalesce(Subquery(counted.values("people")), 0))
    block.objects.filter(live=True).exclude(cohort__in=cohort_member.objects.values("cohort")).update(
        live=False, counts=None
    )


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0002_privacy"),
        ("reports", "0003_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="Suppression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "signal",
                    models.CharField(
                        choices=[("seen", "Seen"), ("click", "Click"), ("like", "Like")], max_length=5
                    ),
                ),
                (
                    "notice_version",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Campaigns under this version of the notice, or an older one, count the person still.",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="suppressions",
                        to="directory.person",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("person", "signal"), name="suppressed_once")],
            },
        ),
        migrations.AddField(
            model_name="block",
            name="size",
            field=models.PositiveIntegerField(default=0, help_text="How many people it was formed of."),
        ),
        migrations.AddField(
            model_name="cohortmember",
            name="mixed_at",
            field=models.DateTimeField(
                default=None,
                help_text="When it was formed, if people of dissolved ones are in it: campaigns that start later count it.",
                null=True,
            ),
        ),
        migrations.RunPython(describe_blocks, migrations.RunPython.noop),
    ]

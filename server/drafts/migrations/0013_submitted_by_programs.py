import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_bound_groups"),
        ("drafts", "0012_excluded_groups"),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="program_digest",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of the file with which a program began it: asked again, it is the same submission.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="submitted_program",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The program that submitted it, as the audit log names it; empty where a person did.",
                max_length=100,
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="submitted_token",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="access.accesstoken",
            ),
        ),
    ]

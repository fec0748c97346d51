import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0010_attention_budget"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportProgress",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="directory.company",
                    ),
                ),
                (
                    "order",
                    models.CharField(help_text="Which import, see `people_files.upsert`.", max_length=32),
                ),
                (
                    "reached",
                    models.PositiveIntegerField(help_text="Rows of its file; one more once it is on record."),
                ),
            ],
        ),
    ]

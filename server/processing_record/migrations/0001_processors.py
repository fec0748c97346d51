import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0010_attention_budget"),
    ]

    operations = [
        migrations.CreateModel(
            name="Processor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(help_text="The firm.", max_length=200)),
                ("service", models.CharField(help_text="What it does.", max_length=300)),
                ("country", models.CharField(help_text="Where the data is.", max_length=100)),
                (
                    "safeguards",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Outside the European Economic Area: on what the transfer rests; empty inside.",
                        max_length=300,
                    ),
                ),
                ("since", models.DateField()),
                ("until", models.DateField(default=None, help_text="The last day.", null=True)),
                (
                    "company",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="processors",
                        to="directory.company",
                    ),
                ),
            ],
        ),
    ]

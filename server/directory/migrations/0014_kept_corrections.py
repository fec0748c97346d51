import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0013_import_sums"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("field", models.CharField(max_length=20)),
                (
                    "replaced",
                    models.CharField(
                        help_text="What the directory said then, as `corrections.digest_of` tells it, in hex.",
                        max_length=64,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="kept_corrections",
                        to="directory.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "field"), name="kept_correction_field")
                ],
            },
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models

import server.drafts.models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0009_trial_revision"),
        ("drafts", "0006_version_audience"),
    ]

    operations = [
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trial_id",
                    models.CharField(default=server.drafts.models.new_trial_id, max_length=18, unique=True),
                ),
                ("document", models.TextField(help_text="Signed, for the person's computers only (JWS).")),
                ("ends", models.DateTimeField(db_index=True)),
                (
                    "files",
                    models.JSONField(
                        default=list, help_text="Digest, size and type of each file that it names."
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trials", to="drafts.draft"
                    ),
                ),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trial",
                        to="directory.person",
                    ),
                ),
            ],
        ),
    ]

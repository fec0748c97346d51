import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import server.drafts.models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0007_trial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DraftUpload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "upload_id",
                    models.CharField(default=server.drafts.models.new_secret, max_length=32, unique=True),
                ),
                ("name", models.CharField(help_text="As it was called where it comes from.", max_length=100)),
                ("length", models.PositiveBigIntegerField(help_text="Bytes, as was said at the beginning.")),
                ("begun_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        help_text="Who sends it, and nobody else.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="uploads", to="drafts.draft"
                    ),
                ),
            ],
        ),
    ]

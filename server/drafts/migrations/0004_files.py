import django.db.models.deletion
from django.db import migrations, models

import server.drafts.models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0003_page_key"),
    ]

    operations = [
        migrations.CreateModel(
            name="DraftFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(help_text="As the campaign file calls it.", max_length=200)),
                (
                    "key",
                    models.CharField(
                        default=server.drafts.models.new_id,
                        help_text="The name of its bytes on the disk.",
                        max_length=16,
                    ),
                ),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField(help_text="Bytes.")),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("image/png", "Png"),
                            ("image/jpeg", "Jpeg"),
                            ("image/webp", "Webp"),
                            ("video/mp4", "Mp4"),
                            ("text/vtt", "Vtt"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "width",
                    models.PositiveIntegerField(help_text="Pixels; pictures and videos only.", null=True),
                ),
                (
                    "height",
                    models.PositiveIntegerField(help_text="Pixels; pictures and videos only.", null=True),
                ),
                (
                    "duration_ms",
                    models.PositiveIntegerField(
                        help_text="Of a video. Of captions: when the last one begins.", null=True
                    ),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "draft",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="files", to="drafts.draft"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("draft", "name"), name="draft_file_name")],
            },
        ),
    ]

from django.db import migrations, models

import server.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0009_popups_index"),
        ("directory", "0011_import_progress"),
    ]

    operations = [
        migrations.AlterField(
            model_name="campaign",
            name="published_at",
            field=models.DateTimeField(default=server.core.clock.now),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["company", "status", "published_at"], name="campaign_published"),
        ),
    ]

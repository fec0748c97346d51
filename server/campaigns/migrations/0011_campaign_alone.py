from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0010_published_index"),
        ("directory", "0012_person_ids"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="campaign",
            name="campaign_alone",
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["company", "alone_by"], name="campaign_alone"),
        ),
    ]

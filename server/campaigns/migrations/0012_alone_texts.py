from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0011_campaign_alone"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="alone_texts",
            field=models.JSONField(
                help_text="What it said, where it was recalled before somebody else has looked at it.",
                null=True,
            ),
        ),
    ]

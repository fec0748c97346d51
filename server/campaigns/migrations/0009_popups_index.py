from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0008_published_alone"),
        ("directory", "0010_attention_budget"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                fields=["company", "status", "starts", "urgency", "to_everyone"], name="campaign_popups"
            ),
        ),
    ]

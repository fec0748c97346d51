from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0002_approval"),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="page_key",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The opened page that wrote it last, and may go on with it.",
                max_length=16,
            ),
        ),
    ]

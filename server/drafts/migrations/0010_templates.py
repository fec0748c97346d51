from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0009_conversions"),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="template_name",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of a template (`templates`), which is for nobody and is never published; empty: a draft.",
                max_length=80,
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0010_templates"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftupload",
            name="becomes_draft",
            field=models.BooleanField(
                default=False,
                help_text="Whether the draft is there for it alone: a ZIP file that it is to become.",
            ),
        ),
    ]

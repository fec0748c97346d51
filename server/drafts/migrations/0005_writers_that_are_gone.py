from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0004_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="begun_at",
            field=models.DateTimeField(help_text="When its first writer began it.", null=True),
        ),
        migrations.AddField(
            model_name="draft",
            name="writers_ever",
            field=models.PositiveIntegerField(
                default=0, help_text="How many wrote any of it, also those whose accounts are gone."
            ),
        ),
    ]

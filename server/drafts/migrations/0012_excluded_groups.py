from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0011_import_progress"),
        ("drafts", "0011_becoming"),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="excluded_groups",
            field=models.ManyToManyField(blank=True, related_name="+", to="directory.group"),
        ),
        migrations.AddField(
            model_name="draftversion",
            name="excluded_groups",
            field=models.ManyToManyField(blank=True, related_name="+", to="directory.group"),
        ),
    ]

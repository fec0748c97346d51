from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_alone_texts"),
        ("directory", "0011_import_progress"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="excluded_groups",
            field=models.ManyToManyField(
                blank=True,
                help_text="Whoever is in one of them does not get it, whatever else names them.",
                related_name="campaigns_without",
                to="directory.group",
            ),
        ),
    ]

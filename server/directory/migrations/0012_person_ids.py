from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0011_import_progress"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["company", "id"], name="person_ids"),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_subjects"),
        ("directory", "0010_attention_budget"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["company", "time"], name="audit_time"),
        ),
    ]

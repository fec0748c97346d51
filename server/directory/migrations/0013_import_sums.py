from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0012_person_ids"),
    ]

    operations = [
        migrations.AddField(
            model_name="importprogress",
            name="added",
            field=models.PositiveIntegerField(default=0, help_text="People, as `changed` and `left_out`."),
        ),
        migrations.AddField(
            model_name="importprogress",
            name="changed",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="importprogress",
            name="left_out",
            field=models.PositiveIntegerField(default=0),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0003_rotation"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="is_mailed",
            field=models.BooleanField(
                default=False, help_text="Made for an e-mail: the next one to the person takes its place."
            ),
        ),
    ]

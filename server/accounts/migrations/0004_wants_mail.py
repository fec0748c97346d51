from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_whose_attempts"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="wants_mail",
            field=models.BooleanField(
                default=True, help_text="Whether the person is told by e-mail that something waits for them."
            ),
        ),
    ]

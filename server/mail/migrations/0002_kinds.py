from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="consolemail",
            name="kind",
            field=models.CharField(
                choices=[
                    ("notice", "Notice"),
                    ("approval", "Approval"),
                    ("erasure", "Erasure"),
                    ("alert", "Alert"),
                    ("sign-in", "Sign In"),
                ],
                max_length=8,
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_wants_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="reviewed_at",
            field=models.DateTimeField(
                default=None, help_text="When somebody else last decided that it is kept.", null=True
            ),
        ),
    ]

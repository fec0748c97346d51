from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0004_mailed_invitations"),
        ("directory", "0012_person_ids"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("revoked_at__isnull", True)), fields=["person"], name="device_connected"
            ),
        ),
    ]

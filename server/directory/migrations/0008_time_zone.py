from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0007_second_person"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="time_zone",
            field=models.CharField(
                default="UTC",
                help_text="Of the IANA database: by whose clock the console shows times.",
                max_length=64,
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0006_move"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="emergencies_alone",
            field=models.BooleanField(
                default=True, help_text="An emergency, which has a reason on record, needs no second person."
            ),
        ),
        migrations.AddField(
            model_name="company",
            name="second_person_from",
            field=models.PositiveIntegerField(
                default=None,
                help_text="From so many people on, somebody else approves a campaign; NULL: never.",
                null=True,
            ),
        ),
    ]

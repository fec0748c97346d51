from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0008_time_zone"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="trial_revision",
            field=models.PositiveBigIntegerField(
                default=0,
                help_text="Another number whenever somebody's test came or went; 0: there was none yet.",
            ),
        ),
    ]

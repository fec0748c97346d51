from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0009_trial_revision"),
    ]

    operations = [
        migrations.AddField(
            model_name="company",
            name="over_budget",
            field=models.CharField(
                choices=[("note", "Note"), ("second-person", "Second Person"), ("refuse", "Refuse")],
                default="note",
                help_text="What happens to a campaign beyond the attention budget.",
                max_length=13,
            ),
        ),
        migrations.AddField(
            model_name="company",
            name="popups_per_week",
            field=models.PositiveSmallIntegerField(
                default=3, help_text="The attention budget: pop-ups per person and week, as planned."
            ),
        ),
    ]

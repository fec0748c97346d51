from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0007_list_indexes"),
        ("directory", "0009_trial_revision"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="alone_because",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Why no second person approved it, where the company wants one; empty else.",
                max_length=500,
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="alone_by",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Who published it alone, as the audit log has it, until somebody else has looked at it.",
                max_length=100,
            ),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                condition=models.Q(("alone_by", ""), _negated=True), fields=["company"], name="campaign_alone"
            ),
        ),
    ]

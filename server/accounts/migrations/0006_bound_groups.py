from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reviewed"),
        ("directory", "0010_attention_budget"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="bound_groups",
            field=models.ManyToManyField(blank=True, related_name="+", to="directory.group"),
        ),
        migrations.AddField(
            model_name="account",
            name="is_bound",
            field=models.BooleanField(
                default=False,
                help_text="It addresses the people of `bound_groups`, and sees what is for them alone.",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0001_initial"),
        ("directory", "0010_attention_budget"),
    ]

    operations = [
        migrations.AddField(
            model_name="accesstoken",
            name="bound_groups",
            field=models.ManyToManyField(blank=True, related_name="+", to="directory.group"),
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="is_bound",
            field=models.BooleanField(
                default=False,
                help_text="It addresses the people of `bound_groups`, and sees what is for them alone.",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0008_time_zone"),
        ("drafts", "0005_writers_that_are_gone"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftversion",
            name="audience_groups",
            field=models.ManyToManyField(blank=True, related_name="+", to="directory.group"),
        ),
        migrations.AddField(
            model_name="draftversion",
            name="audience_people",
            field=models.ManyToManyField(blank=True, related_name="draft_versions", to="directory.person"),
        ),
        migrations.AddField(
            model_name="draftversion",
            name="reason",
            field=models.CharField(blank=True, default="", max_length=500),
        ),
        migrations.AddField(
            model_name="draftversion",
            name="to_everyone",
            field=models.BooleanField(
                help_text="None: it was kept before versions had reason and audience.", null=True
            ),
        ),
    ]

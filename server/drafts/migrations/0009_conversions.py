from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0008_uploads"),
    ]

    operations = [
        migrations.AddField(
            model_name="draftupload",
            name="language",
            field=models.CharField(
                blank=True, default="", help_text="Of what is told, as its sender reads.", max_length=11
            ),
        ),
        migrations.AddField(
            model_name="draftupload",
            name="poster",
            field=models.CharField(
                blank=True, default="", help_text="The file with its poster.", max_length=200
            ),
        ),
        migrations.AddField(
            model_name="draftupload",
            name="stage",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Coming"),
                    ("waiting", "Waiting"),
                    ("converted", "Converted"),
                    ("failed", "Failed"),
                ],
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="draftupload",
            name="told",
            field=models.TextField(
                blank=True, default="", help_text="Why it is converted; of one that failed, why it cannot be."
            ),
        ),
        migrations.AddField(
            model_name="draftupload",
            name="tries",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="How often its conversion was begun."
            ),
        ),
        migrations.AddField(
            model_name="draftupload",
            name="video",
            field=models.CharField(
                blank=True, default="", help_text="What came of it: a file.", max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="draftupload",
            name="begun_at",
            field=models.DateTimeField(help_text="Or when it had come, or was converted."),
        ),
    ]

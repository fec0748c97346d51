import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("drafts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="draft",
            name="returned_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="returned_for",
            field=models.CharField(blank=True, default="", help_text="Why it came back.", max_length=500),
        ),
        migrations.AddField(
            model_name="draft",
            name="submitted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="draft",
            name="submitted_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="submitted_seal",
            field=models.CharField(
                blank=True,
                default="",
                help_text="The digest (`publication.seal_of`) of what waits for approval; empty where nothing does.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="draft",
            name="writers",
            field=models.ManyToManyField(
                blank=True,
                help_text="Who wrote any of it: none of them approves it.",
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]

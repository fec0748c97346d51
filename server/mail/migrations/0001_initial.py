import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0009_trial_revision"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="InvitationMail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                (
                    "next_at",
                    models.DateTimeField(db_index=True, help_text="When it is tried, or tried again."),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(default=None, null=True)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("refused", "the mail server does not take it"),
                            ("too-old", "it could not be sent in time"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("days", models.PositiveSmallIntegerField(help_text="How long the code works.")),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitation_mail",
                        to="directory.person",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConsoleMail",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("queued_at", models.DateTimeField()),
                (
                    "next_at",
                    models.DateTimeField(db_index=True, help_text="When it is tried, or tried again."),
                ),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(default=None, null=True)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("refused", "the mail server does not take it"),
                            ("too-old", "it could not be sent in time"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("notice", "Notice"), ("alert", "Alert"), ("sign-in", "Sign In")],
                        max_length=8,
                    ),
                ),
                (
                    "path",
                    models.CharField(
                        blank=True, default="", help_text="Of the console, what it leads to.", max_length=100
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mails",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("failure", ""), ("sent_at", None)),
                        fields=("account", "kind", "path"),
                        name="mail_waits_once",
                    )
                ],
            },
        ),
    ]

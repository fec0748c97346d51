"""What waits to be sent by e-mail. No address, text, code or link is kept: those are looked up or made when it is sent."""

from typing import ClassVar

from django.db import models

from server.accounts.models import Account
from server.core.data_map import IMPERSONAL, DataMap, Personal, Retention
from server.directory.models import Person

NOTIFYING = Personal("tell the person by e-mail that something waits for them in the console", Retention.MAIL)
INVITING = Personal("invite the person by e-mail to connect a computer", Retention.MAIL)


class Outgoing(models.Model):
    """One message, from the moment it is due until a day after it went out."""

    class Failure(models.TextChoices):
        NONE = ""
        REFUSED = "refused", "the mail server does not take it"
        TOO_OLD = "too-old", "it could not be sent in time"

    queued_at = models.DateTimeField()
    next_at = models.DateTimeField(db_index=True, help_text="When it is tried, or tried again.")
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, default=None)
    failure = models.CharField(max_length=8, choices=Failure.choices, blank=True, default=Failure.NONE)

    class Meta:
        abstract = True


class ConsoleMail(Outgoing):
    """To an account of the console: something waits at an address of it, or the person is let in."""

    class Kind(models.TextChoices):
        NOTICE = "notice"
        APPROVAL = "approval"
        ERASURE = "erasure"
        ALERT = "alert"
        SIGN_IN = "sign-in"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mails")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    path = models.CharField(
        max_length=100, blank=True, default="", help_text="Of the console, what it leads to."
    )

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "account": NOTIFYING,
        "kind": NOTIFYING,
        "path": NOTIFYING,
        "queued_at": NOTIFYING,
        "next_at": NOTIFYING,
        "tries": IMPERSONAL,
        "sent_at": NOTIFYING,
        "failure": NOTIFYING,
    }
    stays_here: ClassVar[bool] = True
    """As the account does."""

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "kind", "path"),
                condition=models.Q(sent_at=None, failure=""),
                name="mail_waits_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} to account {self.account_id}"


class InvitationMail(Outgoing):
    """To a person of the directory: how to connect a computer, with a code that is made when it is sent."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="invitation_mail")
    days = models.PositiveSmallIntegerField(help_text="How long the code works.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "person": INVITING,
        "days": IMPERSONAL,
        "queued_at": INVITING,
        "next_at": INVITING,
        "tries": IMPERSONAL,
        "sent_at": INVITING,
        "failure": INVITING,
    }
    stays_here: ClassVar[bool] = True
    """As invitations do."""

    def __str__(self) -> str:
        return f"invitation {self.pk}"

"""Invitations and enrolled computers. Codes and tokens are kept only as hashes."""

from dataclasses import replace
from typing import ClassVar

from django.db import models

from server.core.data_map import IMPERSONAL, SECRET, DataMap, Personal, Retention
from server.directory.models import Person

INVITING = Personal("let the person connect a computer", Retention.INVITATION)
SERVING = Personal("recognise the person's computer and serve their announcements", Retention.ENROLMENT)


class Invitation(models.Model):
    """A one-time code for one person. See `delivery.tokens` for how it is made and hashed."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="invitations")
    code_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    retry_hash = models.CharField(
        max_length=64,
        default="",
        help_text="SHA-256, in hex, of the secret by which the agent that used the code may use it again.",
    )
    issued_hash = models.CharField(
        max_length=64, default="", help_text="`token_hash` of the computer that the code connected."
    )
    is_mailed = models.BooleanField(
        default=False, help_text="Made for an e-mail: the next one to the person takes its place."
    )

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "person": INVITING,
        "code_hash": SECRET,
        "created_at": INVITING,
        "expires_at": INVITING,
        "used_at": INVITING,
        "retry_hash": SECRET,
        "issued_hash": SECRET,
        "is_mailed": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """Not taken out with the company: codes work only where they were made, under that server's key."""

    def __str__(self) -> str:
        return f"invitation {self.pk}"


class Device(models.Model):
    """A computer that a person connected. Nothing about the computer but its platform's name is known."""

    class Platform(models.TextChoices):
        LINUX = "linux"
        WINDOWS = "windows"
        MACOS = "macos"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="devices")
    token_hash = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the device token, in hex."
    )
    next_hash = models.CharField(
        max_length=64,
        null=True,
        default=None,
        unique=True,
        help_text="The same of the token that the agent will use next.",
    )
    family = models.CharField(
        max_length=64, default="", help_text="The same of the first token, once there was another."
    )
    reused = models.BooleanField(default=False, help_text="Ended because a replaced token was used.")
    platform = models.CharField(max_length=7, choices=Platform.choices)
    agent_version = models.CharField(max_length=40)
    enrolled_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "person": SERVING,
        "token_hash": replace(SERVING, secret=True),
        "next_hash": replace(SERVING, secret=True),
        "family": replace(SERVING, secret=True),
        "reused": SERVING,
        "platform": SERVING,
        "agent_version": SERVING,
        "enrolled_at": SERVING,
        "revoked_at": SERVING,
    }

    class Meta:
        # Who has a connected computer is counted over it alone.
        indexes = (
            models.Index(
                fields=("person",), condition=models.Q(revoked_at__isnull=True), name="device_connected"
            ),
        )

    def __str__(self) -> str:
        return f"device {self.pk}"


class SpentToken(models.Model):
    """A token that another one has replaced. See `delivery.rotation`."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="spent_tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    grace_until = models.DateTimeField(null=True, help_text="Forgotten by housekeeping once it is past.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "device": SERVING,
        "token_hash": replace(SERVING, secret=True),
        "grace_until": SERVING,
    }

    def __str__(self) -> str:
        return f"spent token {self.pk}"

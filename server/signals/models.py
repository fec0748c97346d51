"""Signals under a key that only their campaign has, and the consents that allow them.

A `Signal` never names its person: it holds HMAC-SHA256(campaign key, person id). The campaign key lies in a table of its own,
so that destroying one row when the campaign closes leaves counts only. No signal names the consent receipt it came
under either, since receipts do name their person.
"""

from dataclasses import replace
from typing import ClassVar

from django.db import models

from server.campaigns.models import Campaign
from server.core import clock
from server.core.data_map import IMPERSONAL, DataMap, Personal, Retention
from server.directory.models import Person

REPORTING = Personal(
    "count how a campaign was received, with the person's consent (GDPR article 6(1)(a))", Retention.CAMPAIGN
)
PROOF = Personal("prove what the person chose (GDPR article 7(1))", Retention.CONSENT_PROOF)


class SignalName(models.TextChoices):
    """The kinds of signals that people may share."""

    SEEN = "seen"
    CLICK = "click"
    LIKE = "like"


class CampaignKey(models.Model):
    """The secret under which a campaign's signals are keyed. Without it no row can be matched to a person."""

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, primary_key=True, related_name="key")
    key = models.BinaryField(max_length=32)

    data_map: ClassVar[DataMap] = {"campaign": IMPERSONAL, "key": replace(REPORTING, secret=True)}

    def __str__(self) -> str:
        return f"key of campaign {self.pk}"


class Signal(models.Model):
    """One event: a campaign was seen, a link was clicked, or a like was set or taken back."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="received", db_index=False
    )  # signal_campaign begins with it
    event_id = models.UUIDField()
    person_key = models.CharField(
        max_length=64, help_text="HMAC-SHA256 of the person's id under the campaign's key, in hex."
    )
    signal = models.CharField(max_length=5, choices=SignalName.choices)
    date = models.DateField(help_text="UTC date of the act.")
    link_id = models.CharField(max_length=40, default="", help_text="Clicks only.")
    value = models.PositiveSmallIntegerField(null=True, help_text="Likes only: 1 set, 0 taken back.")
    seq = models.PositiveBigIntegerField(null=True, help_text="Likes only: the highest of a person holds.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "campaign": REPORTING,
        "event_id": REPORTING,
        "person_key": replace(REPORTING, secret=True),
        "signal": REPORTING,
        "date": REPORTING,
        "link_id": REPORTING,
        "value": REPORTING,
        "seq": REPORTING,
    }

    class Meta:
        constraints = (models.UniqueConstraint(fields=("campaign", "event_id"), name="signal_event"),)
        indexes = (
            # All that figures are made of: reports read no row beside it.
            models.Index(
                fields=("person_key", "signal", "date", "link_id", "value", "seq"), name="signal_person"
            ),
            models.Index(fields=("campaign", "signal"), name="signal_campaign"),
        )

    def __str__(self) -> str:
        return f"{self.signal} {self.event_id}"


class Consent(models.Model):
    """A consent or a withdrawal, with the receipt that answered it. A withdrawal stays as a tombstone."""

    class Status(models.TextChoices):
        GIVEN = "given"
        WITHDRAWN = "withdrawn"

    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="consents", db_index=False
    )  # consent_person begins with it
    receipt_id = models.UUIDField()
    signal = models.CharField(max_length=5, choices=SignalName.choices)
    status = models.CharField(max_length=9, choices=Status.choices)
    notice_version = models.PositiveIntegerField()
    time = models.DateTimeField(help_text="As the computer says it.")
    received_at = models.DateTimeField(default=clock.now, help_text="As the server says it.")
    language = models.CharField(max_length=35)
    agent_version = models.CharField(max_length=40)
    receipt = models.TextField(help_text="The signed receipt (JWS).")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "person": PROOF,
        "receipt_id": PROOF,
        "signal": PROOF,
        "status": PROOF,
        "notice_version": PROOF,
        "time": PROOF,
        "received_at": PROOF,
        "language": PROOF,
        "agent_version": PROOF,
        "receipt": PROOF,
    }

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("person", "receipt_id", "status"), name="consent_once"),
        )
        indexes = (
            # Who shares is told by it alone, without the long receipts, for a hundred thousand people at once.
            models.Index(fields=("person", "status", "signal", "notice_version"), name="consent_person"),
        )

    def __str__(self) -> str:
        return f"{self.status} {self.receipt_id}"

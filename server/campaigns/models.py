"""A campaign: its signed document, whom it is for, and the files and links that it names."""

from dataclasses import replace
from typing import ClassVar

from django.conf import settings
from django.db import models

from server.core import clock
from server.core.data_map import EVIDENCE, IMPERSONAL, TARGETING, DataMap, Personal, Retention
from server.directory.models import SMALLEST_GROUP, Company, Group, Person

PUBLISHED = Personal("let who published an announcement see it and take it back", Retention.ACCOUNT)


class Media(models.Model):
    """A file that campaigns name by its SHA-256. The bytes lie in the data folder, see `media_files`."""

    class Type(models.TextChoices):
        PNG = "image/png"
        JPEG = "image/jpeg"
        WEBP = "image/webp"
        MP4 = "video/mp4"
        VTT = "text/vtt"

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="media")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    type = models.CharField(max_length=20, choices=Type.choices)
    width = models.PositiveIntegerField(null=True, help_text="Pixels; pictures and videos only.")
    height = models.PositiveIntegerField(null=True, help_text="Pixels; pictures and videos only.")
    duration_ms = models.PositiveIntegerField(null=True, help_text="Videos only.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "sha256": IMPERSONAL,
        "size": IMPERSONAL,
        "type": IMPERSONAL,
        "width": IMPERSONAL,
        "height": IMPERSONAL,
        "duration_ms": IMPERSONAL,
    }

    class Meta:
        verbose_name_plural = "media"
        constraints = (models.UniqueConstraint(fields=("company", "sha256"), name="media_sha256"),)

    def __str__(self) -> str:
        return self.sha256


class Campaign(models.Model):
    """One announcement. `content` is the content of its signed document, `document` the document itself (JWS)."""

    class Status(models.TextChoices):
        LIVE = "live"
        RECALLED = "recalled"

    class Urgency(models.TextChoices):
        SILENT = "silent"
        NORMAL = "normal"
        URGENT = "urgent"
        EMERGENCY = "emergency"

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="campaigns")
    campaign_id = models.CharField(
        max_length=42, help_text="`c-` and up to 40 characters of a-z, 0-9 and hyphen."
    )
    sender = models.CharField(max_length=80, blank=True)
    urgency = models.CharField(max_length=9, choices=Urgency.choices, default=Urgency.NORMAL)
    acknowledge = models.BooleanField(
        default=False, help_text="It asks people to confirm, by name, that they have read it."
    )
    starts = models.DateTimeField()
    ends = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.LIVE)
    counter = models.PositiveBigIntegerField(default=0, help_text="`ctr` of the signed document.")
    content = models.JSONField()
    document = models.TextField()
    to_everyone = models.BooleanField(default=False)
    audience_groups = models.ManyToManyField(Group, related_name="campaigns", blank=True)
    audience_people = models.ManyToManyField(Person, related_name="campaigns", blank=True)
    excluded_groups = models.ManyToManyField(
        Group,
        related_name="campaigns_without",
        blank=True,
        help_text="Whoever is in one of them does not get it, whatever else names them.",
    )
    media = models.ManyToManyField(Media, related_name="campaigns", blank=True)
    published_at = models.DateTimeField(default=clock.now)
    minimum = models.PositiveSmallIntegerField(
        default=5, help_text="The company's `minimum` when this was published; it stays."
    )
    notice_version = models.PositiveIntegerField(
        default=0, help_text="Of the notice that was in force when this was published."
    )
    counted = models.JSONField(
        default=dict,
        help_text="By link id: the figure in which a click is counted, see `countable`. It outlives the texts.",
    )
    file_digest = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="Of the campaign file and its media: who publishes it again had no answer.",
    )
    alone_because = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="Why no second person approved it, where the company wants one; empty else.",
    )
    alone_by = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="Who published it alone, as the audit log has it, until somebody else has looked at it.",
    )
    alone_texts = models.JSONField(
        null=True, help_text="What it said, where it was recalled before somebody else has looked at it."
    )
    closed_at = models.DateTimeField(
        null=True, help_text="When its key was destroyed. Only `result` is left then."
    )
    result = models.JSONField(null=True, help_text="The last report, once closed.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "campaign_id": IMPERSONAL,
        "sender": IMPERSONAL,
        "urgency": IMPERSONAL,
        "acknowledge": IMPERSONAL,
        "starts": IMPERSONAL,
        "ends": IMPERSONAL,
        "status": IMPERSONAL,
        "counter": IMPERSONAL,
        "content": IMPERSONAL,
        "document": IMPERSONAL,
        "to_everyone": IMPERSONAL,
        "audience_groups": IMPERSONAL,
        "audience_people": TARGETING,
        "excluded_groups": IMPERSONAL,
        "media": IMPERSONAL,
        "published_at": IMPERSONAL,
        "minimum": IMPERSONAL,
        "notice_version": IMPERSONAL,
        "counted": IMPERSONAL,
        "file_digest": IMPERSONAL,
        "alone_because": IMPERSONAL,
        "alone_by": EVIDENCE,
        "alone_texts": IMPERSONAL,
        "closed_at": IMPERSONAL,
        "result": IMPERSONAL,
    }

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("company", "campaign_id"), name="campaign_id"),
            models.CheckConstraint(
                condition=models.Q(starts__lt=models.F("ends")), name="campaign_starts_before_end"
            ),
        )
        # Lists are ordered, filtered and counted over it alone.
        indexes = (
            models.Index(fields=("company", "starts", "ends", "status"), name="campaign_times"),
            models.Index(fields=("company", "counter"), name="campaign_counter"),
            models.Index(fields=("company", "alone_by"), name="campaign_alone"),
            # `attention.planned` reads nothing else of a campaign: documents are large.
            models.Index(
                fields=("company", "status", "starts", "urgency", "to_everyone"), name="campaign_popups"
            ),
            models.Index(fields=("company", "status", "published_at"), name="campaign_published"),
        )

    def __str__(self) -> str:
        return self.campaign_id

    @property
    def smallest_group(self) -> int:
        """How many people must stand behind a figure: `minimum`, and never fewer than five, whatever the row says."""
        return max(SMALLEST_GROUP, self.minimum)


class Publisher(models.Model):
    """Somebody who published the campaign, by an account or a token: they go on seeing it, and can take it back.

    Also where its people belong to other groups by now than they may address. It goes with the account, or the token.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="publishers")
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="That wrote it for an approval, or published it.",
    )
    token = models.ForeignKey("access.AccessToken", on_delete=models.CASCADE, null=True, related_name="+")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "campaign": IMPERSONAL,
        "account": PUBLISHED,
        "token": replace(PUBLISHED, retention=Retention.OFFICE),
    }
    stays_here: ClassVar[bool] = True
    """As accounts and tokens do."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("campaign", "account"), name="publisher_account"),
            models.UniqueConstraint(fields=("campaign", "token"), name="publisher_token"),
        )

    def __str__(self) -> str:
        return f"publisher of {self.campaign_id}"


class Link(models.Model):
    """A link that a campaign names in any of its variants, so that a click on it can be accepted and reported."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="links")
    link_id = models.CharField(max_length=40)
    label = models.CharField(max_length=40, help_text="In the campaign's default language where it has one.")
    url = models.CharField(max_length=2000)

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "campaign": IMPERSONAL,
        "link_id": IMPERSONAL,
        "label": IMPERSONAL,
        "url": IMPERSONAL,
    }

    class Meta:
        constraints = (models.UniqueConstraint(fields=("campaign", "link_id"), name="link_id"),)

    def __str__(self) -> str:
        return self.link_id

"""Which people stand behind each figure. See docs/adr/0007-blocks.md.

A cohort is a lasting set of people of the directory, formed without regard to what anybody shares. A block is a set of
sharing people of one cohort, for one campaign and signal: the smallest thing that a figure is made of.
"""

from dataclasses import replace
from typing import ClassVar

from django.db import models
from django.db.models import Exists, OuterRef

from server.campaigns.models import Campaign
from server.core.data_map import IMPERSONAL, SECRET, DataMap, Personal, Retention
from server.directory.models import Person
from server.signals.models import SignalName

HIDING = Personal(
    "keep figures from telling about one person (GDPR article 25(1))",
    Retention.MEMBERSHIP,
)
COUNTING = Personal(
    "count the person, with their consent, among at least five (GDPR articles 6(1)(a) and 25(1))",
    Retention.CAMPAIGN,
)


class CohortMember(models.Model):
    """A person's cohort. It never gets new members: it only loses those who are erased."""

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, primary_key=True, related_name="cohort_member"
    )
    cohort = models.UUIDField()
    mixed_at = models.DateTimeField(
        null=True,
        default=None,
        help_text="When it was formed, if people of dissolved ones are in it: campaigns that start later count it.",
    )

    data_map: ClassVar[DataMap] = {"person": HIDING, "cohort": HIDING, "mixed_at": IMPERSONAL}

    class Meta:
        indexes = (models.Index(fields=("cohort",), name="cohort_members"),)

    def __str__(self) -> str:
        return f"member of cohort {self.cohort}"


class Suppression(models.Model):
    """That figures leave out a person who shares a signal, in place of somebody who was erased. See `reports.suppression`."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="suppressions")
    signal = models.CharField(max_length=5, choices=SignalName.choices)
    notice_version = models.PositiveIntegerField(
        default=0,
        help_text="Campaigns under this version of the notice, or an older one, count the person still.",
    )

    data_map: ClassVar[DataMap] = {
        # Not even to the person: it would tell them that somebody who was erased did not share.
        "id": SECRET,
        "person": HIDING,
        "signal": replace(HIDING, secret=True),
        "notice_version": replace(HIDING, secret=True),
    }

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person", "signal"), name="suppressed_once"),)

    def __str__(self) -> str:
        return f"suppression {self.pk}"


class Block(models.Model):
    """People who are counted together or not at all. Once it is not `live` it never is again."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="blocks", db_index=False
    )  # block_campaign begins with it
    signal = models.CharField(max_length=5, choices=SignalName.choices)
    cohort = models.UUIDField()
    size = models.PositiveIntegerField(default=0, help_text="How many people it was formed of.")
    groups = models.JSONField(
        default=list, help_text="Names of the groups that held the whole cohort when this was formed."
    )
    live = models.BooleanField(default=True)
    counts = models.JSONField(
        null=True,
        default=None,
        help_text="What its people had done when the campaign's newest snapshot was made; see `reports.tallies`.",
    )

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "campaign": IMPERSONAL,
        "signal": IMPERSONAL,
        "cohort": IMPERSONAL,
        "size": IMPERSONAL,
        "groups": IMPERSONAL,
        "live": IMPERSONAL,
        "counts": IMPERSONAL,
    }

    class Meta:
        indexes = (
            models.Index(fields=("campaign", "signal"), name="block_campaign"),
            # Of a cohort, one campaign's: others may have counted it, too, thousands of them.
            models.Index(fields=("cohort", "campaign"), name="block_cohort"),
        )

    def __str__(self) -> str:
        return f"block {self.pk}"


class BlockMember(models.Model):
    """A person of a block, under the campaign's key as in `Signal`. Whoever was in a block is in no other one of it."""

    block = models.ForeignKey(
        Block, on_delete=models.CASCADE, related_name="members", db_index=False
    )  # block_member begins with it
    person_key = models.CharField(
        max_length=64, help_text="HMAC-SHA256 of the person's id under the campaign's key, in hex."
    )

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "block": COUNTING,
        "person_key": replace(COUNTING, secret=True),
    }

    class Meta:
        constraints = (models.UniqueConstraint(fields=("block", "person_key"), name="block_member"),)
        indexes = (models.Index(fields=("person_key",), name="block_person"),)

    def __str__(self) -> str:
        return f"member of block {self.block_id}"


class Snapshot(models.Model):
    """That the figures of a campaign were counted, for everybody who looks at them until the next time. See ADR 25."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="snapshot"
    )
    made_at = models.DateTimeField()
    sizes = models.JSONField(help_text="How many people the campaign was for then, in all and by group.")

    sums = models.JSONField(
        null=True,
        default=None,
        help_text="What its blocks add up to; empty once somebody has left one, until it is added up again.",
    )

    data_map: ClassVar[DataMap] = {
        "campaign": IMPERSONAL,
        "made_at": IMPERSONAL,
        "sizes": IMPERSONAL,
        "sums": IMPERSONAL,
    }

    def __str__(self) -> str:
        return f"snapshot of {self.pk}"


def dissolve(blocks: models.QuerySet[Block]) -> int:
    """Let these blocks leave all figures, for good, with what was counted of them. Answers how many were still live.

    Of a few hundred blocks at once: the sums of their campaigns are without them when they are added up again.
    """
    snapshots = Snapshot.objects.filter(
        Exists(blocks.filter(campaign=OuterRef("campaign"), live=True)), sums__isnull=False
    )
    snapshots.update(sums=None)
    return blocks.filter(live=True).update(live=False, counts=None)

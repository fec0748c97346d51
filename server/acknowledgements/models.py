"""Who has confirmed which campaign. None of the three signals: it is by name, and no consent allows or forbids it."""

from typing import ClassVar

from django.db import models

from server.campaigns.models import Campaign
from server.core import clock
from server.core.data_map import IMPERSONAL, DataMap, Personal, Retention
from server.directory.models import Person

CONFIRMING = Personal(
    "show who has confirmed reading an announcement that asks for it", Retention.ACKNOWLEDGEMENT
)


class Acknowledgement(models.Model):
    """A person's confirmation of a campaign: the first counts."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="acknowledgements")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="acknowledgements")
    event_id = models.UUIDField()
    time = models.DateTimeField(help_text="As the computer says it.")
    received_at = models.DateTimeField(default=clock.now, help_text="As the server says it.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "campaign": CONFIRMING,
        "person": CONFIRMING,
        "event_id": CONFIRMING,
        "time": CONFIRMING,
        "received_at": CONFIRMING,
    }

    class Meta:
        constraints = (models.UniqueConstraint(fields=("campaign", "person"), name="acknowledged_once"),)

    def __str__(self) -> str:
        return f"acknowledgement {self.pk}"

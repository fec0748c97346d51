"""Who processes the company's data on its behalf (GDPR articles 28 and 30(1)(d) and (e))."""

from typing import ClassVar

from django.db import models

from server.core.data_map import IMPERSONAL, DataMap
from server.directory.models import Company


class Processor(models.Model):
    """A firm that processes data for the company, from one day to another. It is ended, never changed nor deleted."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="processors")
    name = models.CharField(max_length=200, help_text="The firm.")
    service = models.CharField(max_length=300, help_text="What it does.")
    country = models.CharField(max_length=100, help_text="Where the data is.")
    safeguards = models.CharField(
        max_length=300,
        blank=True,
        default="",
        help_text="Outside the European Economic Area: on what the transfer rests; empty inside.",
    )
    since = models.DateField()
    until = models.DateField(null=True, default=None, help_text="The last day.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "name": IMPERSONAL,
        "service": IMPERSONAL,
        "country": IMPERSONAL,
        "safeguards": IMPERSONAL,
        "since": IMPERSONAL,
        "until": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """Who processes it on another server, somebody there says."""

    def __str__(self) -> str:
        return f"processor {self.pk}"

"""Corrections that the company's directory has to agree to."""

from typing import ClassVar, Literal, get_args

from django.db import models

from server.core.data_map import IMPERSONAL, DataMap, Personal, Retention
from server.directory.models import Person

DetailName = Literal[
    "email", "first_name", "last_name", "title", "work_landline", "work_cell", "site_addresses"
]
DETAILS: tuple[DetailName, ...] = get_args(DetailName)
CORRECTING = Personal("correct what the directory says about the person (GDPR article 16)", Retention.REQUEST)


class CorrectionRequest(models.Model):
    """What a person wants changed in a field that the directory owns. Deleted once it is decided."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="correction_requests")
    field = models.CharField(max_length=20, choices=[(name, name) for name in DETAILS])
    value = models.JSONField(help_text="A text; for site addresses a list of texts.")
    requested_at = models.DateTimeField()

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "person": CORRECTING,
        "field": CORRECTING,
        "value": CORRECTING,
        "requested_at": CORRECTING,
    }

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person", "field"), name="correction_field"),)

    def __str__(self) -> str:
        return f"correction {self.pk}"

"""What the database knows about the server itself."""

from typing import ClassVar

from django.db import models

from server.core.data_map import IMPERSONAL, DataMap
from server.directory.models import Company


class Instance(models.Model):
    """The server that this database belongs to: one row, written once."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    region = models.CharField(max_length=2, choices=Company.Region.choices)

    data_map: ClassVar[DataMap] = {"id": IMPERSONAL, "region": IMPERSONAL}
    of_the_server: ClassVar[bool] = True
    """Leads to no company: stays when one is exported, imported or closed."""

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(pk=1), name="one_instance"),)

    def __str__(self) -> str:
        return f"server in {self.region}"

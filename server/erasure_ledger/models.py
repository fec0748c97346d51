"""How far the erasure ledger has been applied to this database."""

from typing import ClassVar

from django.db import models

from server.core.data_map import IMPERSONAL, DataMap


class LedgerState(models.Model):
    """One row. A database from a backup has an older one than the ledger's end: that is how a restore is noticed.

    The row is locked while a line is appended, so that lines are applied in their order.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    number = models.PositiveBigIntegerField(default=0, help_text="Of the last line that was applied.")
    digest = models.CharField(max_length=64, blank=True, default="", help_text="Of that line, in hex.")

    data_map: ClassVar[DataMap] = {"id": IMPERSONAL, "number": IMPERSONAL, "digest": IMPERSONAL}
    of_the_server: ClassVar[bool] = True
    """Leads to no company: stays when one is exported, imported or closed."""

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(pk=1), name="one_ledger"),)

    def __str__(self) -> str:
        return f"ledger applied up to {self.number}"

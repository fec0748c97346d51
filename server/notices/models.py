"""Versions of the privacy notice that somebody proposed and that are not in force."""

from typing import ClassVar

from django.db import models

from server.accounts.models import Account
from server.core.data_map import IMPERSONAL, DataMap, Personal, Retention
from server.directory.models import Company

PROPOSED = Personal("let two people decide about a privacy notice", Retention.REQUEST)


class NoticeProposal(models.Model):
    """The one that waits in a company. It changes no more: another text is another proposal."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, related_name="notice_proposal")
    text = models.JSONField(help_text="Language code to text.")
    instead_of = models.PositiveIntegerField(help_text="The version that was in force when it was proposed.")
    proposed_by = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    proposed_as = models.CharField(max_length=100, help_text="How the audit log names who proposed it.")
    proposed_at = models.DateTimeField()

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "text": IMPERSONAL,
        "instead_of": IMPERSONAL,
        "proposed_by": PROPOSED,
        "proposed_as": PROPOSED,
        "proposed_at": PROPOSED,
    }
    stays_here: ClassVar[bool] = True
    """Who proposed it has an account of this server."""

    def __str__(self) -> str:
        return f"{self.company_id} notice instead of {self.instead_of}"

"""Erasures that somebody asked for in the console, and that another person decides."""

import re
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.core.data_map import IMPERSONAL, DataMap, Personal, Retention
from server.directory.models import Company, Person

ASKED = Personal("let two people decide about an erasure", Retention.REQUEST)


class ErasureRequest(models.Model):
    """The wish of one account to have people erased. It goes with the last of them, and stays when the account goes."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="erasure_requests")
    people = models.ManyToManyField(Person, related_name="erasure_requests")
    asked_by = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_as = models.CharField(max_length=100, help_text="How the audit log names who asked.")
    asked_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, help_text="When a second person had it carried out.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "people": ASKED,
        "asked_by": ASKED,
        "asked_as": ASKED,
        "asked_at": ASKED,
        "decided_at": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """Who asked has an account of this server."""

    def __str__(self) -> str:
        return f"erasure request {self.pk}"

    @property
    def asker_words(self) -> str:
        """Who asked for it, for people."""
        if self.asked_by is not None:
            return self.asked_by.email
        if token := re.match(r"token (\d+) ", self.asked_as):
            return _("A program, with token {number} of the API").format(number=token[1])
        return _("An account that is gone")

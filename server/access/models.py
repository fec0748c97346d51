"""The tokens by which administrators' programs are let in. Only their hashes are kept."""

from dataclasses import replace
from typing import ClassVar

from django.db import models

from server.access.bound import Bound
from server.core.data_map import IMPERSONAL, DataMap, Personal, Retention
from server.directory.models import Company

ACTING = Personal("know who may act for the company", Retention.OFFICE)


class AccessToken(Bound):
    """A token for one role in one company. Deleted when it is revoked."""

    class Role(models.TextChoices):
        ADMINISTRATOR = "administrator"
        COMMUNICATOR = "communicator"
        DPO = "dpo"

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="access_tokens")
    role = models.CharField(max_length=13, choices=Role.choices)
    name = models.CharField(max_length=80, blank=True, default="", help_text="Who or what uses it.")
    token_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, in hex.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "role": ACTING,
        "name": ACTING,
        "token_hash": replace(ACTING, secret=True),
        "created_at": ACTING,
        "expires_at": ACTING,
        "is_bound": ACTING,
        "bound_groups": ACTING,
    }
    publishes_as: ClassVar[str] = "token"
    stays_here: ClassVar[bool] = True
    """Not taken out with the company: who may act for it on another server, somebody there says."""

    def __str__(self) -> str:
        return f"token {self.pk} ({self.role})"

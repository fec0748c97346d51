"""The entries of the audit log, one chain for each company. Texts are stored exactly as they were hashed."""

from typing import ClassVar

from django.db import models

from server.directory.models import Company
from server.privacy.data_map import IMPERSONAL, DataMap, Personal, Retention

EVIDENCE = Personal("show afterwards who did what, and who read personal data", Retention.AUDIT)


class Chain(models.Model):
    """The end of a company's chain. Its row is locked while an entry is appended, so that entries queue up."""

    company = models.OneToOneField(
        Company, on_delete=models.CASCADE, primary_key=True, related_name="audit_chain"
    )
    number = models.PositiveBigIntegerField(default=0, help_text="Of the last entry; 0 before the first.")
    digest = models.CharField(max_length=64, default="", help_text="Of the last entry, in hex.")

    data_map: ClassVar[DataMap] = {"company": IMPERSONAL, "number": IMPERSONAL, "digest": IMPERSONAL}

    def __str__(self) -> str:
        return f"audit chain of {self.pk}"


class Entry(models.Model):
    """One act. `digest` is SHA-256 over the other fields and the digest of the entry before."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="audit_entries")
    number = models.PositiveBigIntegerField()
    time = models.CharField(max_length=20, help_text="RFC 3339 in UTC to the second.")
    actor = models.CharField(
        max_length=100, help_text="A role, a command or a program; never a person's name."
    )
    action = models.CharField(max_length=40)
    subject = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="SHA-256 of the random id of the person whom it is about, in hex.",
    )
    detail = models.TextField(help_text="Canonical JSON (RFC 8785).")
    previous = models.CharField(max_length=64, blank=True, default="")
    digest = models.CharField(max_length=64)

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "number": IMPERSONAL,
        "time": EVIDENCE,
        "actor": EVIDENCE,
        "action": EVIDENCE,
        "subject": EVIDENCE,
        "detail": IMPERSONAL,
        "previous": IMPERSONAL,
        "digest": IMPERSONAL,
    }

    class Meta:
        verbose_name_plural = "entries"
        constraints = (models.UniqueConstraint(fields=("company", "number"), name="audit_number"),)
        indexes = (models.Index(fields=("company", "subject"), name="audit_subject"),)

    def __str__(self) -> str:
        return f"{self.company_id} audit {self.number}"

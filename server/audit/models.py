"""The entries of the audit log, one chain for each company. Texts are stored exactly as they were hashed."""

from dataclasses import replace
from typing import ClassVar

from django.db import models

from server.core.data_map import EVIDENCE, IMPERSONAL, DataMap
from server.directory.models import Company, Person


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
        help_text="Says that it is about a person, and not who: another value in each entry, see `log.subject_of`.",
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
        indexes = (
            models.Index(fields=("company", "subject"), name="audit_subject"),
            models.Index(fields=("company", "time"), name="audit_time"),
        )

    def __str__(self) -> str:
        return f"{self.company_id} audit {self.number}"


class EntrySubject(models.Model):
    """Whom an entry is about. It goes with the person, and nothing tells it to anybody else (ADR 21)."""

    entry = models.OneToOneField(Entry, on_delete=models.CASCADE, primary_key=True, related_name="about")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="audit_entries")
    nonce = models.BinaryField(max_length=32, help_text="Random. The entry's `subject` is an HMAC under it.")

    data_map: ClassVar[DataMap] = {
        "entry": EVIDENCE,
        "person": EVIDENCE,
        "nonce": replace(EVIDENCE, secret=True),
    }
    stays_here: ClassVar[bool] = True
    """Not taken out with the company: whoever reads the archive could tell which entries are about one person."""

    def __str__(self) -> str:
        return f"subject of entry {self.pk}"

"""The company, its notices, and the people it employs."""

import secrets
import uuid
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.db.models import F

from server.core.data_map import CONTACT, IMPERSONAL, TARGETING, DataMap, Personal, Retention
from server.directory.addresses import canonical

ALL_SIGNALS = ("seen", "click", "like")


SMALLEST_GROUP = 5
"""No figure about fewer people is ever shown (docs/privacy.md). A company may raise this, never lower it."""


def default_directory_fields() -> list[str]:
    """What a person's own correction cannot change: the address is how the directory recognises them."""
    return ["email"]


def default_signals() -> list[str]:
    """A company allows all three signals unless it says otherwise; each person still starts with all off."""
    return list(ALL_SIGNALS)


if TYPE_CHECKING:
    _EmailField = models.EmailField[str, str]
else:
    _EmailField = models.EmailField


class AddressField(_EmailField):
    """An e-mail address, stored and looked up in its canonical spelling (see `addresses`)."""

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return canonical(prepared) if isinstance(prepared, str) else prepared


class Company(models.Model):
    """A customer of the server: everything else belongs to exactly one company."""

    class Region(models.TextChoices):
        EU = "eu"
        US = "us"

    class OverBudget(models.TextChoices):
        NOTE = "note"
        SECOND_PERSON = "second-person"
        REFUSE = "refuse"

    class Move(models.TextChoices):
        NONE = ""
        ARRIVING = "arriving"
        CLOSING = "closing"

    id = models.SlugField(primary_key=True, max_length=40)
    name = models.CharField(max_length=120)
    legal_name = models.CharField(max_length=200)
    region = models.CharField(max_length=2, choices=Region.choices)
    dpo_name = models.CharField(max_length=120)
    dpo_email = models.EmailField(max_length=254)
    accent = models.CharField(max_length=7, default="#0F766E")
    logo = models.JSONField(
        null=True,
        default=None,
        help_text="The picture as the protocol describes it; its file is a `Media`.",
    )
    link_hosts = models.JSONField(default=list)
    signals = models.JSONField(default=default_signals)
    named_reporting = models.BooleanField(
        default=False, help_text="Reports name the people who share. Another value needs another notice."
    )
    minimum = models.PositiveSmallIntegerField(
        default=SMALLEST_GROUP, help_text="How many sharing people must stand behind each figure."
    )
    directory_fields = models.JSONField(
        default=default_directory_fields, help_text="Fields of a person that only the directory may change."
    )
    second_person_from = models.PositiveIntegerField(
        null=True,
        default=None,
        help_text="From so many people on, somebody else approves a campaign; NULL: never.",
    )
    emergencies_alone = models.BooleanField(
        default=True, help_text="An emergency, which has a reason on record, needs no second person."
    )
    popups_per_week = models.PositiveSmallIntegerField(
        default=3, help_text="The attention budget: pop-ups per person and week, as planned."
    )
    over_budget = models.CharField(
        max_length=13,
        choices=OverBudget.choices,
        default=OverBudget.NOTE,
        help_text="What happens to a campaign beyond the attention budget.",
    )
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        help_text="Of the IANA database: by whose clock the console shows times.",
    )
    server_url = models.URLField(default="http://127.0.0.1:8400", help_text="Where agents reach this server.")
    poll_interval_s = models.PositiveIntegerField(default=60)
    document = models.TextField(default="", help_text="The signed company document (JWS).")
    document_expires = models.DateTimeField(null=True)
    counter = models.PositiveBigIntegerField(
        default=0, help_text="Of the last signed document; never goes back."
    )
    feed_revision = models.PositiveBigIntegerField(
        default=0, help_text="Another number whenever feeds may have changed."
    )
    trial_revision = models.PositiveBigIntegerField(
        default=0, help_text="Another number whenever somebody's test came or went; 0: there was none yet."
    )
    receipt_key = models.CharField(
        max_length=43,
        blank=True,
        default="",
        help_text="The thumbprint (RFC 7638) of its receipt key; empty until a server of this version looked at it.",
    )
    move = models.CharField(
        max_length=8,
        choices=Move.choices,
        blank=True,
        default=Move.NONE,
        help_text="Whether it is being brought in or closed: then it is no company to work with.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "name": IMPERSONAL,
        "legal_name": IMPERSONAL,
        "region": IMPERSONAL,
        "dpo_name": Personal("tell employees whom to contact (GDPR article 13(1)(b))", Retention.OFFICE),
        "dpo_email": Personal("tell employees whom to contact (GDPR article 13(1)(b))", Retention.OFFICE),
        "accent": IMPERSONAL,
        "logo": IMPERSONAL,
        "link_hosts": IMPERSONAL,
        "signals": IMPERSONAL,
        "named_reporting": IMPERSONAL,
        "minimum": IMPERSONAL,
        "directory_fields": IMPERSONAL,
        "second_person_from": IMPERSONAL,
        "emergencies_alone": IMPERSONAL,
        "popups_per_week": IMPERSONAL,
        "over_budget": IMPERSONAL,
        "time_zone": IMPERSONAL,
        "server_url": IMPERSONAL,
        "poll_interval_s": IMPERSONAL,
        "document": Personal("the signed form of the fields above", Retention.OFFICE),
        "document_expires": IMPERSONAL,
        "counter": IMPERSONAL,
        "feed_revision": IMPERSONAL,
        "trial_revision": IMPERSONAL,
        "receipt_key": IMPERSONAL,
        "move": IMPERSONAL,
        "created_at": IMPERSONAL,
    }

    class Meta:
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.id

    @property
    def smallest_group(self) -> int:
        """How many people must stand behind a figure: `minimum`, and never fewer than five, whatever the row says."""
        return max(SMALLEST_GROUP, self.minimum)

    def current_notice(self) -> "Notice":
        """The notice in force: the one with the highest version.

        Raises `Notice.DoesNotExist` for a company that was not made by `tidings-server init`.
        """
        return self.notices.order_by("-version")[:1].get()

    def notice_version(self) -> int:
        """The version of the notice in force. Raises `Notice.DoesNotExist` as `current_notice` does."""
        return self.notices.order_by("-version").values_list("version", flat=True)[:1].get()

    def next_counter(self) -> int:
        """Take the counter for the next signed document. Call it in the transaction that stores the document."""
        Company.objects.filter(pk=self.pk).update(counter=F("counter") + 1)
        self.counter = Company.objects.values_list("counter", flat=True).get(pk=self.pk)
        return self.counter

    def feeds_changed(self) -> None:
        """Say that feeds may differ from now on. Call it in the transaction of the change itself.

        Drawn at random, so that a database restored from a backup does not repeat a revision that agents have seen.
        """
        self.feed_revision = secrets.randbits(62)
        self.save(update_fields=["feed_revision"])

    def trials_changed(self) -> None:
        """Say that somebody's test came or went, which changes the feeds of nobody else. As `feeds_changed` is called."""
        self.trial_revision = secrets.randbits(62) or 1
        self.save(update_fields=["trial_revision"])


class Notice(models.Model):
    """What employees are told about the processing, in one version (GDPR articles 12 and 13)."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="notices")
    version = models.PositiveIntegerField()
    date = models.DateField()
    text = models.JSONField(help_text="Language code to text.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "version": IMPERSONAL,
        "date": IMPERSONAL,
        "text": IMPERSONAL,
    }

    class Meta:
        constraints = (models.UniqueConstraint(fields=("company", "version"), name="notice_version"),)

    def __str__(self) -> str:
        return f"{self.company_id} notice {self.version}"


class Group(models.Model):
    """A set of people that a campaign can be addressed to."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=200)

    data_map: ClassVar[DataMap] = {"id": IMPERSONAL, "company": IMPERSONAL, "name": IMPERSONAL}

    class Meta:
        constraints = (models.UniqueConstraint(fields=("company", "name"), name="group_name"),)

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """An employee, as the company's directory describes them. Only the e-mail address is mandatory."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="people")
    email = AddressField(max_length=254)
    first_name = models.CharField(max_length=100, blank=True, default="")
    last_name = models.CharField(max_length=100, blank=True, default="")
    title = models.CharField(max_length=200, blank=True, default="")
    work_landline = models.CharField(max_length=50, blank=True, default="")
    work_cell = models.CharField(max_length=50, blank=True, default="")
    site_addresses = models.JSONField(default=list, blank=True)
    external_id = models.CharField(
        max_length=200, blank=True, default="", help_text="The id in the source directory."
    )
    own_fields = models.JSONField(
        default=list, blank=True, help_text="Fields that the person corrected; an import leaves them alone."
    )
    groups = models.ManyToManyField(Group, related_name="people", blank=True)

    data_map: ClassVar[DataMap] = {
        "id": CONTACT,
        "company": TARGETING,
        "email": CONTACT,
        "first_name": CONTACT,
        "last_name": CONTACT,
        "title": CONTACT,
        "work_landline": CONTACT,
        "work_cell": CONTACT,
        "site_addresses": TARGETING,
        "external_id": CONTACT,
        "own_fields": CONTACT,
        "groups": TARGETING,
    }

    class Meta:
        verbose_name_plural = "people"
        constraints = (models.UniqueConstraint(fields=("company", "email"), name="person_email"),)
        # Who has a computer, and who is in which groups, is counted over it alone.
        indexes = (models.Index(fields=("company", "id"), name="person_ids"),)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def name(self) -> str:
        """First and last name, as far as they are known; empty where neither is."""
        return f"{self.first_name} {self.last_name}".strip()


class KeptCorrection(models.Model):
    """A correction of the directory's field that was accepted. It holds until the directory says something new."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="kept_corrections")
    field = models.CharField(max_length=20)
    replaced = models.CharField(
        max_length=64, help_text="What the directory said then, as `corrections.digest_of` tells it, in hex."
    )

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "person": CONTACT,
        "field": CONTACT,
        "replaced": CONTACT,
    }
    stays_here: ClassVar[bool] = True
    """The digests are made with this server's secret."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("person", "field"), name="kept_correction_field"),)

    def __str__(self) -> str:
        return f"kept correction {self.pk}"


class ImportProgress(models.Model):
    """How far the company's last import has come, written with the people: what is done is not done again after a crash."""

    company = models.OneToOneField(Company, on_delete=models.CASCADE, primary_key=True, related_name="+")
    order = models.CharField(max_length=32, help_text="Which import, see `people_files.upsert`.")
    reached = models.PositiveIntegerField(help_text="Rows of its file; one more once it is on record.")
    added = models.PositiveIntegerField(default=0, help_text="People, as `changed` and `left_out`.")
    changed = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)

    data_map: ClassVar[DataMap] = {
        "company": IMPERSONAL,
        "order": IMPERSONAL,
        "reached": IMPERSONAL,
        "added": IMPERSONAL,
        "changed": IMPERSONAL,
        "left_out": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """As the import does."""

    def __str__(self) -> str:
        return f"{self.order}: {self.reached}"

"""A campaign that is being written: what its campaign file would say, and whom it would be for."""

import secrets
from dataclasses import replace
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext as _

from server.access.models import AccessToken
from server.accounts.models import Account
from server.audit.log import COMMAND_LINE
from server.campaigns.models import Campaign, Media
from server.core.data_map import IMPERSONAL, SIGNING_IN, TARGETING, DataMap, Personal, Retention
from server.directory.models import Company, Group, Person

WRITTEN_BY = replace(
    SIGNING_IN, purpose="let two people write and approve an announcement", retention=Retention.DRAFT
)
TRIED_BY = Personal(
    "show the person, on their own computers, a test of what they write themselves", Retention.TRIAL
)


def new_secret() -> str:
    """Thirty-two characters of hex, which nobody guesses: they are a file's name, too."""
    return secrets.token_hex(16)


def new_id() -> str:
    """Sixteen characters of hex, which nobody guesses."""
    return secrets.token_hex(8)


class Draft(models.Model):
    """What somebody is writing. `fields` may be incomplete or wrong: it is checked before it is published."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="drafts")
    draft_id = models.CharField(max_length=16, unique=True, default=new_id)
    fields = models.JSONField(default=dict, help_text="As `drafts.fields` describes it.")
    reason = models.CharField(max_length=500, blank=True, default="", help_text="Why: of an emergency.")
    to_everyone = models.BooleanField(default=False)
    audience_groups = models.ManyToManyField(Group, related_name="drafts", blank=True)
    audience_people = models.ManyToManyField(Person, related_name="drafts", blank=True)
    excluded_groups = models.ManyToManyField(Group, related_name="+", blank=True)
    revision = models.PositiveIntegerField(default=1, help_text="Each change makes it one more.")
    edited_at = models.DateTimeField()
    editor = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    page_key = models.CharField(
        max_length=16,
        blank=True,
        default="",
        help_text="The opened page that wrote it last, and may go on with it.",
    )
    writers = models.ManyToManyField(
        Account, related_name="+", blank=True, help_text="Who wrote any of it: none of them approves it."
    )
    writers_ever = models.PositiveIntegerField(
        default=0, help_text="How many wrote any of it, also those whose accounts are gone."
    )
    begun_at = models.DateTimeField(null=True, help_text="When its first writer began it.")
    submitted_seal = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="The digest (`publication.seal_of`) of what waits for approval; empty where nothing does.",
    )
    submitted_at = models.DateTimeField(null=True)
    submitted_by = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    submitted_program = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="The program that submitted it, as the audit log names it; empty where a person did.",
    )
    submitted_token = models.ForeignKey(AccessToken, on_delete=models.SET_NULL, null=True, related_name="+")
    program_digest = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="Of the file with which a program began it: asked again, it is the same submission.",
    )
    returned_for = models.CharField(max_length=500, blank=True, default="", help_text="Why it came back.")
    returned_by = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, related_name="+", help_text="What became of it."
    )
    template_name = models.CharField(
        max_length=80,
        blank=True,
        default="",
        help_text="Of a template (`templates`), which is for nobody and is never published; empty: a draft.",
    )

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "company": IMPERSONAL,
        "draft_id": IMPERSONAL,
        "fields": IMPERSONAL,
        "reason": IMPERSONAL,
        "to_everyone": IMPERSONAL,
        "audience_groups": IMPERSONAL,
        "audience_people": TARGETING,
        "excluded_groups": IMPERSONAL,
        "revision": IMPERSONAL,
        "edited_at": WRITTEN_BY,
        "editor": WRITTEN_BY,
        "page_key": IMPERSONAL,
        "writers": WRITTEN_BY,
        "writers_ever": IMPERSONAL,
        "begun_at": WRITTEN_BY,
        "submitted_seal": IMPERSONAL,
        "submitted_at": WRITTEN_BY,
        "submitted_by": WRITTEN_BY,
        "submitted_program": WRITTEN_BY,
        "submitted_token": WRITTEN_BY,
        "program_digest": IMPERSONAL,
        "returned_for": IMPERSONAL,
        "returned_by": WRITTEN_BY,
        "campaign": IMPERSONAL,
        "template_name": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """Who writes it has an account of this server. It is taken along as a campaign file."""

    class Meta:
        indexes = (models.Index(fields=("company", "edited_at"), name="draft_edited"),)

    def __str__(self) -> str:
        return self.draft_id

    @property
    def has_submitter(self) -> bool:
        """Whether who submitted it is still there: an account, a token, or the command line, which stays."""
        is_there = self.submitted_by_id is not None or self.submitted_token_id is not None
        return is_there or self.submitted_program == COMMAND_LINE

    @property
    def submitter_words(self) -> str:
        """Who submitted it, for people."""
        if self.submitted_by is not None:
            return self.submitted_by.email
        if (token := self.submitted_token) is not None:
            named = f" ({token.name})" if token.name else ""
            return _("A program, with token {number} of the API").format(number=token.pk) + named
        return _("The command line of the server") if self.submitted_program == COMMAND_LINE else "?"

    def wait_no_more(self) -> str:
        """Let it wait for no approval; to be saved. Answers the seal under which it waited, empty where it did not."""
        seal, self.submitted_seal = self.submitted_seal, ""
        self.submitted_at, self.submitted_by = None, None
        self.submitted_program, self.submitted_token = "", None
        return seal

    def end_trials(self) -> None:
        """Let no computer show a test of it any more. Call it in the transaction that ends the draft."""
        if self.trials.all().delete()[0]:
            Company.objects.select_for_update(no_key=True).get(pk=self.company_id).trials_changed()


class DraftVersion(models.Model):
    """What a draft said before somebody changed it, to whom, and why."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="versions")
    fields = models.JSONField()
    reason = models.CharField(max_length=500, blank=True, default="")
    to_everyone = models.BooleanField(
        null=True, help_text="None: it was kept before versions had reason and audience."
    )
    audience_groups = models.ManyToManyField(Group, related_name="+", blank=True)
    audience_people = models.ManyToManyField(Person, related_name="draft_versions", blank=True)
    excluded_groups = models.ManyToManyField(Group, related_name="+", blank=True)
    edited_at = models.DateTimeField()
    editor = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "draft": IMPERSONAL,
        "fields": IMPERSONAL,
        "reason": IMPERSONAL,
        "to_everyone": IMPERSONAL,
        "audience_groups": IMPERSONAL,
        "audience_people": TARGETING,
        "excluded_groups": IMPERSONAL,
        "edited_at": WRITTEN_BY,
        "editor": WRITTEN_BY,
    }
    stays_here: ClassVar[bool] = True
    """As its draft does."""

    def __str__(self) -> str:
        return f"version of {self.edited_at.isoformat()}"


class DraftFile(models.Model):
    """A picture, a video or captions of a draft, checked, and kept as it would be signed. See `files` for its bytes.

    A name stands for the same bytes as long as the draft is there: earlier versions call the file by it.
    """

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=200, help_text="As the campaign file calls it.")
    key = models.CharField(max_length=16, default=new_id, help_text="The name of its bytes on the disk.")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    type = models.CharField(max_length=20, choices=Media.Type.choices)
    width = models.PositiveIntegerField(null=True, help_text="Pixels; pictures and videos only.")
    height = models.PositiveIntegerField(null=True, help_text="Pixels; pictures and videos only.")
    duration_ms = models.PositiveIntegerField(
        null=True, help_text="Of a video. Of captions: when the last one begins."
    )
    added_at = models.DateTimeField()

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "draft": IMPERSONAL,
        "name": IMPERSONAL,
        "key": IMPERSONAL,
        "sha256": IMPERSONAL,
        "size": IMPERSONAL,
        "type": IMPERSONAL,
        "width": IMPERSONAL,
        "height": IMPERSONAL,
        "duration_ms": IMPERSONAL,
        "added_at": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """As its draft does."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("draft", "name"), name="draft_file_name"),)

    def __str__(self) -> str:
        return self.name


def new_trial_id() -> str:
    """As a draft's, marked so that no program takes it for the id of a campaign."""
    return f"t-{secrets.token_hex(8)}"


class Trial(models.Model):
    """A draft as it was when its author wanted to see it on their own computers (ADR 53). A person has one at a time."""

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="trials")
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="trial")
    trial_id = models.CharField(max_length=18, unique=True, default=new_trial_id)
    document = models.TextField(help_text="Signed, for the person's computers only (JWS).")
    ends = models.DateTimeField(db_index=True)
    files = models.JSONField(default=list, help_text="Digest, size and type of each file that it names.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "draft": IMPERSONAL,
        "person": TRIED_BY,
        "trial_id": IMPERSONAL,
        "document": replace(TRIED_BY, secret=True),
        "ends": TRIED_BY,
        "files": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """As its draft does; it ends within the hour."""

    def __str__(self) -> str:
        return self.trial_id


class DraftUpload(models.Model):
    """A video that comes in pieces. How much has come is the size of its file, see `uploads`.

    One that has come, and cannot be played everywhere, is converted: see `conversions`.
    """

    class Stage(models.TextChoices):
        """What becomes of it."""

        COMING = ""
        WAITING = "waiting"
        CONVERTED = "converted"
        FAILED = "failed"

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="uploads")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", help_text="Who sends it, and nobody else."
    )
    upload_id = models.CharField(max_length=32, unique=True, default=new_secret)
    name = models.CharField(max_length=100, help_text="As it was called where it comes from.")
    length = models.PositiveBigIntegerField(help_text="Bytes, as was said at the beginning.")
    begun_at = models.DateTimeField(help_text="Or when it had come, or was converted.")
    becomes_draft = models.BooleanField(
        default=False, help_text="Whether the draft is there for it alone: a ZIP file that it is to become."
    )
    stage = models.CharField(max_length=10, choices=Stage.choices, blank=True, default=Stage.COMING)
    told = models.TextField(
        blank=True, default="", help_text="Why it is converted; of one that failed, why it cannot be."
    )
    language = models.CharField(
        max_length=11, blank=True, default="", help_text="Of what is told, as its sender reads."
    )
    tries = models.PositiveSmallIntegerField(default=0, help_text="How often its conversion was begun.")
    video = models.CharField(max_length=200, blank=True, default="", help_text="What came of it: a file.")
    poster = models.CharField(max_length=200, blank=True, default="", help_text="The file with its poster.")

    data_map: ClassVar[DataMap] = {
        "id": IMPERSONAL,
        "draft": IMPERSONAL,
        "account": WRITTEN_BY,
        "upload_id": IMPERSONAL,
        "name": IMPERSONAL,
        "length": IMPERSONAL,
        "begun_at": WRITTEN_BY,
        "becomes_draft": IMPERSONAL,
        "stage": IMPERSONAL,
        "told": IMPERSONAL,
        "language": IMPERSONAL,
        "tries": IMPERSONAL,
        "video": IMPERSONAL,
        "poster": IMPERSONAL,
    }
    stays_here: ClassVar[bool] = True
    """As its draft does."""

    def __str__(self) -> str:
        return self.upload_id

"""“Show it on my computer”: a test of a draft, for its author alone (ADR 53).

It is no campaign: it has an id of its own kind, for which no signal can be sent, and stands in no list, report or count.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.audit import log
from server.campaigns.models import Media
from server.core import clock
from server.core.errors import Refused
from server.devices.models import Device
from server.devices.tokens import feed_subject
from server.directory.models import Company, Person
from server.drafts.files import MOST_BYTES
from server.drafts.models import Draft, Trial, new_trial_id
from server.drafts.publication import check_draft, locked_draft, seal_of
from server.drafts.writing import Overtaken
from server.media.checks import MEGABYTE
from server.media.files import stored
from server.media.rows import store_checked
from server.signing.documents import TRIAL_LIFETIME, sign_trial

MOST_COMPUTERS = 200
"""For which one test is signed: the two tokens of a hundred computers. Those connected last."""


@dataclass(frozen=True)
class OwnComputers:
    """Whether an account's person has a connected computer, and until when it shows a test of a draft."""

    are_there: bool = False
    show_until: datetime | None = None


def own_computers(account: Account, draft: Draft) -> OwnComputers:
    """Those of the account's person, in one query."""
    trials = Trial.objects.filter(person=OuterRef("pk"), draft=draft, ends__gt=clock.now())
    found = _people(account).annotate(
        are_there=Exists(Device.objects.filter(person=OuterRef("pk"), revoked_at=None)),
        show_until=Subquery(trials.values("ends")),
    )
    row = found.values_list("are_there", "show_until").first()
    return OwnComputers(*row) if row is not None else OwnComputers()


def _people(account: Account) -> QuerySet[Person]:
    """The account's person, if there is one: who has its address in the company's list of people."""
    return Person.objects.filter(company=account.company_id, email=account.email)


def _subjects(person: Person) -> list[str]:
    """How signed documents name the person's computers, under their present tokens and under those announced."""
    devices = Device.objects.filter(person=person, revoked_at=None).order_by("-pk")
    hashes = [each for pair in devices.values_list("token_hash", "next_hash") for each in pair if each]
    return [feed_subject(each) for each in hashes[:MOST_COMPUTERS]]


def show(draft: Draft, account: Account, seal: str) -> None:
    """Let the account's own computers show what was looked at, for an hour, in place of an earlier test.

    Raises `Overtaken` when the draft says something else by now, `Refused` as `check_draft` does, where there is no such
    person or computer, and where the files of the company's tests would be more than those of all drafts may be, and
    `EnvironmentFault` when the disk or the key cannot be used.
    """
    person, computers = _own(account)
    sealed = check_draft(draft)
    if sealed.seal != seal:
        raise Overtaken(draft)
    files = sealed.checked.media.values()
    _refuse_too_many_bytes(draft.company, {file.sha256: file.size for file in files})
    for file in files:
        # Where no campaign comes to name them, housekeeping takes them away after a day.
        store_checked(draft.company, file)
    with transaction.atomic():
        locked = locked_draft(draft)
        if locked.campaign is not None or seal_of(locked) != seal:
            raise Overtaken(locked)
        owner = Company.objects.select_for_update(no_key=True).get(pk=draft.company_id)
        Trial.objects.filter(person=person).delete()
        trial_id = new_trial_id()
        Trial.objects.create(
            draft=locked,
            person=person,
            trial_id=trial_id,
            document=sign_trial(owner, trial_id, computers, sealed.checked.content),
            ends=clock.now() + TRIAL_LIFETIME,
            files=[{"sha256": file.sha256, "size": file.size, "type": file.type} for file in files],
        )
        owner.trials_changed()
        log.record(owner, account.actor, "show-test", detail={"draft": draft.draft_id, "digest": seal})


def _refuse_too_many_bytes(company: Company, files: dict[str, int]) -> None:
    """Raise `Refused` where what no campaign names would be too large. `files`: their sizes by their hashes."""
    named = set(Media.objects.filter(company=company).values_list("sha256", flat=True))
    try:
        sizes = dict(stored(company.pk)) | files
    except OSError:
        sizes = dict(files)  # storing them says what is wrong with the disk
    if sum(size for sha256, size in sizes.items() if sha256 not in named) > MOST_BYTES:
        raise Refused(
            _("The files of tests have more than {limit} MB together").format(limit=MOST_BYTES // MEGABYTE),
            _("They go after a day. Try again tomorrow, or without the video."),
        )


def _own(account: Account) -> tuple[Person, list[str]]:
    person = _people(account).first()
    computers = _subjects(person) if person is not None else []
    if person is None or not computers:
        raise Refused(
            _("There is no computer to show it on"),
            _("Connect a computer under your own address first: {email}").format(email=account.email),
        )
    return person, computers


def delete_ended_trials(*, dry_run: bool = False) -> int:
    """Those whose hour is over. Answers how many."""
    ended = Trial.objects.filter(ends__lte=clock.now())
    return ended.count() if dry_run else ended.delete()[1].get("drafts.Trial", 0)

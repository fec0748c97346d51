"""Drafts are begun, changed, and brought back: nobody writes over what they have not seen, and what was there stays."""

import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.audit import log
from server.campaigns.audience import find_audience
from server.campaigns.manifest import AudienceEntry
from server.campaigns.manifest_tables import Mistakes
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.core import clock
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.directory.models import Company, Group, Person
from server.drafts.archive import Arrival, Unpacked, unpacked
from server.drafts.fields import (
    Fields,
    fields_of_campaign,
    fields_of_file,
    is_blank,
    names_in,
    new_fields,
    places_of_files,
)
from server.drafts.files import add_published, drop_all, drop_unnamed, folder_of, remove_folder
from server.drafts.models import Draft, DraftVersion
from server.mail import outbox

UNTOUCHED = 1
"""The revision of a draft into which nobody has written yet."""
MOST_DRAFTS = 500
"""Of a company at once."""
BLANK_FOR = timedelta(hours=1)
"""A draft without a word gives way to others after this time."""
MOST_VERSIONS = 30
"""Of a draft; the oldest go."""
VERSION_EVERY = timedelta(minutes=10)
"""What one person writes within this time is one version."""

KEPT = timedelta(days=364)
"""After its last change: housekeeping runs daily, and who is due today would be late tomorrow."""
LEADS_ON = timedelta(days=30)
"""So long the address of a draft leads to what became of it."""


@dataclass(frozen=True)
class Program:
    """What writes a draft without a person: a token of the API, or, without one, the command line."""

    company: Company
    actor: str
    scope: Scope
    token: int | None = None
    pk: None = None

    @property
    def company_id(self) -> str:
        """As accounts have it."""
        return self.company.pk

    @property
    def is_bound(self) -> bool:
        """As accounts have it."""
        return self.scope.groups is not None


Writer = Account | Program


def account_of(writer: Writer) -> Account | None:
    """Whose it is; nobody's of a program."""
    return writer if isinstance(writer, Account) else None


class Overtaken(Exception):
    """Somebody else changed the draft since the person read it. Nothing was written."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.draft_id)
        self.draft = draft


@dataclass(frozen=True)
class Change:
    """What a draft is to say from now on. `groups`, `people`: of its company. `excluded`: groups that do not get it."""

    fields: Fields
    reason: str = ""
    everyone: bool = False
    groups: list[Group] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    excluded: list[Group] = field(default_factory=list)


def begin(account: Account, language: str) -> Draft:
    """An empty draft, by the sender of the last campaign that the account sees. Raises `Refused` when there are too many."""
    seen = account.scope.those_of(account.company.campaigns.all())
    last = seen.order_by("-starts").values_list("content__sender", flat=True).first()
    return _made(account, Change(new_fields(language) | {"sender": last or ""}))


def begin_with(account: Account, wanted: Change) -> Draft:
    """A draft that says what somebody wrote whose own draft is gone. Raises as `begin` does."""
    return _made(account, wanted)


def begin_from_file(account: Writer, content: bytes, reason: str = "") -> Draft:
    """A draft that says what a campaign file says. Raises `Refused` with all that is wrong with it."""
    mistakes = Mistakes()
    wanted = replace(_read(account, content, (), mistakes), reason=reason)
    _refuse_any(mistakes)
    return _made(account, wanted)


def begin_from_archive(account: Writer, archive: BinaryIO, reason: str = "") -> Draft:
    """The same of a campaign file with its pictures, in a ZIP file. Raises as above, and `EnvironmentFault`."""
    mistakes = Mistakes()
    with unpacked(archive) as came:
        wanted = replace(_read(account, came.content, came.names, mistakes), reason=reason)
        draft = _made(account, Change(new_fields(wanted.fields["default_language"])))
        return _arrived(draft, account, came, wanted, mistakes)


def become(draft: Draft, account: Account, archive: BinaryIO) -> Draft:
    """The same into a draft in which nobody has written yet, and which is deleted where that cannot be."""
    if draft.revision != UNTOUCHED:
        raise Refused(
            _("Somebody has written into the draft meanwhile"),
            _("Send the ZIP file again: it becomes another one."),
        )
    mistakes = Mistakes()
    try:
        with unpacked(archive) as came:
            wanted = _read(account, came.content, came.names, mistakes)
            return _arrived(draft, account, came, wanted, mistakes)
    except Refused:
        with contextlib.suppress(Overtaken):
            delete(draft, UNTOUCHED)
        raise


def _arrived(draft: Draft, account: Writer, came: Unpacked, wanted: "Change", mistakes: Mistakes) -> Draft:
    """The draft with what came, files included; it is deleted where that cannot be."""
    try:
        Arrival(draft, came, mistakes).take(wanted.fields)
        _refuse_any(mistakes)
        return change(draft, account, draft.revision, wanted)
    except BaseException:
        delete(draft, draft.revision)
        raise


def _read(account: Writer, content: bytes, names: Collection[str], mistakes: Mistakes) -> "Change":
    fields, values = fields_of_file(account.company, content, names, clock.now())
    entry = AudienceEntry(
        everyone=values.get("everyone", False),
        groups=tuple(values.get("groups", ())),
        people=tuple(values.get("people", ())),
        excluded=tuple(values.get("except_groups", ())),
    )
    audience = find_audience(account.company, entry, account.scope, mistakes)
    return Change(
        fields, "", audience.everyone, list(audience.groups), list(audience.people), list(audience.excluded)
    )


def _refuse_any(mistakes: Mistakes) -> None:
    if mistakes.found:
        raise Refused(_("The file cannot be taken"), "\n".join(str(mistake) for mistake in mistakes.found))


def begin_like(account: Account, campaign: Campaign) -> Draft:
    """A draft that says what a campaign says, to the same people. Raises `Refused` when nothing is left of it."""
    change = Change(
        fields_of_campaign(campaign),
        "",
        campaign.to_everyone,
        list(campaign.audience_groups.all()),
        list(campaign.audience_people.all()),
        list(campaign.excluded_groups.all()),
    )
    rows = list(campaign.media.all())
    return begin_with_files(
        account, change, lambda draft: {row.sha256: add_published(draft, row).name for row in rows}
    )


def begin_with_files(
    account: Account, wanted: Change, add_files: Callable[[Draft], Mapping[str, str]]
) -> Draft:
    """A draft that says this. `add_files`: keeps its files with the draft, and answers their names by what it calls them.

    Raises as `begin` does, `OutOfScope`, and `EnvironmentFault` when the disk refuses.
    """
    if not any(names_in(wanted.fields)):
        return _made(account, wanted)
    draft = _made(account, Change(new_fields(wanted.fields["default_language"])))
    try:
        name_files(wanted.fields, add_files(draft))
        return change(draft, account, draft.revision, wanted)
    except BaseException:
        delete(draft, draft.revision)
        raise


def name_files(fields: Fields, names: Mapping[str, str]) -> None:
    """Let the fields call each file as the draft does. `names`: by how they call it now."""
    for _place, table, key in places_of_files(fields):
        table[key] = names[table[key]]


@tried_again
def delete(draft: Draft, revision: int, account: Account | None = None) -> None:
    """Throw it away with its files, versions and a test of it, unless it is gone or published by now.

    `revision`: the one that the person has seen. `account`: who does it; what waited for approval is taken back on record.
    Raises `Overtaken` when it was changed since.
    """
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).filter(pk=draft.pk, campaign=None).first()
        if locked is None:
            return
        if locked.revision != revision:
            raise Overtaken(locked)
        locked.end_trials()
        Draft.objects.filter(pk=draft.pk).delete()
        if locked.submitted_seal and account is not None:
            end_submission(locked, account, locked.submitted_seal)
        transaction.on_commit(lambda: remove_folder(folder_of(draft)))


def end_submission(draft: Draft, account: Writer, seal: str) -> None:
    """Put on record that what was submitted under this seal waits no more, and send nobody any mail about it."""
    outbox.forget(draft.company, path_of(draft))
    detail = {"draft": draft.draft_id, "digest": seal}
    log.record(draft.company, account.actor, "take-back-campaign", detail=detail)


def path_of(draft: Draft) -> str:
    """Where the console shows it: the draft has a random id, which says nothing of what it is about."""
    return f"drafts/{draft.draft_id}/check"


@tried_again
def _made(account: Writer, change: Change) -> Draft:
    _require_scope(account, change)
    with transaction.atomic():
        Company.objects.select_for_update(no_key=True).get(pk=account.company_id)
        if open_drafts(account.company).count() >= MOST_DRAFTS and not _drop_blank(account.company):
            raise Refused(
                _("There are too many drafts"), _("Publish or delete some of them, and begin again.")
            )
        now = clock.now()
        draft = Draft(company=account.company, editor=account_of(account), edited_at=now, begun_at=now)
        _fill(draft, change)
        note_writer(draft, account)
        return draft


def _drop_blank(company: Company) -> int:
    """Make room: delete what somebody began and wrote nothing into for an hour. Answers how many."""
    old = open_drafts(company).filter(revision=UNTOUCHED, edited_at__lte=clock.now() - BLANK_FOR)
    blank = [draft.pk for draft in old if is_blank(draft.fields)]
    return Draft.objects.filter(pk__in=blank).delete()[1].get("drafts.Draft", 0)


def seen_by(account: Account, found: "QuerySet[Draft]") -> "QuerySet[Draft]":
    """Those of the drafts that the account may open: which it wrote, or which are for people whom it may address."""
    scope = account.scope
    if scope.groups is None:
        return found
    published = scope.those_of(Campaign.objects.filter(company=account.company_id))
    return found.filter(
        Q(pk__in=scope.those_of(found).values("pk"))
        | Q(pk__in=Draft.writers.through.objects.filter(account=account).values("draft"))
        | Q(campaign__in=published.values("pk"))
    )


def open_drafts(company: Company) -> Any:
    """Those that are still being written, the last changed first; no templates."""
    return Draft.objects.filter(company=company, campaign=None, template_name="").order_by(
        "-edited_at", "-pk"
    )


def delete_old_drafts(*, dry_run: bool = False) -> int:
    """Those that nobody has changed for a year, and what is left of those that were published. Answers how many."""
    now, count = clock.now(), 0
    old = Draft.objects.filter(
        Q(edited_at__lte=now - KEPT) | Q(campaign__isnull=False, edited_at__lte=now - LEADS_ON),
        template_name="",
    )
    if dry_run:
        return old.count()
    for number in old.values_list("pk", flat=True):
        with transaction.atomic():
            draft = old.select_for_update(of=("self",)).filter(pk=number).first()
            if draft is not None:  # nobody has gone on with it meanwhile
                draft.end_trials()
                drop_all(draft)
                draft.delete()
                count += 1
    return count


@tried_again
def change(
    draft: Draft,
    account: Writer,
    revision: int,
    wanted: Change,
    page_key: str = "",
    *,
    ends_page: bool = False,
    is_replaced: bool = False,
) -> Draft:
    """Write it down, where it says anything else than before. `revision`: the one that the person has seen.

    `page_key`: of the opened page. A page that wrote it last goes on from what it wrote itself, whose revision it may not
    know yet. `ends_page`: nothing counts that comes of it later, as what it sent by itself a moment before. What was there
    becomes a version where somebody else wrote it, the person did some time ago, or it `is_replaced` as a whole. What waits
    for approval waits no more.

    Raises `Overtaken` when it was changed since, `Draft.DoesNotExist` when it is gone or published, and `OutOfScope` where
    the account may not address whom it is for.
    """
    with transaction.atomic():
        locked = Draft.objects.select_for_update(of=("self",)).get(pk=draft.pk, campaign=None)
        goes_on = bool(page_key) and (page_key, account.pk) == (locked.page_key, locked.editor_id)
        if locked.revision != revision and not goes_on:
            raise Overtaken(locked)
        _require_scope(account, wanted, locked)
        locked.page_key = "" if ends_page else page_key
        if _says(locked) == _said(wanted):
            locked.save(update_fields=["page_key"])
            return locked
        _keep_version(locked, account, is_replaced=is_replaced)
        locked.editor, locked.edited_at = account_of(account), clock.now()
        locked.revision += 1
        seal = locked.wait_no_more()
        _fill(locked, wanted)
        note_writer(locked, account)
        drop_unnamed(locked)
        if seal:
            end_submission(locked, account, seal)
        return locked


def note_writer(draft: Draft, account: Writer) -> None:
    """Remember, for as long as it is a draft, that this account wrote some of it. Of a draft that is locked.

    Programs are not remembered: none approves anything.
    """
    if isinstance(account, Account) and not draft.writers.filter(pk=account.pk).exists():
        draft.writers.add(account)
        draft.writers_ever += 1
        draft.save(update_fields=["writers_ever"])


def _require_scope(account: Writer, wanted: Change, before: Draft | None = None) -> None:
    """Raise `OutOfScope` for what the change brings into the audience; publishing asks for all of it."""
    groups, people, everyone, excluded = wanted.groups, wanted.people, wanted.everyone, wanted.excluded
    if before is not None and account.is_bound:
        known_groups = set(before.audience_groups.values_list("pk", flat=True))
        known_people = set(before.audience_people.values_list("pk", flat=True))
        known_excluded = set(before.excluded_groups.values_list("pk", flat=True))
        excluded = [group for group in excluded if group.pk not in known_excluded]
        groups = [group for group in groups if group.pk not in known_groups]
        people = [person for person in people if person.pk not in known_people]
        everyone = everyone and not before.to_everyone
    account.scope.require(everyone=everyone, groups=groups, people=people, excluded=excluded)


def _says(draft: Draft) -> tuple[object, ...]:
    groups = set(draft.audience_groups.values_list("pk", flat=True))
    people = set(draft.audience_people.values_list("pk", flat=True))
    excluded = set(draft.excluded_groups.values_list("pk", flat=True))
    return draft.fields, draft.reason, draft.to_everyone, groups, people, excluded


def _said(wanted: Change) -> tuple[object, ...]:
    groups, people = {one.pk for one in wanted.groups}, {one.pk for one in wanted.people}
    return wanted.fields, wanted.reason, wanted.everyone, groups, people, {one.pk for one in wanted.excluded}


def bring_back(draft: Draft, account: Account, revision: int, version: DraftVersion) -> Draft:
    """Let the draft say what it said then, to those of then who are still there. Raises as `change` does."""
    source = draft if version.to_everyone is None else version
    wanted = Change(
        version.fields,
        source.reason,
        bool(source.to_everyone),
        list(source.audience_groups.all()),
        list(source.audience_people.all()),
        list(source.excluded_groups.all()),
    )
    return change(draft, account, revision, wanted, is_replaced=True)


def _keep_version(draft: Draft, account: Writer, *, is_replaced: bool) -> None:
    last = draft.versions.order_by("-pk").first()
    is_fresh = last is not None and clock.now() - last.edited_at < VERSION_EVERY
    groups, people = list(draft.audience_groups.all()), list(draft.audience_people.all())
    is_empty = is_blank(draft.fields) and not (draft.to_everyone or groups or people)
    if is_empty or (is_fresh and draft.editor_id == account.pk and not is_replaced):
        return
    version = draft.versions.create(
        fields=draft.fields,
        reason=draft.reason,
        to_everyone=draft.to_everyone,
        edited_at=draft.edited_at,
        editor=draft.editor,
    )
    version.audience_groups.set(groups)
    version.audience_people.set(people)
    version.excluded_groups.set(draft.excluded_groups.all())
    kept = draft.versions.order_by("-pk").values_list("pk", flat=True)[:MOST_VERSIONS]
    draft.versions.exclude(pk__in=list(kept)).delete()


def _fill(draft: Draft, wanted: Change) -> None:
    draft.fields, draft.reason, draft.to_everyone = wanted.fields, wanted.reason, wanted.everyone
    draft.save()
    draft.audience_groups.set(wanted.groups)
    draft.audience_people.set(wanted.people)
    draft.excluded_groups.set(wanted.excluded)

"""From a draft to a campaign, by way of its campaign file: the console publishes nothing that a file could not say."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction

from server.accounts.models import Account
from server.campaigns.manifest import check_manifest
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.core import clock
from server.database.transactions import tried_again
from server.drafts.fields import campaign_file, files_named, new_fields
from server.drafts.files import drop_all, kept
from server.drafts.models import Draft, DraftFile
from server.drafts.writing import Overtaken
from server.publishing.checked import CheckedCampaign, check_campaign
from server.publishing.publish import check_reason, make_ready, publish
from server.publishing.second_person import Approval


@dataclass(frozen=True)
class Sealed:
    """The campaign that a draft would be, and the seal of the very bytes that were checked."""

    checked: CheckedCampaign
    seal: str


def check_draft(draft: Draft, *, with_reason: bool = False) -> Sealed:
    """The campaign that the draft would be. Raises `Refused` with all that has to be mended first."""
    company, content, named = draft.company, campaign_file(draft), files_named(draft)
    files = {row.name: kept(row) for row in named}
    manifest = check_manifest(content, clock.now(), company.link_hosts, files.keys())
    if with_reason:
        check_reason(manifest, draft.reason)
    reason = draft.reason if manifest.is_emergency else ""
    # Whom its authors and approvers may address is asked of each of them, in `publish` and `approval`.
    checked = check_campaign(company, manifest, Scope(), reason, files)
    return Sealed(checked, _seal(content, draft.reason, named))


def seal_of(draft: Draft) -> str:
    """Of all that somebody saw who looked at the draft: what it says and shows, to whom, and why; in hex."""
    return _seal(campaign_file(draft), draft.reason, files_named(draft))


def _seal(content: bytes, reason: str, named: Sequence[DraftFile]) -> str:
    parts = [content, reason.encode(), *(f"{row.name}\0{row.sha256}".encode() for row in named)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@tried_again
def publish_draft(
    draft: Draft,
    seal: str,
    people: int,
    account: Account,
    approved: Callable[[Draft], Approval] | None = None,
) -> Campaign:
    """Publish what the person looked at, on record; the draft itself is empty then, and leads to the campaign.

    `people`: how many the person was told it is for. Groups may have grown since: it goes to no more than that. Asked
    twice, it is one publication. `approved`: asked in the transaction, about the draft as it is then.
    Raises `Overtaken` when the draft says something else by now or is for more people, `Refused` as `check_draft` does, and
    `EnvironmentFault` as `publish` does; nothing is published then.
    """
    checked = None
    if draft.campaign is None:
        sealed = check_draft(draft, with_reason=True)  # before the lock: it takes long
        checked = (
            sealed.checked if sealed.seal == seal and sealed.checked.audience.reach.most <= people else None
        )
        if checked is not None:
            make_ready(checked, account.scope)
    with transaction.atomic():
        locked = locked_draft(draft)
        if locked.campaign is not None:
            return locked.campaign
        if checked is None or seal_of(locked) != seal:
            raise Overtaken(locked)
        approval = None if approved is None else approved(locked)
        author = locked.submitted_by or locked.submitted_token
        campaign = publish(checked, account.actor, account.scope, approval).campaign
        if author is not None:
            author.scope.note_publisher(campaign)
        _empty(locked, campaign)
    return campaign


def locked_draft(draft: Draft) -> Draft:
    """The draft as it is now, until the transaction ends."""
    # The campaign is looked up afterwards: PostgreSQL would join the one of before it waited for the lock.
    return Draft.objects.select_for_update(of=("self",)).select_related("company").get(pk=draft.pk)


def _empty(draft: Draft, campaign: Campaign) -> None:
    draft.campaign = campaign
    draft.fields = new_fields(draft.fields["default_language"])
    draft.reason, draft.editor, draft.to_everyone = "", None, False
    draft.wait_no_more()
    draft.returned_for, draft.returned_by = "", None
    draft.begun_at, draft.writers_ever = None, 0
    draft.save()
    draft.writers.clear()
    draft.audience_groups.clear()
    draft.audience_people.clear()
    draft.excluded_groups.clear()
    draft.versions.all().delete()
    drop_all(draft)
    draft.end_trials()

"""What a program wants to publish where a second person is needed: a draft of its file, which waits for approval.

Asked again with the same file, it is the same submission, whatever became of it.
"""

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from server.accounts.models import Account
from server.audit import log
from server.campaigns.models import Campaign
from server.core import clock
from server.core.errors import Refused
from server.directory.models import Company
from server.drafts.approval import is_submitted, who_may_approve
from server.drafts.models import Draft
from server.drafts.publication import check_draft
from server.drafts.writing import Program, begin_from_archive, begin_from_file, delete, path_of
from server.mail import outbox
from server.mail.models import ConsoleMail
from server.publishing.checked import TRIED_AGAIN, CheckedCampaign
from server.publishing.publish import check_reason, check_scope


class Submission(NamedTuple):
    """The draft that waits; or, once it was approved, the campaign that it became."""

    draft: Draft
    campaign: Campaign | None = None


def submit_file(
    program: Program, checked: CheckedCampaign, content: bytes, files: Mapping[str, Path] | None = None
) -> Submission:
    """Let the campaign file wait for a second person. `content`: its bytes; `files`: by the names that it says.

    Raises `OutOfScope`, and `Refused` where nobody could approve it, it was returned, or people go on with it; also as
    `begin_from_file` and `check_draft`, and `EnvironmentFault` when the disk refuses.
    """
    check_reason(checked.manifest, checked.reason)
    check_scope(checked, program.scope)
    known = _known(program.company, checked.digest)
    if known is not None:
        return _asked_again(known, program)
    reason = checked.reason if checked.manifest.is_emergency else ""
    draft = _begun(program, content, files or {}, reason)
    try:
        with transaction.atomic():
            # Two that ask at once come one after the other.
            Company.objects.select_for_update(no_key=True).get(pk=program.company_id)
            known = _known(program.company, checked.digest)
            if known is None:
                draft.program_digest = checked.digest
                _submit(draft, program)
    except BaseException:
        delete(draft, draft.revision)
        raise
    if known is None:
        return Submission(draft)
    delete(draft, draft.revision)
    return _asked_again(known, program)


def _begun(program: Program, content: bytes, files: Mapping[str, Path], reason: str) -> Draft:
    if not files:
        return begin_from_file(program, content, reason)
    with tempfile.TemporaryFile() as packed:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("campaign.toml", content)
            for name, path in files.items():
                archive.write(path, name)
        packed.seek(0)
        return begin_from_archive(program, packed, reason)


def _known(company: Company, digest: str) -> Draft | None:
    """The draft of the same file. What it published counts for an hour, as with `publish`: later it is a new one."""
    found = Draft.objects.filter(company=company, program_digest=digest, template_name="")
    found = found.exclude(campaign__published_at__lte=clock.now() - TRIED_AGAIN)
    found = found.exclude(campaign__status=Campaign.Status.RECALLED)
    return found.select_related("company", "campaign").order_by("-pk").first()


def _asked_again(known: Draft, program: Program) -> Submission:
    with transaction.atomic():
        draft = Draft.objects.select_for_update(of=("self",)).select_related("company").get(pk=known.pk)
        if draft.campaign is not None:
            return Submission(draft, draft.campaign)
        if draft.returned_for:
            raise Refused(
                _("It was returned"),
                _("“{reason}” Change the file and send it again.").format(reason=draft.returned_for),
            )
        if not draft.submitted_program:
            raise Refused(
                _("People go on with it in the console"),
                _("What comes of it is decided there. To send the file anew, have the draft deleted."),
            )
        if not is_submitted(draft):  # who left the audience, or the token, since
            _submit(draft, program)
    return Submission(draft)


def _submit(draft: Draft, program: Program) -> None:
    """Within a transaction."""
    draft.refresh_from_db(fields=["fields"])  # who approves reads them in the order of PostgreSQL's jsonb
    sealed = check_draft(draft, with_reason=True)
    draft.wait_no_more()
    draft.submitted_seal, draft.submitted_at = sealed.seal, clock.now()
    draft.submitted_program, draft.submitted_token_id = program.actor, program.token
    draft.save()
    accounts = Account.objects.filter(company=draft.company_id).order_by("pk")
    approvers = who_may_approve(draft, accounts)
    if not approvers:
        raise Refused(
            _("Nobody could approve it"),
            _(
                "Invite an approver first: tidings-server console invite EMAIL --role approver. An emergency needs an "
                "administrator."
            ),
        )
    detail = {"draft": draft.draft_id, "digest": sealed.seal}
    log.record(draft.company, program.actor, "submit-campaign", detail=detail)
    outbox.notify(approvers, path_of(draft), ConsoleMail.Kind.APPROVAL)

"""What must be done daily so that nothing is kept longer than the data map says (GDPR article 5(1)(e))."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from server.accounts.attempts import delete_expired_attempts
from server.accounts.invitations import delete_expired_links
from server.accounts.sessions import delete_expired_sessions
from server.archives import closing
from server.campaigns.models import Media
from server.core import clock, under_way
from server.core.data_map import Retention
from server.core.errors import EnvironmentFault, ServerError
from server.database.transactions import Pieces
from server.devices.enrolment import REPEATABLE
from server.devices.models import Device, Invitation, SpentToken
from server.directory.models import Company
from server.drafts.files import FOLDER, drop_unnamed_everywhere
from server.drafts.models import DraftFile, DraftUpload, Trial
from server.drafts.trials import delete_ended_trials
from server.drafts.uploads import drop_expired
from server.drafts.writing import delete_old_drafts
from server.erasure import erasure, requests
from server.erasure.erasure import empty_write_ahead_log
from server.mail import outbox
from server.people_files import upsert
from server.retention.campaign_closing import close, due, left_over, sweep
from server.signing.documents import COMPANY_RENEWAL, renew_company

ORPHAN_AFTER = timedelta(days=1)
"""A file is stored before the campaign that names it: younger ones may be about to be published."""

ROWS_AT_ONCE = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One daily task. `run` takes whether to count only, and answers how much there was to do.

    `retention`: the one of the data map that it puts into effect, if any.
    """

    name: str
    run: Callable[[bool], int]
    retention: Retention | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job. `fault` is empty when it was done."""

    job: str
    count: int
    fault: str = ""


def housekeeping(*, dry_run: bool = False) -> list[Outcome]:
    """Do all jobs, or only count. One that fails is told in its outcome, and stops no other."""
    outcomes = []
    for job in JOBS:
        try:
            outcome = Outcome(job.name, job.run(dry_run))
        except ServerError as error:
            outcome = Outcome(job.name, 0, f"{error.title}. {error.message}")
        except (OSError, DatabaseError) as error:
            outcome = Outcome(job.name, 0, str(error).strip())
        if outcome.fault:
            _log.error("housekeeping: %s failed: %s", outcome.job, outcome.fault)
        else:
            _log.info("housekeeping: %s: %d", outcome.job, outcome.count)
        outcomes.append(outcome)
    return outcomes


def _close_campaigns(dry_run: bool) -> int:
    campaigns = due(clock.now())
    if dry_run:
        return campaigns.count()
    for campaign in left_over():
        sweep(campaign)
    return sum(close(campaign) for campaign in campaigns.iterator())


def _finish_imports(dry_run: bool) -> int:
    return len(under_way.interrupted(upsert.ORDER)) if dry_run else upsert.finish_imports()


def _finish_erasures(dry_run: bool) -> int:
    if dry_run:
        return len(under_way.interrupted(erasure.ORDER))
    return erasure.finish_erasures() + requests.finish_decided()


def _finish_moves(dry_run: bool) -> int:
    return closing.interrupted_moves() if dry_run else closing.finish_moves()


def _delete_invitations(dry_run: bool) -> int:
    now = clock.now()
    used, expired = Q(used_at__lte=now - REPEATABLE), Q(used_at=None, expires_at__lte=now)
    return _delete(Invitation.objects.filter(used | expired), dry_run)


def _delete_devices(dry_run: bool) -> int:
    return _delete(Device.objects.filter(revoked_at__isnull=False), dry_run)


def _forget_token_times(dry_run: bool) -> int:
    """When a computer first used its present token is needed for as long as the former one is taken."""
    past = SpentToken.objects.filter(grace_until__lt=clock.now())
    return past.count() if dry_run else past.update(grace_until=None)


def _delete_sessions(dry_run: bool) -> int:
    return delete_expired_sessions(dry_run=dry_run)


def _delete_attempts(dry_run: bool) -> int:
    return delete_expired_attempts(dry_run=dry_run)


def _delete_links(dry_run: bool) -> int:
    return delete_expired_links(dry_run=dry_run)


def _delete_drafts(dry_run: bool) -> int:
    return delete_old_drafts(dry_run=dry_run)


def _delete_unnamed_files(dry_run: bool) -> int:
    return drop_unnamed_everywhere(dry_run=dry_run) + drop_expired(dry_run=dry_run)


def _delete_trials(dry_run: bool) -> int:
    return delete_ended_trials(dry_run=dry_run)


def _delete_mails(dry_run: bool) -> int:
    return outbox.delete_old(dry_run=dry_run)


def _delete(rows: "QuerySet[Invitation] | QuerySet[Device]", dry_run: bool) -> int:
    if dry_run:
        return rows.count()
    pieces, deleted, last = Pieces(), 0, 0
    while True:
        with pieces.piece():
            # After the last one: those before it that stay are not looked at again.
            some = list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE])
            deleted += rows.model._default_manager.filter(pk__in=some).delete()[0]
        if len(some) < ROWS_AT_ONCE:
            return deleted
        last = some[-1]


def _delete_orphans(dry_run: bool) -> int:
    """Files of media that no row names, and what an interrupted upload left."""
    orphans = list(_orphans(clock.now() - ORPHAN_AFTER))
    if not dry_run:
        for orphan in orphans:
            orphan.unlink(missing_ok=True)
    return len(orphans)


def _orphans(older_than: datetime) -> Iterator[Path]:
    named: set[tuple[str, ...]] = set(Media.objects.values_list("company_id", "sha256"))
    kept = DraftFile.objects.values_list("draft__company_id", "draft__draft_id", "key")
    coming = DraftUpload.objects.values_list("draft__company_id", "draft__draft_id", "upload_id")
    named |= {(company, FOLDER, draft, key) for company, draft, key in (*kept, *coming)}
    tests = Trial.objects.values_list("person__company_id", "files")
    named |= {(company, file["sha256"]) for company, files in tests for file in files}
    folder = Path(settings.MEDIA_FOLDER)
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        is_named = (parts if parts[1:2] == (FOLDER,) else (parts[0], path.name)) in named
        if path.is_file() and not is_named and path.stat().st_mtime < older_than.timestamp():
            yield path


def _renew_documents(dry_run: bool) -> int:
    companies = Company.objects.exclude(pk__in=closing.on_the_move()).order_by("pk")
    if dry_run:
        soon = clock.now() + COMPANY_RENEWAL
        return companies.filter(Q(document_expires=None) | Q(document_expires__lte=soon)).count()
    count, faults = 0, []
    for company in companies:
        try:
            count += _renew(company.pk)
        except EnvironmentFault as error:  # of its keys, which keeps the others from nothing
            faults.append(error)
    if faults:
        raise faults[0]
    return count


@transaction.atomic
def _renew(company_id: str) -> bool:
    return renew_company(Company.objects.select_for_update(no_key=True).get(pk=company_id))


def _empty_log(dry_run: bool) -> int:
    if not dry_run:
        empty_write_ahead_log()
    return 0


JOBS = (
    Job("finish-erasures", _finish_erasures),
    Job("finish-company-moves", _finish_moves),
    Job("finish-imports", _finish_imports),
    Job("close-campaigns", _close_campaigns, Retention.CAMPAIGN),
    Job("delete-invitations", _delete_invitations, Retention.INVITATION),
    Job("delete-revoked-computers", _delete_devices, Retention.ENROLMENT),
    Job("forget-token-times", _forget_token_times),
    Job("delete-expired-sessions", _delete_sessions, Retention.SESSION),
    Job("delete-sign-in-links", _delete_links),
    Job("delete-sign-in-attempts", _delete_attempts, Retention.ATTEMPT),
    Job("delete-old-drafts", _delete_drafts, Retention.DRAFT),
    Job("delete-unnamed-files-of-drafts", _delete_unnamed_files),
    Job("delete-ended-tests", _delete_trials, Retention.TRIAL),
    Job("delete-old-mails", _delete_mails, Retention.MAIL),
    Job("delete-orphan-media", _delete_orphans),
    Job("renew-documents", _renew_documents),
    Job("empty-write-ahead-log", _empty_log),  # last: it holds what the others deleted
)

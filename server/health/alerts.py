"""Tell administrators by e-mail that the server needs somebody: once a day at most, and not of what."""

from collections.abc import Sequence

from server.access.roles import Right
from server.accounts.models import Account
from server.archives.closing import on_the_move
from server.audit.verifying import end_faults
from server.core import clock
from server.directory.models import Company
from server.health.findings import quick_findings
from server.mail import outbox, transport
from server.mail.models import ConsoleMail


def tell_administrators(failed_jobs: Sequence[str]) -> int:
    """Look at each company, and tell those who may see its state. `failed_jobs`: of housekeeping. Answers how many."""
    if not transport.is_on():
        return 0
    told = 0
    for company in Company.objects.exclude(pk__in=on_the_move()).order_by("pk"):
        if failed_jobs or quick_findings(company) or end_faults(company):
            told += _tell(company)
    return told


def _tell(company: Company) -> int:
    since = clock.now() - outbox.KEPT_FOR
    lately = ConsoleMail.objects.filter(kind=ConsoleMail.Kind.ALERT, queued_at__gt=since)
    accounts = Account.objects.filter(company=company, wants_mail=True).exclude(mails__in=lately)
    looking = [account for account in accounts if Right.READ_HEALTH in account.rights]
    outbox.notify(looking, "", ConsoleMail.Kind.ALERT)
    return len(looking)

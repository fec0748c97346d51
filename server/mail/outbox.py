"""What is to be sent is kept first, in the transaction of what it tells of. A process of its own sends it (`sending`).

A file in the data folder says when there is something to do, so that nobody has to ask the database for it. If it is lost,
the hourly look finds what waits.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from server.accounts.models import Account
from server.core import clock
from server.directory.models import Company, Person
from server.mail.models import ConsoleMail, InvitationMail, Outgoing
from server.mail.transport import is_on

FLAG = "mail.due"
ROWS_AT_ONCE = 500
KEPT_FOR = timedelta(days=1)
"""What was sent, so that nobody is sent too much."""
FAILED_FOR = timedelta(days=7)
LONGEST = timedelta(days=2)
"""Then nobody tries any more, whether mail is on or not: late mail is worse than none."""
SLOWEST = timedelta(hours=1)
CUT_OFF_AFTER = timedelta(minutes=5)


def notify(accounts: Iterable[Account], path: str, kind: ConsoleMail.Kind = ConsoleMail.Kind.NOTICE) -> None:
    """Tell these accounts, in the caller's transaction, that something waits at this path of the console.

    Who switched such mail off is left out; so is who is about to be told of the same.
    """
    if not is_on():
        return
    now = clock.now()
    wanted = [
        ConsoleMail(account=account, kind=kind, path=path, queued_at=now, next_at=now)
        for account in accounts
        if account.wants_mail or kind == ConsoleMail.Kind.SIGN_IN
    ]
    ConsoleMail.objects.bulk_create(wanted, ignore_conflicts=True)
    transaction.on_commit(set_flag)


def forget(company: Company, path: str) -> None:
    """Send nobody of the company any more what leads there: it is done meanwhile."""
    ConsoleMail.objects.filter(waiting(), account__company=company, path=path).delete()


def undelivered(company: Company) -> list[str]:
    """The addresses to which no invitation could be sent."""
    # Few wait or failed, and the company has many people: each of the few is looked up.
    failed = InvitationMail.objects.filter(_of(company)).exclude(failure="")
    return list(failed.order_by("person__email").values_list("person__email", flat=True))


def unsent(company: Company) -> int:
    """How many invitations wait to be sent."""
    return InvitationMail.objects.filter(waiting(), _of(company)).count()


def _of(company: Company) -> Exists:
    return Exists(Person.objects.filter(pk=OuterRef("person"), company=company))


def given_up() -> int:
    """How many mails of the last week could not be sent."""
    models = (ConsoleMail, InvitationMail)
    return sum(model._default_manager.exclude(failure="").count() for model in models)


def give_up_old() -> int:
    """Give up what has waited for too long. Answers how much."""
    count, before = 0, clock.now() - LONGEST
    for model in (ConsoleMail, InvitationMail):
        # An erasure that has some of them is not waited for, nor does it wait for long.
        old = model._default_manager.select_for_update(skip_locked=True).filter(
            waiting(), queued_at__lt=before
        )
        given_up = 1
        while given_up:
            with transaction.atomic():
                some = list(old.values_list("pk", flat=True)[:ROWS_AT_ONCE])
                given_up = model._default_manager.filter(pk__in=some).update(failure=Outgoing.Failure.TOO_OLD)
            count += given_up
    return count


def delete_old(*, dry_run: bool) -> int:
    """Delete what is kept no longer, and give up what waits for too long. Answers how much was deleted."""
    if not dry_run:
        give_up_old()
    now, count = clock.now(), 0
    old = Q(sent_at__lte=now - KEPT_FOR) | (~Q(failure="") & Q(queued_at__lte=now - FAILED_FOR))
    for model in (ConsoleMail, InvitationMail):
        rows = model._default_manager.filter(old)
        count += rows.count() if dry_run else rows.delete()[0]
    return count


def set_flag() -> None:
    """Let the server look into the outbox now."""
    moment = clock.now().timestamp()
    with suppress(OSError):  # the hourly look finds it
        flag().touch(mode=0o600)
        os.utime(flag(), (moment, moment))


def take_flag() -> int:
    """Begin to look into the outbox. If that is cut off, the server looks again after a while. Answers what the flag says."""
    moment = (clock.now() + CUT_OFF_AFTER).timestamp()
    with suppress(OSError):
        flag().touch(mode=0o600)
        os.utime(flag(), (moment, moment))
        return flag().stat().st_mtime_ns
    return 0


def settle_flag(taken: int, when: datetime | None) -> None:
    """Let the server look again at this time, or not before something is queued; what was queued meanwhile stays due."""
    with suppress(OSError):
        if flag().stat().st_mtime_ns != taken:
            return
        if when is None:
            flag().unlink()
        else:
            flag().write_text("")  # nothing was in the way
            os.utime(flag(), (when.timestamp(), when.timestamp()))


def put_off(taken: int, *, is_first: bool) -> None:
    """Let the server look again after a while that doubles each time: the mail server takes nothing any more.

    `is_first`: it took something just before.

    How often in a row that happened stands in the flag, as nothing is known of any mail by that. What was queued meanwhile
    stays due.
    """
    with suppress(OSError, ValueError):
        times = 0 if is_first else int(flag().read_text() or 0)
        changed = flag().stat().st_mtime_ns
        flag().write_text(str(times + 1))
        if changed == taken:
            moment = (clock.now() + pause(times)).timestamp()
            os.utime(flag(), (moment, moment))
        else:
            os.utime(flag(), ns=(changed, changed))


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries, and one: 1, 2, 4 … minutes, an hour at most."""
    return min(SLOWEST, timedelta(minutes=2 ** min(tries, 6)))


def is_flag_due() -> bool:
    """Whether there is something to be sent now."""
    try:
        return flag().stat().st_mtime <= clock.now().timestamp()
    except OSError:
        return False


def flag() -> Path:
    """Where the file lies, whose time says when there is something to do."""
    return Path(settings.DATA) / FLAG


def waiting() -> Q:
    """What is neither sent nor given up."""
    return Q(sent_at=None, failure=Outgoing.Failure.NONE)

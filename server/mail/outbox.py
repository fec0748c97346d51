"""What is to be sent is kept first, in the transaction of what it tells of. A process of its own sends it (`sending`).

Two files in the data folder say when there is something to do, so that nobody has to ask the database for it: one that
something was queued, the other when to look again. If they are lost, the hourly look finds what waits.
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

FLAG, LATER = "mail.due", "mail.later"
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
    with suppress(OSError):  # the hourly look finds it
        flag().touch(mode=0o600)


def take_flag() -> None:
    """Begin to look into the outbox. If that is cut off, the server looks again after a while."""
    with suppress(OSError):
        later().touch(
            mode=0o600
        )  # before the flag goes: one of both always says that there is something to do
        _look_at(clock.now() + CUT_OFF_AFTER)
        flag().unlink(missing_ok=True)


def settle_flag(when: datetime | None) -> None:
    """Let the server look again at this time, or not before something is queued; what was queued meanwhile is due."""
    with suppress(OSError):
        if when is None:
            later().unlink()
        else:
            later().write_text("")  # nothing was in the way
            _look_at(when)


def put_off(*, is_first: bool) -> None:
    """Let the server look again after a while that doubles each time: the mail server takes nothing any more.

    `is_first`: it took something just before.

    How often in a row that happened stands in the file, as nothing is known of any mail by that. What was queued meanwhile
    is due.
    """
    with suppress(OSError, ValueError):
        times = 0 if is_first else int(later().read_text() or 0)
        later().write_text(str(times + 1))
        _look_at(clock.now() + pause(times))


def _look_at(when: datetime) -> None:
    os.utime(later(), (when.timestamp(), when.timestamp()))


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries, and one: 1, 2, 4 … minutes, an hour at most."""
    return min(SLOWEST, timedelta(minutes=2 ** min(tries, 6)))


def is_flag_due() -> bool:
    """Whether there is something to be sent now."""
    with suppress(OSError):
        return flag().exists() or later().stat().st_mtime <= clock.now().timestamp()
    return False


def flag() -> Path:
    """A file that is there while something was queued at which nobody has looked."""
    return Path(settings.DATA) / FLAG


def later() -> Path:
    """A file whose time says when to look again. It is of the one who sends; who queues something does not touch it."""
    return Path(settings.DATA) / LATER


def waiting() -> Q:
    """What is neither sent nor given up."""
    return Q(sent_at=None, failure=Outgoing.Failure.NONE)

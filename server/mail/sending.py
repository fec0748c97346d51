"""Send what waits in the outbox: one process at a time, never within a request or a transaction.

A mail is counted as tried before it is sent and as sent after the mail server took it. A crash between the two sends it
once more, as SMTP itself does when an answer is lost (RFC 1047); nothing is lost and nothing is tried without end.
"""

import contextlib
import logging
import smtplib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Min

from server.accounts.invitations import renew_link, take_back_link
from server.accounts.models import Account
from server.core import clock, under_way
from server.devices.enrolment import end_mailed_before, invite_by_mail, take_back
from server.devices.models import Device
from server.directory.models import Person
from server.mail import inviting, outbox, texts, transport
from server.mail.models import ConsoleMail, InvitationMail, Outgoing

ORDER = "mail"
MOST_AN_HOUR = 6
"""Mails of one kind to one account: more than these wait, and those of the same thing become one."""
AN_HOUR = timedelta(hours=1)
AT_ONCE = 100
MODELS: Sequence[type[ConsoleMail] | type[InvitationMail]] = (ConsoleMail, InvitationMail)

_TEXTS = {
    ConsoleMail.Kind.NOTICE: texts.NOTICE,
    ConsoleMail.Kind.APPROVAL: texts.NOTICE,
    ConsoleMail.Kind.ERASURE: texts.NOTICE,
    ConsoleMail.Kind.ALERT: texts.ALERT,
    ConsoleMail.Kind.SIGN_IN: texts.SIGN_IN,
}
_log = logging.getLogger(__name__)


class _NotNow(Exception):
    """The mail server cannot be reached or takes nothing: what waits goes on waiting."""


@dataclass
class Sent:
    """How many mails went out, were given up, and will be tried again."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0


@dataclass(frozen=True)
class _Ready:
    """What can be sent. `undo` is for one that the mail server did not take, `done` for one that it took.

    `others`: mails that need not be sent then.
    """

    message: EmailMessage
    undo: Callable[[], object] = lambda: None
    done: Callable[[], object] = lambda: None
    others: Sequence[int] = ()


def send_due(console: str) -> Sent:
    """Send all that is due. `console`: the address of its pages.

    Raises `Refused` while another process does it, and `EnvironmentFault` where the settings cannot be used.
    """
    counted = Sent()
    with under_way.order(ORDER, "outbox"):
        outbox.take_flag()
        counted.failed += outbox.give_up_old()
        inviting.queue_invited()
        line = transport.backend()
        try:
            for row in _due():
                _send(row, line, console, counted)
        except _NotNow as error:
            _log.warning("Mail cannot be sent now: %s. It is tried again.", error)
            outbox.put_off(is_first=counted.sent > 0)
        else:
            outbox.settle_flag(_next_time())
        finally:
            _hang_up(line)
    for model in MODELS:
        counted.waiting += model._default_manager.filter(outbox.waiting()).count()
    return counted


def send_test(address: str) -> None:
    """Send one now. Raises `EnvironmentFault`, and what the mail server answers as an `OSError`."""
    line = transport.backend()
    try:
        line.send_messages([texts.message(texts.TEST, "", address, transport.chosen().sender)])
    finally:
        _hang_up(line)


def _due() -> Iterator[ConsoleMail | InvitationMail]:
    """What is to be sent now, the oldest first; notices before invitations, which may be thousands."""
    began = clock.now()
    for model in MODELS:
        # Each moves on or goes as it is tried, so that none comes twice.
        due = model._default_manager.filter(outbox.waiting(), next_at__lte=began).order_by("next_at", "pk")
        while some := list(due[:AT_ONCE]):
            for row in some:
                assert isinstance(row, ConsoleMail | InvitationMail)
                yield row


def _send(row: ConsoleMail | InvitationMail, line: BaseEmailBackend, console: str, counted: Sent) -> None:
    try:
        line.open()  # before anything is made that only the mail would tell
    except OSError as error:
        raise _NotNow(_reason(error)) from error
    ready = _ready(row, console, counted)
    if ready is None:
        return
    try:
        line.send_messages([ready.message])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _reply in error.recipients.values()]
        _not_taken(row, ready, codes, counted)
    except smtplib.SMTPDataError as error:
        _not_taken(row, ready, [error.smtp_code], counted)
    except OSError as error:  # SMTP's too. Whether it was taken is not known, so that its code or link stays.
        _give_up_if_old(row, counted)
        raise _NotNow(_reason(error)) from error
    else:
        _update(row, sent_at=clock.now())
        ready.done()
        ConsoleMail.objects.filter(outbox.waiting(), pk__in=ready.others).delete()
        counted.sent += 1


def _ready(row: ConsoleMail | InvitationMail, console: str, counted: Sent) -> _Ready | None:
    """Count a try, and make what is sent. None where it is not to be sent, or not yet."""
    with transaction.atomic():
        # First, as erasures do: the code or link is a row that needs them, and two that wait for each other both fail.
        if isinstance(row, ConsoleMail):
            Account.objects.select_for_update(no_key=True).filter(pk=row.account_id).first()
        else:
            Person.objects.select_for_update(no_key=True).filter(pk=row.person_id).first()
        rows = type(row)._default_manager.select_for_update(of=("self",))
        found = rows.filter(outbox.waiting(), pk=row.pk).first()
        if found is None:
            return None
        _update(found, tries=found.tries + 1, next_at=clock.now() + outbox.pause(found.tries))
        if isinstance(found, ConsoleMail):
            return _to_account(found, console, counted)
        return _to_person(found, counted)


def _to_account(row: ConsoleMail, console: str, counted: Sent) -> _Ready | None:
    account = row.account
    is_let_in = row.kind == ConsoleMail.Kind.SIGN_IN
    is_wanted = not account.has_usable_password() if is_let_in else account.wants_mail
    if not is_wanted:
        row.delete()
        return None
    if not is_let_in and (later := _pause(row)):
        _update(row, tries=row.tries, next_at=later)
        return None
    if not _can_be_written_to(row, account.email, counted):
        return None
    others = _told_along(row)
    text, sender = _TEXTS[ConsoleMail.Kind(row.kind)], transport.chosen().sender
    if not is_let_in:
        link = f"{console}/" if others else f"{console}/{row.path}"
        return _Ready(texts.message(text, link, account.email, sender, account.language), others=others)
    token = renew_link(account)
    message = texts.message(text, f"{console}/welcome/{token}", account.email, sender, account.language)
    return _Ready(message, partial(take_back_link, token))


def _to_person(row: InvitationMail, counted: Sent) -> _Ready | None:
    person = row.person
    if Device.objects.filter(person=person, revoked_at=None).exists():
        row.delete()  # they are connected already
        return None
    if not _can_be_written_to(row, person.email, counted):
        return None
    code = invite_by_mail(person, timedelta(days=row.days))
    words = f"{person.company.server_url}\n{code}"
    message = texts.message(texts.INVITATION, words, person.email, transport.chosen().sender)
    return _Ready(message, partial(take_back, code), partial(end_mailed_before, person, code))


def _can_be_written_to(row: ConsoleMail | InvitationMail, address: str, counted: Sent) -> bool:
    """Whether the address can stand in a header as it is; what cannot is given up."""
    if transport.ADDRESS.fullmatch(address):
        return True
    _update(row, failure=Outgoing.Failure.REFUSED)
    counted.failed += 1
    return False


def _told_along(row: ConsoleMail) -> list[int]:
    """The other mails that this one stands for: of several drafts that wait for the account, one leads to the start page."""
    if row.kind != ConsoleMail.Kind.APPROVAL:
        return []
    others = ConsoleMail.objects.filter(outbox.waiting(), account=row.account_id, kind=row.kind)
    return list(others.exclude(pk=row.pk).values_list("pk", flat=True))


def _pause(row: ConsoleMail) -> datetime | None:
    """When the account may be sent another mail of this kind, if it has had enough of them; other kinds do not count."""
    since = clock.now() - AN_HOUR
    sent = ConsoleMail.objects.filter(account=row.account_id, kind=row.kind, sent_at__gt=since).order_by(
        "-sent_at"
    )
    times = list(sent.values_list("sent_at", flat=True)[:MOST_AN_HOUR])
    return times[-1] + AN_HOUR if len(times) == MOST_AN_HOUR and times[-1] else None


def _not_taken(row: ConsoleMail | InvitationMail, ready: _Ready, codes: Sequence[int], counted: Sent) -> None:
    """Of this one mail: for good (5xx), or for now (4xx)."""
    ready.undo()
    if all(500 <= code < 600 for code in codes):
        _update(row, failure=Outgoing.Failure.REFUSED)
        counted.failed += 1
        _log.warning("A mail was refused for good (%s).", ", ".join(map(str, codes)))
    else:
        _give_up_if_old(row, counted)


def _give_up_if_old(row: ConsoleMail | InvitationMail, counted: Sent) -> None:
    if row.queued_at <= clock.now() - outbox.LONGEST:
        _update(row, failure=Outgoing.Failure.TOO_OLD)
        counted.failed += 1


def _update(row: ConsoleMail | InvitationMail, **values: object) -> None:
    """Of a row that may be gone: an erasure does not wait for a mail server."""
    type(row)._default_manager.filter(pk=row.pk).update(**values)


def _next_time() -> datetime | None:
    """When the next one is due."""
    times = [
        model._default_manager.filter(outbox.waiting()).aggregate(first=Min("next_at"))["first"]
        for model in MODELS
    ]
    return min((time for time in times if time), default=None)


def _hang_up(line: BaseEmailBackend) -> None:
    with contextlib.suppress(OSError):
        line.close()


def _reason(error: OSError) -> str:
    """Without what the mail server said, which may hold an address."""
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__

"""Where sessions are kept: Django's own way, with the account in a column, so that they end with it.

A session ends 30 minutes after the last page and 12 hours after the sign-in, whichever is first.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils.crypto import constant_time_compare
from django.utils.http import base36_to_int

from server.accounts.models import Account, Session
from server.core import clock

IDLE_END = timedelta(minutes=30)
ABSOLUTE_END = timedelta(hours=12)
NOTED_EVERY = timedelta(minutes=1)
"""How exactly the time of the last page is kept: each note is a write."""
_KEY = re.compile("[a-z0-9]{32}")
STARTED, SEEN = "started", "seen"
PENDING = "account_login"
"""Where allauth keeps, in a session, who has typed a password and no code yet."""
OF_PASSWORD = "of-password"
"""Of a pending sign-in: a digest of the account's password as it was typed."""


class SessionStore(DatabaseStore):
    """The engine that settings name."""

    def __init__(self, session_key: str | None = None) -> None:
        """A cookie that holds no key of ours is none: PostgreSQL refuses to look for some."""
        super().__init__(session_key if session_key and _KEY.fullmatch(session_key) else None)

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Our own table."""
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """A row with the account that is signed in, or whose code is waited for, if any."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.account_id = int(data[SESSION_KEY]) if SESSION_KEY in data else _pending_account(data)
        return row


def begin(session: SessionBase) -> None:
    """Note the sign-in, from which the absolute end counts."""
    session.pop(OF_PASSWORD, None)
    session[STARTED] = session[SEEN] = clock.now().isoformat()


def note_password(session: SessionBase, account: Account) -> None:
    """Note which password was right, until the code is, too."""
    session[OF_PASSWORD] = account.get_session_auth_hash()


def waits_in_vain(session: SessionBase) -> bool:
    """Whether a code is waited for from an account that is gone, or has another password by now."""
    if PENDING not in session:
        return False
    account = Account.objects.filter(pk=_pending_account(session) or 0).first()
    noted = session.get(OF_PASSWORD, "")
    return account is None or not constant_time_compare(noted, account.get_session_auth_hash())


def goes_on(session: SessionBase) -> bool:
    """Whether a signed-in session may be used still. Notes that it was."""
    now = clock.now()
    started, seen = _time(session, STARTED), _time(session, SEEN)
    if started is None or seen is None:
        return False
    if not (started <= now < started + ABSOLUTE_END and now < seen + IDLE_END):
        return False
    if now >= seen + NOTED_EVERY:
        session[SEEN] = now.isoformat()
    return True


def end_all(account: Account) -> None:
    """End every session of the account, at once."""
    Session.objects.filter(account=account).delete()


def end_everybodys() -> None:
    """End all sessions: a restored backup may hold some that were ended since."""
    Session.objects.all().delete()


def end_others(account: Account, session: SessionBase) -> None:
    """End every session of the account but this one."""
    Session.objects.filter(account=account).exclude(pk=session.session_key).delete()


def delete_expired_sessions(*, dry_run: bool) -> int:
    """Delete sessions whose browser never came back. Answers how many."""
    expired = Session.objects.filter(expire_date__lte=clock.now())
    return expired.count() if dry_run else expired.delete()[0]


def _pending_account(data: Mapping[str, Any] | SessionBase) -> int | None:
    number = (data.get(PENDING) or {}).get("user_pk")
    return base36_to_int(number) if number else None


def _time(session: SessionBase, name: str) -> datetime | None:
    return datetime.fromisoformat(session[name]) if name in session else None

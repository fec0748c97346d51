"""What a person chooses for their own account."""

from django.db import transaction

from server.accounts import revoked
from server.accounts.models import Account
from server.audit import log
from server.database.transactions import tried_again
from server.erasure_ledger import ledger


def choose_language(account: Account, language: Account.Language) -> None:
    """The language of the console's pages for this person."""
    account.language = language.value
    account.save(update_fields=["language"])


def choose_mail(account: Account, *, wanted: bool) -> None:
    """Whether this person is told by e-mail that something waits for them."""
    account.wants_mail = wanted
    account.save(update_fields=["wants_mail"])


@tried_again
def choose_password(account: Account, password: str) -> Account | None:
    """Set another password. None where the account, or the password that was looked at, is no more.

    Raises `EnvironmentFault` when the erasure ledger cannot be written; nothing has changed then.
    """
    with transaction.atomic():
        locked = Account.objects.select_for_update(no_key=True).filter(pk=account.pk).first()
        if locked is None or locked.password != account.password:
            return None
        former = revoked.replaced(locked)
        locked.set_password(password)
        locked.save(update_fields=["password"])
        ledger.write([former])
        log.record(locked.company, locked.actor, "change-password")
    return locked

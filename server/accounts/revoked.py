"""What a restored backup must not bring back: accounts, passwords, second factors and links that let nobody in any more.

The erasure ledger keeps a digest of each, as it does of tokens.
"""

from collections.abc import Set

from allauth.mfa.models import Authenticator
from django.db import transaction

from server.accounts import second_factor, sessions
from server.accounts.attempts import forget_strangers
from server.accounts.models import Account, SignInLink
from server.erasure_ledger.ledger import Fact, token_digest


def removed(account: Account) -> Fact:
    """That the account is no more."""
    return Fact("access-revoked", account.company_id, token=_digest_of_account(account))


def replaced(account: Account) -> Fact:
    """That its present password lets nobody in any more."""
    return Fact("access-revoked", account.company_id, token=token_digest(account.password))


def second_factor_of(account: Account) -> list[Fact]:
    """That its present second factors and recovery codes let nobody in any more."""
    return [_factor(account, each) for each in second_factor.of(account)]


def app_of(account: Account) -> list[Fact]:
    """That its present app and recovery codes let nobody in any more."""
    return [_factor(account, each) for each in second_factor.app_of(account)]


def passkey(account: Account, found: Authenticator) -> Fact:
    """That this passkey lets nobody in any more."""
    return _factor(account, found)


def used(link: SignInLink) -> Fact:
    """That the link lets nobody in any more."""
    return Fact("access-revoked", link.account.company_id, token=token_digest(link.token_hash))


def revoke_again(tokens: Set[str]) -> int:
    """End what the ledger names and a backup brought back. Answers how many."""
    count = 0
    for link in SignInLink.objects.all():
        if token_digest(link.token_hash) in tokens:
            count += link.delete()[0]
    for account in Account.objects.all():
        if _digest_of_account(account) in tokens:
            account.delete()
        elif {token_digest(account.password), *_app_digests(account)} & tokens:
            # Of the app too: without it, whoever knows the password could set up their own.
            lock_out(account)
        else:
            count += _end_passkeys(account, tokens)
            continue
        count += 1
    forget_strangers()
    return count


def lock_out(account: Account) -> None:
    """End the password, the second factor and all sessions."""
    with transaction.atomic():
        account.set_unusable_password()
        account.save(update_fields=["password"])
        second_factor.switch_off(account)
        sessions.end_all(account)


def _end_passkeys(account: Account, tokens: Set[str]) -> int:
    """The app is there still, so nothing else has to end. Answers how many."""
    ended = [
        each.pk for each in second_factor.passkeys_of(account) if _factor_digest(account, each) in tokens
    ]
    return second_factor.of(account).filter(pk__in=ended).delete()[0]


def _app_digests(account: Account) -> list[str]:
    return [_factor_digest(account, each) for each in second_factor.app_of(account)]


def _factor(account: Account, factor: Authenticator) -> Fact:
    return Fact("access-revoked", account.company_id, token=_factor_digest(account, factor))


def _factor_digest(account: Account, factor: Authenticator) -> str:
    """By what stays the same while it is used."""
    return token_digest(f"factor {account.pk} {factor.type} {factor.created_at.isoformat()}")


def _digest_of_account(account: Account) -> str:
    return token_digest(f"account {account.company_id} {account.pk} {account.created_at.isoformat()}")

"""How accounts come and go: invited by a link that works once, reset by another one, removed."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from server.access.roles import Role, require_bindable
from server.accounts import revoked
from server.accounts.attempts import forget_strangers
from server.accounts.models import Account, SignInLink
from server.audit import log
from server.core import clock
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.devices.tokens import LONGEST_TOKEN, TOKEN_BYTES, token_hash
from server.directory.addresses import canonical
from server.directory.models import Company, Group
from server.erasure_ledger import ledger
from server.erasure_ledger.ledger import Fact
from server.people_files.cells import email_objection
from server.people_files.excerpts import excerpt

VALID_FOR = timedelta(hours=24)


def invite(company: Company, email: str, roles: Iterable[Role], actor: str) -> tuple[Account, str]:
    """A new account, and the token of its link, which is nowhere else. Raises `Refused`."""
    email = canonical(email)
    if objection := email_objection(email):
        raise Refused(_("{email} is no e-mail address").format(email=excerpt(email)), objection[0])
    given = set(roles)
    wanted = [str(role) for role in Role if role in given]
    with transaction.atomic():
        # First, as whoever changes people does: an erasure of this person goes before or after.
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        if Account.objects.filter(email=email).exists():
            raise Refused(
                _("{email} has an account already").format(email=email),
                _("For a new link: tidings-server console reset {email}").format(email=email),
            )
        account = Account(company=company, email=email, roles=wanted, created_at=clock.now())
        account.set_unusable_password()
        account.save()
        token = _new_link(account)
        log.record(company, actor, "invite-account", detail={"account": account.pk, "roles": wanted})
    return account, token


@tried_again
def bind(account: Account, groups: Sequence[Group] | None, actor: str) -> None:
    """Let the account address the people of these groups alone, and see what is for them; None: everybody, on record.

    Raises `Refused` for an account whose roles cannot be bound.
    """
    if groups is not None:
        require_bindable(account.roles)
    with transaction.atomic():
        locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        locked.is_bound = groups is not None
        locked.save(update_fields=["is_bound"])
        locked.bound_groups.set(groups or ())
        bound = None if groups is None else sorted(group.pk for group in groups)
        log.record(account.company, actor, "bind-account", detail={"account": account.pk, "groups": bound})


@tried_again
def reset(account: Account, actor: str) -> str:
    """A new link, whose token is answered. The password, the second factor and all sessions end.

    Raises `EnvironmentFault` when the erasure ledger cannot be written; nothing has changed then.
    """
    with transaction.atomic():
        account = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        facts = [
            revoked.replaced(account),
            *revoked.second_factor_of(account),
            *map(revoked.used, SignInLink.objects.filter(account=account)),
        ]
        revoked.lock_out(account)
        token = _new_link(account)
        ledger.write(facts)
        log.record(account.company, actor, "reset-account", detail={"account": account.pk})
    return token


def renew_link(account: Account) -> str:
    """The token of a new link for somebody who has not come in yet. The one before works no more."""
    with transaction.atomic():
        return _new_link(account)


def take_back_link(token: str) -> None:
    """End the link with this token: nobody was told it."""
    SignInLink.objects.filter(token_hash=token_hash(token)).delete()


@tried_again
def remove(account: Account, actor: str) -> None:
    """Delete the account, with its link, its second factor and its sessions. Raises `EnvironmentFault` as `reset` does."""
    with transaction.atomic():
        number, fact = account.pk, take_account_away(account)
        ledger.write([fact])
        log.record(account.company, actor, "remove-account", detail={"account": number})


def take_account_away(account: Account) -> Fact:
    """Delete the account as `remove` does, in the caller's transaction. Answers the fact to be written."""
    fact = revoked.removed(account)
    account.delete()
    forget_strangers()
    return fact


def follow_person(company: Company, before: str, email: str) -> None:
    """Let the account of a person whose address was corrected have the new one, in the caller's transaction.

    Where another account has it already, the old one stays: nobody gets two.
    """
    if not Account.objects.filter(email=email).exists():
        accounts_of(company).filter(email=before).update(email=canonical(email))


def end_of_people(company: Company, emails: Sequence[str]) -> list[Fact]:
    """Delete the accounts of people who are erased, and what they tried, in the caller's transaction.

    Answers a fact for each account, to be written.
    """
    accounts = accounts_of(company).select_for_update(no_key=True).filter(email__in=emails)
    facts = [revoked.removed(account) for account in accounts]
    accounts.delete()
    forget_strangers()
    return facts


def accounts_of(company: Company) -> QuerySet[Account]:
    """The company's accounts, oldest first."""
    return Account.objects.filter(company=company).order_by("pk")


def account_named(company: Company, email: str) -> Account:
    """The company's account with this address. Raises `Refused`."""
    account = accounts_of(company).filter(email=email).first() if "\0" not in email else None
    if account is None:
        raise Refused(
            _("{email} has no account").format(email=excerpt(email)),
            _("See: tidings-server console accounts."),
        )
    return account


def link_of(token: str) -> SignInLink | None:
    """The link with this token, while it is valid. Looking at it does not use it."""
    if len(token) > LONGEST_TOKEN:
        return None
    found = SignInLink.objects.select_related("account__company")
    return found.filter(token_hash=token_hash(token), expires_at__gt=clock.now()).first()


@tried_again
def use_link(token: str, password: str) -> Account | None:
    """Set the password of the link's account. None where it was used meanwhile: only one of two who try has it.

    Raises `EnvironmentFault` when the erasure ledger cannot be written; the link can be used still.
    """
    with transaction.atomic():
        link = link_of(token)
        if link is None:
            return None
        account = Account.objects.select_for_update(no_key=True).get(pk=link.account_id)
        if not SignInLink.objects.filter(pk=link.pk, token_hash=link.token_hash).delete()[0]:
            return None
        account.set_password(password)
        account.save(update_fields=["password"])
        ledger.write([revoked.used(link)])
        log.record(account.company, account.actor, "use-link")
    return account


def delete_expired_links(*, dry_run: bool) -> int:
    """Delete links that nobody used in time. Answers how many."""
    expired = SignInLink.objects.filter(expires_at__lte=clock.now())
    return expired.count() if dry_run else expired.delete()[0]


def _new_link(account: Account) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    SignInLink.objects.filter(account=account).delete()
    SignInLink.objects.create(
        account=account, token_hash=token_hash(token), expires_at=clock.now() + VALID_FOR
    )
    return token

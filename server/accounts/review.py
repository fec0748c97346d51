"""Who may do what is looked at every 90 days, account by account and token by token: keep it, or take it away.

The list is the table of rights itself, so nobody can be missing. Nobody decides about themselves.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Min, QuerySet, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from server.access.bound import scope_words
from server.access.models import AccessToken
from server.access.roles import Role, is_bindable
from server.access.tokens import take_token_away, tokens_of
from server.accounts.invitations import accounts_of, take_account_away
from server.accounts.models import Account
from server.accounts.second_factor import told_with, was_on
from server.audit import log
from server.core import clock
from server.core.errors import Refused
from server.database.transactions import tried_again
from server.directory.models import Company
from server.erasure_ledger import ledger
from server.erasure_ledger.ledger import Fact
from server.signing.digests import canonical_json

EVERY = timedelta(days=90)
TOLD_BEFORE = timedelta(days=14)
LONG_AGO = timedelta(days=60)
NUMBERS_AT_ONCE = 200
"""In one entry of the log, of each kind."""
COLUMNS = (
    "kind",
    "number",
    "name",
    "roles",
    "groups",
    "since",
    "signed_in_month",
    "second_factor",
    "ends",
    "reviewed",
)


class Decision(StrEnum):
    """What is done with an account or a token."""

    KEEP = "keep"
    TAKE = "take"


class Overtaken(Refused):
    """Who may do what is not what somebody looked at any more."""

    def __init__(self) -> None:
        super().__init__(_("Accounts or tokens have changed since you looked"), _("Look once more."))


@dataclass(frozen=True)
class Access:
    """One account or token. `groups`: to whose people it is bound, None: to nobody's, it may address everybody.

    `signed_in`: the month of the last sign-in; `ends`: of a token; `reviewed`: when it was kept.
    """

    kind: str
    number: int
    name: str
    roles: Sequence[str]
    groups: Sequence[str] | None
    since: datetime
    signed_in: date | None = None
    has_second_factor: bool = True
    ends: datetime | None = None
    reviewed: datetime | None = None

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.kind}-{self.number}"

    @property
    def is_account(self) -> bool:
        """Whether it is a person's account."""
        return self.kind == "account"

    @property
    def is_bindable(self) -> bool:
        """Whether it is a person's account that can be bound to groups."""
        return self.is_account and is_bindable(self.roles)

    @property
    def was_away_long(self) -> bool:
        """Whether nobody signed in to it in the last 60 days, counted from the end of the month that is known."""
        if not self.is_account or self.signed_in is None:
            return False
        return self.signed_in + timedelta(days=31) < (clock.now() - LONG_AGO).date()

    @property
    def row(self) -> Sequence[object]:
        """As `COLUMNS` has it."""
        signed_in = f"{self.signed_in:%Y-%m}" if self.signed_in else ""
        factor = ("yes" if self.has_second_factor else "no") if self.is_account else ""
        days = [one.date() if one else "" for one in (self.since, self.ends, self.reviewed)]
        return (
            self.kind,
            self.number,
            self.name,
            " ".join(self.roles),
            scope_words(self.groups, "everybody"),
            days[0],
            signed_in,
            factor,
            *days[1:],
        )


def access_in(company: Company) -> list[Access]:
    """Every account and every token that is valid, the oldest first. Four queries at most."""
    accounts = list(told_with(accounts_of(company)))
    tokens = list(tokens_of(company).filter(expires_at__gt=clock.now()))
    for several in (accounts, tokens):
        prefetch_related_objects([one for one in several if one.is_bound], "bound_groups")
    found = [
        Access(
            "account",
            account.pk,
            account.email,
            account.roles,
            account.group_names,
            account.created_at,
            account.signed_in_month,
            was_on(account),
            reviewed=account.reviewed_at,
        )
        for account in accounts
    ]
    return found + [
        Access(
            "token",
            token.pk,
            token.name,
            [token.role],
            token.group_names,
            token.created_at,
            ends=token.expires_at,
        )
        for token in tokens
    ]


def seal_of(found: Sequence[Access]) -> str:
    """Stands for who may do what: another one as soon as an account or a token comes, goes or has other roles or groups."""
    allowed = [[one.key, one.roles, one.groups] for one in found]
    return hashlib.sha256(canonical_json(allowed).encode()).hexdigest()


def due_for(account: Account) -> QuerySet[Account]:
    """The accounts that this one should look at by now, or within the next 14 days."""
    others = accounts_of(account.company).exclude(pk=account.pk)
    looked = others.annotate(looked_at=Coalesce("reviewed_at", "created_at"))
    return looked.filter(looked_at__lte=clock.now() - EVERY + TOLD_BEFORE)


def due_at(account: Account) -> datetime | None:
    """By when this account should look at the others; None where there are none."""
    others = accounts_of(account.company).exclude(pk=account.pk)
    oldest: datetime | None = others.aggregate(oldest=Min(Coalesce("reviewed_at", "created_at")))["oldest"]
    return oldest + EVERY if oldest else None


def due_among(found: Sequence[Access], account: Account) -> datetime | None:
    """The same, of what `access_in` has read."""
    own = f"account-{account.pk}"
    others = [one.reviewed or one.since for one in found if one.is_account and one.key != own]
    return min(others) + EVERY if others else None


@tried_again
def decide(account: Account, decisions: Mapping[str, str], seal: str) -> tuple[int, int]:
    """Keep or take away what `decisions` says, by `Access.key`. Answers how many of each.

    Raises `Overtaken`, also where the account itself went meanwhile, `Refused` where nobody would be left to administer or
    somebody decides about themselves, and `EnvironmentFault` as `remove` does; nothing has changed then.
    """
    company = account.company
    with transaction.atomic():
        # First, so that two who take each other away come one after the other.
        Company.objects.select_for_update(no_key=True).get(pk=company.pk)
        found = access_in(company)
        if seal != seal_of(found) or not accounts_of(company).filter(pk=account.pk).exists():
            raise Overtaken
        chosen = {
            decision: [one for one in found if decisions.get(one.key) == decision] for decision in Decision
        }
        taken, kept = chosen[Decision.TAKE], chosen[Decision.KEEP]
        _refuse(account, found, taken, kept)
        facts = [_take_away(company, one) for one in taken]
        numbers = [one.number for one in kept if one.is_account]
        accounts_of(company).filter(pk__among=numbers).update(reviewed_at=clock.now())
        ledger.write(
            facts
        )  # of all at once: what it says is done at the next start, whatever becomes of the rest
        for one in taken:
            action, name = ("remove-account", "account") if one.is_account else ("revoke-token", "token")
            log.record(company, account.actor, action, detail={name: one.number})
        _put_on_record(account, taken, kept)
    return len(kept), len(taken)


def _take_away(company: Company, one: Access) -> Fact:
    try:
        if one.is_account:
            return take_account_away(accounts_of(company).get(pk=one.number))
        return take_token_away(tokens_of(company).get(pk=one.number))
    except (Account.DoesNotExist, AccessToken.DoesNotExist) as gone:
        raise Overtaken from gone


def _refuse(
    account: Account, found: Sequence[Access], taken: Sequence[Access], kept: Sequence[Access]
) -> None:
    if f"account-{account.pk}" in {one.key for one in (*taken, *kept)}:
        raise Refused(_("This is your own account"), _("Somebody else decides about it."))
    administrators = [one for one in found if one.is_account and Role.ADMINISTRATOR in one.roles]
    # Who was invited and never came cannot let anybody in.
    able = {one.key for one in administrators if one.has_second_factor} or {one.key for one in administrators}
    if able and able <= {one.key for one in taken}:
        raise Refused(
            _("Nobody would be left to administer"),
            _("Invite another administrator first: tidings-server console invite EMAIL --role administrator"),
        )


def _put_on_record(account: Account, taken: Sequence[Access], kept: Sequence[Access]) -> None:
    """In entries of no more than the log takes at once."""
    said = [(name, one) for name, several in (("kept", kept), ("taken", taken)) for one in several]
    for start in range(0, len(said), NUMBERS_AT_ONCE):
        detail: dict[str, list[str]] = {}
        for name, one in said[start : start + NUMBERS_AT_ONCE]:
            detail.setdefault(name, []).append(one.key)
        log.record(account.company, account.actor, "decide-access", detail=detail)

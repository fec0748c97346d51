"""Who is a second person: another account than those that asked; and where one of these is gone, none that is younger.

Somebody whose account is gone may have a new one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from server.access.roles import Right
from server.accounts.models import Account


@dataclass(frozen=True)
class Askers:
    """The accounts that asked for something, as far as they are there.

    `since`: when that was; None where it is not known. `is_one_gone`: whether there were more of them.
    """

    accounts: Collection[int | None]
    since: datetime | None
    is_one_gone: bool

    @classmethod
    def one(cls, account: Account | None, since: datetime) -> "Askers":
        """What one account asked for, which is gone where it is None."""
        return cls([account.pk] if account is not None else [], since, account is None)

    def has_second(self, account: Account) -> bool:
        """Whether this one is a second person for it."""
        is_old_enough = self.since is not None and account.created_at <= self.since
        return account.pk not in self.accounts and (is_old_enough or not self.is_one_gone)


def second_for(account: Account, by: str, at: str) -> Q:
    """Rows for which the account is a second person, by their columns of who asked, and when."""
    return ~Q(**{by: account}) & ~(Q(**{by: None}) & younger(account, at))


def younger(account: Account, at: str) -> Q:
    """Rows of before the account, by the column that says since when they are."""
    return Q(**{at: None}) | Q(**{f"{at}__lt": account.created_at})


def others_with(right: Right, account: Account) -> list[Account]:
    """The other accounts of the account's company that have the right."""
    others = Account.objects.filter(company=account.company_id).exclude(pk=account.pk)
    return [other for other in others if right in other.rights]

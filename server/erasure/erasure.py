"""Erase people: every row about them, in every table (GDPR article 17)."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from server.accounts.invitations import end_of_people
from server.accounts.models import Account
from server.core import under_way
from server.core.progress import Bar, Tick, no_bar
from server.database.transactions import Pieces
from server.directory.addresses import canonical
from server.directory.models import ALL_SIGNALS, Company, Person
from server.erasure.models import ErasureRequest
from server.erasure_ledger import ledger
from server.erasure_ledger.ledger import Fact
from server.reports import blocks
from server.signals.keys import KEYS_AT_ONCE, many_keys
from server.signals.models import CampaignKey, Signal

PEOPLE_AT_ONCE = 500
PEOPLE_IN_A_PIECE = 100
"""Of one transaction: each may have a row in every campaign."""
ORDER = "erasure"

_log = logging.getLogger(__name__)

_Item = TypeVar("_Item")


def find_people(company: Company, emails: Iterable[str]) -> tuple[dict[str, UUID], list[str]]:
    """The people with these addresses, by canonical address, and the addresses that nobody has, as they were given."""
    wanted = {canonical(email): email for email in emails}
    found: dict[str, UUID] = {}
    for some in _chunks(list(wanted)):
        # PostgreSQL refuses texts with a NUL, which no address has.
        rows = Person.objects.filter(company=company, email__in=[one for one in some if "\0" not in one])
        found.update(rows.values_list("email", "pk"))
    return found, [given for address, given in wanted.items() if address not in found]


def erase(company: Company, people: Sequence[UUID], title: str = "", bar: Bar = no_bar) -> dict[str, int]:
    """Delete these people and everything about them. Answers how many rows went, by table.

    It is kept as an order first (`server.core.under_way`) and then done in short transactions, so that others get their turn:
    where it is interrupted, housekeeping erases the others. Tokens end with the rows, so that nothing can come after. The
    erasure ledger keeps that they were erased, so that a restored backup does not bring them back. `title` and `bar`
    show how far it has come.
    Raises `EnvironmentFault` when the data folder or the ledger cannot be written; an order that was begun stands then.
    """
    with under_way.order(ORDER, f"{company.pk}.{uuid4().hex}") as order:
        order.begin(json.dumps([person.hex for person in people]).encode())
        erased = _carry_out(company, people, bar(title, len(people)))
        order.done()
    return erased


def finish_erasures() -> int:
    """Carry out the erasures that were interrupted. Answers of how many people. Raises `EnvironmentFault`."""
    finished = 0
    for name in under_way.interrupted(ORDER):
        with under_way.order(ORDER, name) as order:
            company = Company.objects.filter(pk=name.partition(".")[0]).first()
            people = [UUID(person) for person in json.loads(order.content or b"[]")]
            if company is not None:
                finished += _carry_out(company, people, lambda _reached: None).get(Person._meta.label, 0)
            order.done()
    return finished


def _carry_out(company: Company, people: Sequence[UUID], tick: Tick) -> dict[str, int]:
    pieces = Pieces()
    erased: Counter[str] = Counter()
    reached = 0
    for some in at_once(company, people):
        with pieces.piece():
            rows, gone, accounts = erase_rows(company, some)
            people_gone = (
                Fact("person-erased", company.pk, person=ledger.person_hash(person)) for person in gone
            )
            ledger.write([*people_gone, *accounts])
        erased.update(rows)
        reached += len(some)
        tick(reached)
    # Of those who asked for it in the console.
    ErasureRequest.objects.filter(company=company, people=None).delete()
    transaction.on_commit(empty_write_ahead_log)
    return dict(sorted(erased.items()))


def at_once(company: Company, people: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """The people of one short transaction after the other: fewer where more campaigns are open."""
    keys = CampaignKey.objects.filter(campaign__company=company).count()
    return _chunks(sorted(people), max(1, min(PEOPLE_IN_A_PIECE, 5 * KEYS_AT_ONCE // max(1, keys))))


def erase_rows(company: Company, people: Sequence[UUID]) -> tuple[dict[str, int], list[UUID], list[Fact]]:
    """Delete the rows, within the caller's transaction.

    Answers how many went by table, who was there at all, and facts of their accounts: a backup may hold an account that is
    older than its person.
    """
    erased: Counter[str] = Counter()
    accounts: list[Fact] = []
    # First, as imports and corrections do: it is written at the end, and two that wait for each other both fail.
    Company.objects.select_for_update(no_key=True).filter(pk=company.pk).values_list("pk").first()
    # In this order, so that no batch can store a row between the two: it needs the person's row.
    locked = [person for some in _chunks(sorted(people)) for person in _lock(company, some)]
    blocks.leave(locked, company.pk, ALL_SIGNALS, erased=True)
    for some in _chunks(locked):
        erased.update(_erase_signals(company, some))
        accounts += _end_accounts(company, some)
        erased.update(Person.objects.filter(pk__in=some).delete()[1])
    erased[Account._meta.label] += len(accounts)
    company.feeds_changed()
    return {table: rows for table, rows in sorted(erased.items()) if rows}, locked, accounts


def empty_write_ahead_log() -> None:
    """Take erased rows out of SQLite's write-ahead log, which holds them until it is overwritten. Outside of transactions.

    Readers that do not let go within the connection's time-out are left alone: the next housekeeping does it then.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = bool(cursor.fetchone()[0])
    if busy:
        _log.warning(
            "The write-ahead log is in use: it keeps erased rows until housekeeping next empties it."
        )


def _lock(company: Company, people: Sequence[UUID]) -> list[UUID]:
    rows = Person.objects.select_for_update().filter(company=company, pk__in=people)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _erase_signals(company: Company, people: Sequence[UUID]) -> Counter[str]:
    keys = CampaignKey.objects.filter(campaign__company=company).filter(
        Exists(Signal.objects.filter(campaign=OuterRef("campaign")))
    )
    erased: Counter[str] = Counter()
    for named in many_keys(people, keys):
        erased.update(Signal.objects.filter(person_key__among=named).delete()[1])
    return erased


def _end_accounts(company: Company, people: Sequence[UUID]) -> list[Fact]:
    """Of the console, which knows people by their addresses."""
    return end_of_people(company, list(Person.objects.filter(pk__in=people).values_list("email", flat=True)))


def _chunks(items: Sequence[_Item], size: int = PEOPLE_AT_ONCE) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]

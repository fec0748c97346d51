"""Erase people: every row about them, in every table (GDPR article 17)."""

from collections import Counter
from uuid import UUID

from django.db import connection, transaction

from server.directory.models import Company, Person
from server.signals.keys import person_key
from server.signals.models import CampaignKey, Signal

PEOPLE_AT_ONCE = 200


def erase(company: Company, people: list[UUID]) -> dict[str, int]:
    """Delete these people and everything about them. Answers how many rows went, by table.

    Tokens end with the rows, so that nothing can come after. SQLite's write-ahead log is emptied, too: it would hold
    the rows until it is next overwritten.
    """
    erased: Counter[str] = Counter()
    with transaction.atomic():
        # In this order, so that no batch can store a row between the two: it needs the person's row.
        locked = list(
            Person.objects.select_for_update()
            .filter(company=company, pk__in=people)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        for start in range(0, len(locked), PEOPLE_AT_ONCE):
            erased += _erase_signals(company, locked[start : start + PEOPLE_AT_ONCE])
        _total, by_model = Person.objects.filter(pk__in=locked).delete()
        erased.update(by_model)
        company.feeds_changed()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return dict(sorted((table, rows) for table, rows in erased.items() if rows))


def _erase_signals(company: Company, people: list[UUID]) -> Counter[str]:
    keys = CampaignKey.objects.filter(campaign__company=company).values_list("campaign_id", "key")
    erased: Counter[str] = Counter()
    for campaign_id, key in keys:
        rows = Signal.objects.filter(
            campaign_id=campaign_id, person_key__in=[person_key(key, person) for person in people]
        )
        erased.update(rows.delete()[1])
    return erased

"""Two acts that wait for each other on PostgreSQL: none of them fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from server.attention.budget import set_budget
from server.audit import log
from server.database.transactions import tried_again
from server.directory.models import Company
from server.publishing.recall import recall
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.both_databases

SOON_S = 15


@pytest.mark.parametrize("act", ["recall", "set-budget"])
@pytest.mark.only_on("postgresql")
def test_who_looks_at_a_page_on_record_keeps_nobody_from_acting(northwind: ServerHome, act: str) -> None:
    """An entry of the log wants the company's row at its very end, when who acts holds it and wants the log."""
    bulk_data.add_people(1)
    bulk_data.publish("c-news")
    company = bulk_data.company()
    acts = {
        "recall": lambda: recall(company, "c-news", "test"),
        "set-budget": lambda: set_budget(company, 9, Company.OverBudget.NOTE, "test"),
    }

    def acted() -> None:
        try:
            acts[act]()
        finally:
            connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            return bool(cursor.fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            log.record(company, "reader", "read-reports")
            acting = pool.submit(acted)
            until(waits, "somebody who waits for the log")
        acting.result(SOON_S)
    Company.objects.update(popups_per_week=3)


@pytest.mark.only_on("postgresql")
def test_an_act_that_the_database_ended_for_anothers_sake_is_done_again(northwind: ServerHome) -> None:
    first, second = (
        Company.objects.create(id=name, name=name, legal_name=name, region="eu") for name in "ab"
    )
    together, tries = Barrier(2), []

    @tried_again
    def rename(one: Company, other: Company) -> None:
        tries.append(one.pk)
        with transaction.atomic():
            Company.objects.filter(pk=one.pk).update(name="new")
            if len(tries) <= 2:
                together.wait(PATIENCE_S)
            Company.objects.filter(pk=other.pk).update(legal_name="new")

    def renamed(one: Company, other: Company) -> None:
        try:
            rename(one, other)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(renamed, (first, second), (second, first)))
    assert len(tries) == 3
    done = Company.objects.filter(name="new", legal_name="new")
    assert done.count() == 2
    done.delete()

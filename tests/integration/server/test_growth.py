"""What a command or a call costs does not grow with the company: queries are counted, at few and at ten times as many."""

from __future__ import annotations

import contextlib
import json
import os
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from server.acknowledgements.listing import acknowledgements
from server.archives.deleting import delete_rows, lock_out
from server.audit import chain_heads, log
from server.campaigns.models import Campaign
from server.core import clock, under_way
from server.devices.models import Device
from server.directory.models import Group, Person
from server.erasure.erasure import erase
from server.erasure_ledger import ledger
from server.people_files.cells import PersonRow
from server.people_files.kept_rows import KeptRows
from server.people_files.text_files import records
from server.reports import blocks
from server.reports.blocks import form
from server.reports.figures import report
from server.reports.models import Block
from server.reports.snapshots import make_if_due, newest
from server.reports.tallies import counted
from server.retention.campaign_closing import close, sweep
from server.retention.housekeeping import JOBS
from server.signals.models import Consent, Signal
from tests.support.server import bulk_data, large_company
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.commands import succeeded, tidings_server
from tests.support.server.run_command import run_command
from tests.support.server.wire import an_hour_ago

pytestmark = pytest.mark.both_databases

FEW, MANY = 2, 12


@pytest.fixture(autouse=True)
def no_ledger(northwind: ServerHome) -> Iterator[None]:
    ledger.LedgerState.objects.get_or_create(pk=1)
    yield
    ledger.path().unlink(missing_ok=True)
    ledger.LedgerState.objects.all().delete()


def _queries(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def _publish(first: int, last: int) -> list[Campaign]:
    return [bulk_data.publish(f"c-{number}", starts=an_hour_ago()) for number in range(first, last)]


def _reported(people: list[Person], campaigns: list[Campaign]) -> None:
    """Five of a cohort share, and the campaigns have figures about them."""
    life.share_all(people)
    for campaign in campaigns:
        assert report(campaign).figures[0].sharing


def test_a_withdrawal_costs_the_same_however_many_campaigns_are_open(northwind: ServerHome) -> None:
    people = bulk_data.add_people(10)
    costs = []
    for first, last in ((0, FEW), (FEW, MANY)):
        _publish(first, last)
        receipt = life.give(people[0])
        for campaign in Campaign.objects.all():
            assert life.act(people[0], campaign, receipt) == "stored"
        costs.append(_queries(lambda receipt=receipt: life.withdraw(people[0], receipt)))  # type: ignore[misc]
        assert not Signal.objects.exists()
    assert costs[0] == costs[1]


def test_an_erasure_costs_the_same_however_many_campaigns_have_figures(northwind: ServerHome) -> None:
    people = bulk_data.add_people(13)
    _reported(people[:6], _publish(0, FEW))
    costs = [_queries(lambda: erase(bulk_data.company(), [people[-1].pk]))]
    _reported(people[6:11], _publish(FEW, MANY))
    costs.append(_queries(lambda: erase(bulk_data.company(), [people[-2].pk])))
    # Blocks that go are changed by the five hundred, whatever campaign they are of.
    assert costs[0] == costs[1]


def test_the_list_of_campaigns_counts_everybody_once(northwind: ServerHome) -> None:
    costs = []
    for first, last in ((0, FEW), (FEW, MANY)):
        bulk_data.add_people(last - first, "Everyone")
        _publish(first, last)
        bulk_data.publish(f"c-group-{last}", starts=an_hour_ago(), groups=["Everyone"])
        costs.append(_queries(lambda: succeeded("campaign", "list")))
    assert costs[0] == costs[1]


def test_each_campaign_of_the_list_has_the_people_of_all_its_groups_once(northwind: ServerHome) -> None:
    people = bulk_data.add_people(9, "A")
    other = Group.objects.create(company=bulk_data.company(), name="B")
    other.people.add(*people[6:])
    bulk_data.add_people(4, "B")
    bulk_data.publish("c-all", starts=an_hour_ago())
    bulk_data.publish("c-a", starts=an_hour_ago(), groups=["A"])
    only_groups = json.loads(succeeded("campaign", "list", "--json"))
    assert {row["campaign_id"]: row["people"] for row in only_groups} == {"c-all": 13, "c-a": 9}
    bulk_data.publish("c-both", starts=an_hour_ago(), groups=["A", "B"])
    bulk_data.publish("c-named", starts=an_hour_ago(), people=people[:2])
    bulk_data.publish("c-mixed", starts=an_hour_ago(), groups=["B"], people=people[5:8])
    told = json.loads(succeeded("campaign", "list", "--json"))
    assert {row["campaign_id"]: row["people"] for row in told} == {
        "c-all": 13,
        "c-a": 9,
        "c-both": 13,
        "c-named": 2,
        "c-mixed": 8,
    }


def test_a_closing_that_was_cut_off_after_the_key_went_leaves_no_row(northwind: ServerHome) -> None:
    from server.retention.housekeeping import housekeeping

    person = bulk_data.add_people(1)[0]
    (campaign,) = _publish(0, 1)
    assert life.act(person, campaign, life.give(person)) == "stored"
    kept = list(Signal.objects.all())
    with clock.using(lambda: campaign.ends + timedelta(days=29)):
        assert close(campaign)
        Signal.objects.bulk_create(kept)  # as if the closing had ended before it deleted them
        housekeeping()
    assert not Signal.objects.exists()


def test_a_campaign_of_which_nothing_came_in_closes_without_looking_at_anybody(northwind: ServerHome) -> None:
    costs = []
    for campaign in _publish(0, 2):
        life.share_all(bulk_data.add_people(12))
        with clock.using(lambda: bulk_data.STARTS + timedelta(days=365)):
            costs.append(_queries(partial(close, campaign)))
        assert campaign.result is not None
        assert campaign.result["figures"][0]["sharing"] is None
    assert costs[0] == costs[1]


def test_a_campaign_that_was_counted_after_its_end_closes_without_looking_at_everybody(
    northwind: ServerHome,
) -> None:
    costs = []
    people = bulk_data.add_people(12)
    receipts = life.share_all(people)
    for campaign in _publish(0, 2):
        assert life.act(people[0], campaign, receipts[people[0].pk]["seen"]) == "stored"
        with clock.using(lambda campaign=campaign: campaign.ends + timedelta(days=2)):  # type: ignore[misc]
            assert make_if_due(campaign)
        with clock.using(lambda: bulk_data.STARTS + timedelta(days=365)):
            costs.append(_queries(partial(close, campaign)))
        assert campaign.result is not None
        assert campaign.result["figures"][0]["sharing"]
        # Of several hundred cohorts; here it is one more.
        receipts |= life.share_all(bulk_data.add_people(130))
    assert costs[0] == costs[1]


def test_a_page_of_figures_costs_the_same_however_many_groups_and_people_it_is_about(
    northwind: ServerHome,
) -> None:
    costs = []
    (first,) = _publish(0, 1)
    for day, groups in ((2, 1), (4, 6)):
        for group in range(groups):
            people = bulk_data.add_people(12, f"G{day}-{group}")
            receipts = life.share_all(people)
            for person in people:
                assert life.act(person, first, receipts[person.pk]["seen"]) == "stored"
        with clock.using(lambda day=day: first.starts + timedelta(days=day)):  # type: ignore[misc]
            assert make_if_due(first)
        campaign = Campaign.objects.select_related("company").get(pk=first.pk)
        costs.append(_queries(partial(newest, campaign)))
        assert len(newest(campaign).groups) >= groups
    assert costs[0] == costs[1]


def test_a_snapshot_looks_at_no_cohort_of_which_nobody_new_can_be_counted(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "COHORTS_AT_ONCE", 1)
    costs = []
    for number, people in enumerate((60, 240)):
        life.share_all(bulk_data.add_people(people))
        # Of a cohort of others some share, but not as many as can be counted.
        life.share_all(bulk_data.add_people(30, f"G{number}")[:4])
        (campaign,) = _publish(number, number + 1)
        form(campaign)
        formed = Block.objects.filter(campaign=campaign).count()
        assert formed >= people // 20
        costs.append(_queries(partial(form, campaign)))
        assert Block.objects.filter(campaign=campaign).count() == formed
    assert costs[0] == costs[1]


def test_a_cohort_is_looked_at_again_when_enough_people_of_it_share(northwind: ServerHome) -> None:
    people = bulk_data.add_people(24)
    life.share_all(people[:6])
    (campaign,) = _publish(0, 1)
    assert report(campaign).figures[0].sharing == 6
    life.share_all(people[6:10])
    assert report(campaign).figures[0].sharing == 6
    life.share_all(people[10:11])
    assert report(campaign).figures[0].sharing == 11


# --- Work of the database ------------------------------------------------------------------------------


def _steps(act: Callable[[], object]) -> int:
    """How many hundreds of steps SQLite takes to find rows."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    def counted(execute: Callable[..., object], sql: str, *more: object) -> object:
        connection.connection.set_progress_handler(step if sql.startswith("SELECT") else None, 100)
        try:
            return execute(sql, *more)
        finally:
            connection.connection.set_progress_handler(None, 0)

    with connection.execute_wrapper(counted):
        act()
    return steps


@pytest.mark.only_on("sqlite")
def test_a_page_is_not_added_up_from_all_blocks(northwind: ServerHome) -> None:
    costs = []
    for number, people in enumerate((60, 600)):
        added = bulk_data.add_people(people)
        receipts = life.share_all(added)
        (campaign,) = _publish(number, number + 1)
        for person in added[:60]:
            assert life.act(person, campaign, receipts[person.pk]["seen"]) == "stored"
        with clock.using(lambda campaign=campaign: campaign.starts + timedelta(days=2)):  # type: ignore[misc]
            assert make_if_due(campaign)
        assert newest(campaign).figures[0].sharing
        costs.append(_steps(partial(newest, campaign)))
    assert costs[1] <= costs[0] + 1


@pytest.mark.only_on("sqlite")
def test_a_snapshot_of_ten_times_as_many_signals_is_ten_times_the_work(northwind: ServerHome) -> None:
    """Members of blocks find their signals by an index: another plan looks at all signals for each of them."""
    costs = []
    for number, people in enumerate((40, 400)):
        added = bulk_data.add_people(people)
        life.share_all(added, large_company.SIGNALS)
        (campaign,) = _publish(number, number + 1)
        form(campaign)
        large_company.signals(campaign, [person.pk for person in added])
        costs.append(_steps(lambda campaign=campaign: list(counted(campaign))))  # type: ignore[misc]
    assert costs[1] <= 12 * costs[0]


def _share(people: list[Person], times: int = 1, signals: Sequence[str] = ("seen",)) -> None:
    """As `life.share_all`, without receipts; once, or again and again."""
    version, now = bulk_data.company().notice_version(), an_hour_ago()
    large_company.store(
        Consent(
            person=person, receipt_id=uuid4(), signal=signal, status="given", notice_version=version, time=now
        )
        for _time in range(times)
        for person in people
        for signal in signals
    )


@pytest.mark.only_on("sqlite")
def test_a_campaign_to_few_is_counted_without_looking_at_the_cohorts_of_all_others(
    northwind: ServerHome,
) -> None:
    costs = []
    for number, others in enumerate((30, 300)):
        few = bulk_data.add_people(20, f"Few {number}")
        _share([*few, *bulk_data.add_people(others)])
        form(bulk_data.publish(f"c-before-{number}", starts=an_hour_ago()))  # forms the cohorts
        campaign = bulk_data.publish(f"c-{number}", starts=an_hour_ago(), groups=[f"Few {number}"])
        costs.append(_steps(partial(form, campaign)))
        assert Block.objects.filter(campaign=campaign).count()
    assert costs[1] <= 1.5 * costs[0]


@pytest.mark.only_on("sqlite")
def test_a_campaign_to_ten_times_as_many_by_groups_is_counted_with_ten_times_the_work(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many times at once cohorts are looked at: neither the audience nor what was drawn is read each time."""
    monkeypatch.setattr(blocks, "COHORTS_AT_ONCE", 1)
    costs = []
    for number, people in enumerate((60, 600)):
        _share(bulk_data.add_people(people, f"G{number}"))
        form(bulk_data.publish(f"c-before-{number}", starts=an_hour_ago()))
        campaign = bulk_data.publish(f"c-{number}", starts=an_hour_ago(), groups=[f"G{number}"])
        costs.append(_steps(partial(form, campaign)))
        assert Block.objects.filter(campaign=campaign).count() >= people // 20
    assert costs[1] <= 13 * costs[0]


def test_who_shares_is_looked_up_once_for_the_first_figures_of_a_campaign(northwind: ServerHome) -> None:
    _share(bulk_data.add_people(60))
    (campaign,) = _publish(0, 1)
    with CaptureQueriesContext(connection) as captured:
        form(campaign)
    assert Block.objects.filter(campaign=campaign).count()
    assert sum("signals_consent" in query["sql"] for query in captured.captured_queries) == 1


@pytest.mark.only_on("sqlite")
def test_consents_that_people_gave_again_and_again_are_not_compared_with_each_other(
    northwind: ServerHome,
) -> None:
    """Only with withdrawals, of which the index knows."""
    costs = []
    for times in (4, 16):
        _share(bulk_data.add_people(30, f"{times} times"), times, large_company.SIGNALS)
        form(bulk_data.publish(f"c-before-{times}", starts=an_hour_ago()))
        campaign = bulk_data.publish(f"c-{times}", starts=an_hour_ago(), groups=[f"{times} times"])
        costs.append(_steps(partial(form, campaign)))
        assert Block.objects.filter(campaign=campaign).count()
    assert costs[1] <= 1.5 * 4 * costs[0]


def test_the_rows_of_a_closed_campaign_go_in_few_large_pieces(northwind: ServerHome) -> None:
    costs = []
    for number, people in enumerate((20, 600)):
        added = bulk_data.add_people(people)
        _share(added)
        (campaign,) = _publish(number, number + 1)
        form(campaign)
        large_company.signals(campaign, [person.pk for person in added])
        assert Signal.objects.filter(campaign=campaign).count() == 3 * people
        costs.append(_queries(partial(sweep, campaign)))
        assert not Signal.objects.exists()
        assert not Block.objects.exists()
    assert costs[0] == costs[1]


@pytest.mark.only_on("sqlite")
def test_rows_that_are_deleted_are_not_looked_for_among_all_again_and_again(northwind: ServerHome) -> None:
    """Signals of a company that closes, and computers and invitations that housekeeping deletes among many that stay."""
    costs = []
    for count in (1000, 4000):
        ids = [person.pk for person in bulk_data.add_people(count)]
        (campaign,) = _publish(count, count + 1)
        large_company.signals(campaign, ids, ("seen",))
        large_company.invitations(ids, clock.now() + timedelta(days=9))
        large_company.invitations(ids, an_hour_ago())
        costs.append(
            (
                _steps(lambda: next(one for one in JOBS if one.name == "delete-invitations").run(False)),
                _steps(lambda: delete_rows("northwind")),
            )
        )
        assert not Signal.objects.exists()
        chain_heads.forget("northwind")
        northwind.init()
    for few, many in zip(*costs, strict=True):
        assert many / few < 1.5 * 4


@pytest.mark.only_on("postgresql")
def test_before_all_rows_are_read_postgresql_looks_how_many_there_are(
    northwind: ServerHome, tmp_path: Path
) -> None:
    """Of tables that it knows nothing about it compared each row with each of another: 100,000 people with their consents."""
    with connection.cursor() as cursor:
        for table in ("signals_consent", "directory_person"):
            cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
            cursor.execute("UPDATE pg_class SET reltuples = -1 WHERE relname = %s", [table])
    _share(bulk_data.add_people(1500))
    assert set(_rows_known().values()) == {-1}
    assert tidings_server("company", "export", tmp_path / "company.zip").returncode == 0
    assert _rows_known() == {"signals_consent": Consent.objects.count(), "directory_person": 1500}


def _rows_known() -> dict[str, float]:
    """How many rows PostgreSQL takes each table for; -1 where it never looked (its manual, pg_class)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname IN ('signals_consent', 'directory_person')"
        )
        return dict(cursor.fetchall())


# --- Memory -------------------------------------------------------------------------------------------

FEW_ROWS, MANY_ROWS = 750, 2250
LISTS = (
    ("device", "list"),
    ("device", "list", "--json"),
    ("corrections", "list"),
    ("corrections", "list", "--json"),
    ("audit", "show", "--last", "1000000"),
    ("audit", "export"),
    ("audit", "verify"),
    ("ledger", "verify"),
)


def _most_memory(act: Callable[[], object]) -> int:
    """Bytes that Python held at most, while it was done a second time."""
    act()
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_list_takes_the_same_memory_however_long_it_is(northwind: ServerHome) -> None:
    owner, most = bulk_data.company(), []
    for count in (FEW_ROWS, MANY_ROWS - FEW_ROWS):
        ids = [person.pk for person in bulk_data.add_people(count)]
        large_company.computers(ids)
        large_company.corrections(ids)
        log.record(owner, "test", "begin")
        large_company.audit_entries(owner, count)
        large_company.erased_before(owner, count)
        most.append({words: _most_memory(partial(_to_nowhere, *words)) for words in LISTS})
    few, many = most
    assert {words: many[words] / few[words] for words in LISTS if many[words] > 2 * few[words]} == {}


def _to_nowhere(*words: str | Path) -> None:
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        assert run_command(*words) == 0


def test_the_lines_of_a_file_and_the_order_to_import_them_are_not_held_twice(northwind: ServerHome) -> None:
    """Of 250,000 people it was 380 MB. An order is what the file says, and is on the disk before anybody is changed."""
    text = "".join(f"p{number}@northwind.example,Prénom,Engineer\r\n" for number in range(20_000))
    rows = KeptRows(PersonRow(number, f"p{number}@northwind.example", {}, None) for number in range(10_000))

    def read() -> None:
        assert sum(1 for _line in records(text, ",")) == 20_000

    def order() -> None:
        with under_way.order("people", "northwind") as ordered:
            ordered.begin(rows.content())
            ordered.done()

    assert _most_memory(read) < len(text) / 10
    assert _most_memory(order) < len(rows.content()) / 10


def test_who_confirmed_a_campaign_of_few_is_told_without_reading_everybody(northwind: ServerHome) -> None:
    few = bulk_data.add_people(3, "Few")
    campaign = bulk_data.publish("c-few", starts=an_hour_ago(), people=few, acknowledge=True)
    large_company.acknowledgements(campaign, [few[0].pk])
    most = []
    for count in (FEW_ROWS, MANY_ROWS - FEW_ROWS):
        bulk_data.add_people(count)
        most.append(_most_memory(lambda: acknowledgements(campaign)))
        assert [one.email for one in acknowledgements(campaign).people] == [person.email for person in few]
    assert most[1] < 1.5 * most[0]


def test_ending_all_tokens_of_a_company_names_few_rows_in_each_statement(northwind: ServerHome) -> None:
    """PostgreSQL takes 65,535 values in one, which a company of 100,000 computers would go over."""
    owner, most = bulk_data.company(), [0]
    large_company.computers([person.pk for person in bulk_data.add_people(1_200)])

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        most[0] = max(most[0], len(params or ()))
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(look):
            ended = lock_out(owner.pk)
        assert not Device.objects.exists()
        transaction.set_rollback(True)
    assert most[0] <= 500
    assert ended["delivery.device"] == 1_200

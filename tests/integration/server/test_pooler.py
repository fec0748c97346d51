"""PgBouncer in transaction mode between the server and PostgreSQL: each transaction may have another connection."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from server.archives.exporting import export_company
from server.campaigns.models import Campaign
from server.directory.models import Person
from server.people_files.cells import PersonRow
from server.people_files.upsert import import_people
from server.reports.figures import report
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.poolers import pooled
from tests.support.server.postgres import PostgresCluster
from tests.support.server.wire import an_hour_ago, event, give, send


@pytest.fixture
def home(postgres_cluster: PostgresCluster, tmp_path: Path) -> Iterator[ServerHome]:
    with pooled(postgres_cluster.new_database()) as url:
        made = ServerHome(tmp_path / "server", url)
        made.init()
        yield made


def test_a_server_behind_a_pooler_serves_polls_signals_and_withdrawals(home: ServerHome) -> None:
    with home.opened():
        people = bulk_data.add_people(12)
        campaign = bulk_data.publish("c-1", starts=an_hour_ago())
        with home.running(workers=2) as server, ThreadPoolExecutor(6) as together:
            computers = [bulk_data.connect(server, person.email) for person in people[:6]]

            def use(number: int) -> set[int]:
                computer = computers[number]
                answers = {computer.get("/feed").status_code for _ in range(12)}
                assert send(computer, event("seen", "c-1", give(computer, "seen"))) == ["stored"]
                return answers | {computer.get("/me").status_code}

            assert set().union(*together.map(use, range(6))) == {200}
        assert report(campaign).figures[0].people == 6
        assert home.command("check").stderr == ""


def test_long_work_behind_a_pooler_is_whole(home: ServerHome, tmp_path: Path) -> None:
    with home.opened():
        rows = [PersonRow(n + 2, f"n{n}@northwind.example", {}, ("All",)) for n in range(700)]
        with ThreadPoolExecutor(2) as together:
            publishing = together.submit(_publish, 10)
            import_people(bulk_data.company(), rows, dry_run=False)
            assert import_people(bulk_data.company(), rows, dry_run=True).unchanged == 700
            publishing.result(timeout=60)
        export_company(bulk_data.company(), tmp_path / "northwind.zip")
        assert (Person.objects.count(), Campaign.objects.count()) == (700, 10)
        life.share_all(Person.objects.all()[:6])
        for campaign in Campaign.objects.all():
            report(campaign)


def _publish(count: int) -> None:
    try:
        for number in range(count):
            bulk_data.publish(f"c-{number}", starts=an_hour_ago())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("mode", "mark", "said"),
    [
        ("session", "✓", "keeps transactions together"),
        ("transaction", "✓", "keeps transactions together"),
        ("statement", "✗", "Set pool_mode = transaction"),
    ],
)
def test_check_says_that_there_is_a_pooler_and_whether_its_mode_works(
    postgres_cluster: PostgresCluster, tmp_path: Path, mode: str, mark: str, said: str
) -> None:
    database = postgres_cluster.new_database()
    ServerHome(tmp_path / "server", database).init()
    with pooled(database, mode=mode) as url:
        checked = ServerHome(tmp_path / "server", url).command("check")
    assert "Traceback" not in checked.stderr
    (line,) = [line for line in checked.stdout.splitlines() if "pooler" in line]
    assert line.startswith(mark)
    assert said in line
    assert checked.returncode == (mark == "✗")


def test_check_says_nothing_of_a_pooler_where_there_is_none(
    postgres_cluster: PostgresCluster, tmp_path: Path
) -> None:
    home = ServerHome(tmp_path / "server", postgres_cluster.new_database())
    home.init()
    assert "pooler" not in home.succeed("check")

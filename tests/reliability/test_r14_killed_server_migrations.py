"""R14 of the server: kill -9 at any point of a migration from two versions back: all is there after the next start."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.support.proofs import Proof
from tests.support.server import bulk_data, company_life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.migrating import Migrators, migrators
from tests.support.server.postgres import PostgresCluster
from tests.support.server.wire import an_hour_ago

BACK = 2
PEOPLE = 12

Copier = Callable[[int], ServerHome]


def contents() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of ours, without the field that is the time of the migration."""
    models = [model for model in apps.get_models() if model.__module__.startswith("server.")]
    rows = {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in models}
    for consent in rows["signals.Consent"]:
        del consent["received_at"]
    return rows


def step_back() -> None:
    """Take the newest two migrations of each room back, the latest applied first."""
    applied = [
        (app, name)
        for app, name in MigrationRecorder(connection).applied_migrations()
        if apps.is_installed(f"server.{app}")
    ]
    for app in sorted({app for app, _name in applied}):
        names = sorted(name for each, name in applied if each == app)
        if len(names) > 1:
            call_command("migrate", app, names[max(len(names) - 1 - BACK, 0)], verbosity=0)


@pytest.fixture(params=["sqlite", "postgresql"])
def copies(request: pytest.FixtureRequest, tmp_path: Path) -> Copier:
    """Servers two versions back whose people live."""
    cluster: PostgresCluster | None = None
    if request.param == "postgresql":
        cluster = request.getfixturevalue("postgres_cluster")
    template = ServerHome(tmp_path / "template", cluster.new_database() if cluster else None)
    template.init()
    with template.opened():
        people = bulk_data.add_people(PEOPLE)
        campaign = bulk_data.publish("c-video", starts=an_hour_ago())
        for person in people:
            receipt = company_life.give(person)
            company_life.act(person, campaign, receipt)
        step_back()

    def copy(number: int) -> ServerHome:
        folder = shutil.copytree(template.folder, tmp_path / str(number))
        url = cluster.new_database(template.database_url) if cluster else None
        return ServerHome(folder, url)

    return copy


@pytest.mark.proves("R14")
def test_no_kill_during_a_migration_of_the_server_loses_anything(copies: Copier, proof: Proof) -> None:
    with migrators() as children:
        whole = copies(0)
        _killed, statements = children.migrate(whole)
        with whole.opened():
            expected = contents()
        trials = proof.trials(full=statements, few=3)
        moments = [number * statements // trials for number in range(trials)]
        wrong = [
            moment
            for number, moment in enumerate(moments, start=1)
            if _after_a_kill(children, copies(number), moment) != expected
        ]
    proof.found("databases that lacked something after a kill during their migration", len(wrong), trials)
    assert wrong == []


def _after_a_kill(children: Migrators, home: ServerHome, before: int) -> dict[str, list[dict[str, Any]]]:
    assert children.migrate(home, before)[0]
    assert not children.migrate(home)[0]
    with home.opened():
        return contents()

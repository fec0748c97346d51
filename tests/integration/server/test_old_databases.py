"""A database of an older version comes up to date with what it holds."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from server.access.roles import Role
from server.campaigns.models import Campaign
from server.core import clock
from server.erasure.models import ErasureRequest
from server.notices.models import NoticeProposal
from server.reports.figures import report
from server.reports.models import Block
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.console import account_of
from tests.support.server.wire import an_hour_ago

FIGURE = {"sharing": 35, "people": 1, "low": 0.0, "high": 0.1, "off": False}
FIGURES = [FIGURE | {"name": name} for name in ("seen", "click", "like")]


@pytest.fixture
def home(tmp_path: Path) -> ServerHome:
    made = ServerHome(tmp_path / "server")
    made.init()
    return made


def _migrate(app: str, name: str) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate([(app, name)])


def _migrate_all() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def _result(links: list[str]) -> dict[str, Any]:
    return {
        "campaign_id": "c-old",
        "title": "Old",
        "status": "live",
        "minimum": 5,
        "closed": True,
        "assigned": 40,
        "figures": FIGURES,
        "links": [FIGURE | {"name": link} for link in links],
        "groups": [{"name": "Sales", "assigned": 40, "figures": FIGURES}],
        "days": [{"date": "2026-11-23", "people": {"seen": 1, "click": 1, "like": 1}}],
    }


def _make_old(variants: dict[str, list[str]], **columns: Any) -> None:
    """A closed campaign of before, with the report that was kept."""
    campaign = bulk_data.publish("c-old", variants=variants)
    result = _result(sorted({link for links in variants.values() for link in links}))
    Campaign.objects.filter(pk=campaign.pk).update(result=result, counted={}, **columns)


@pytest.mark.parametrize(
    ("variants", "columns", "hidden"),
    [
        ({"en": ["l1"], "fr": ["l1"]}, {}, set()),
        ({"en": ["l1"], "fr": ["l1", "l2"]}, {}, {"click"}),
        ({"en": ["a"], "fr": ["b"]}, {}, {"click"}),
        ({"en": ["l1"]}, {"content": {"variants": {}, "default_language": "en"}}, {"click"}),
        ({"en": []}, {"content": {"variants": {}, "default_language": "en"}}, set()),
        ({"en": []}, {"acknowledge": True}, {"seen"}),
    ],
)
def test_kept_reports_lose_their_figures_about_few(
    home: ServerHome, variants: dict[str, list[str]], columns: dict[str, Any], hidden: set[str]
) -> None:
    with home.opened():
        _make_old(variants, **columns)
        _migrate("campaigns", "0004_acknowledge")
        _migrate_all()
        shown = report(Campaign.objects.get())
        assert {one.name for one in shown.figures if one.people is None} == hidden
        assert {one.name for one in shown.groups[0].figures if one.sharing is None} == hidden
        assert {name for name, people in shown.days[0].people.items() if people is None} == hidden
        assert {link.people for link in shown.links} <= ({None} if "click" in hidden else {1})


def test_an_open_campaign_of_before_counts_what_is_in_every_variant(home: ServerHome) -> None:
    with home.opened():
        campaign = bulk_data.publish("c-open", variants={"en": ["l1", "a"], "fr": ["l1"]})
        Campaign.objects.update(counted={})
        _migrate("campaigns", "0004_acknowledge")
        _migrate_all()
        campaign.refresh_from_db()
        assert campaign.counted == {"l1": "l1"}


def test_blocks_of_before_say_of_how_many_they_are_and_end_with_their_cohort(home: ServerHome) -> None:
    """A block whose cohort was dissolved stayed in the figures, and went with a person only if they shared."""
    with home.opened():
        people = bulk_data.add_people(12)
        life.share_all(people[:6])
        campaign = bulk_data.publish("c-open", starts=an_hour_ago())
        assert report(campaign).figures[0].sharing == 6
        alone = Block.objects.create(campaign=campaign, signal="click", cohort=uuid4())
        _migrate("reports", "0003_snapshots")
        _migrate_all()
        assert list(Block.objects.order_by("pk").values_list("size", "live")) == [(6, True), (0, False)]
        assert alone.pk == Block.objects.get(live=False).pk
        assert report(campaign).figures[0].sharing == 6


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_somebody_asked_for_before_keeps_who_it_was(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = None
    if database == "postgresql":
        url = request.getfixturevalue("postgres_cluster").new_database()
    made = ServerHome(tmp_path / "server", url)
    made.init()
    with made.opened():
        company = bulk_data.company()
        ada = account_of("ada@northwind.example", Role.ADMINISTRATOR)
        ErasureRequest.objects.create(company=company, asked_by=ada, asked_as="", asked_at=clock.now())
        NoticeProposal.objects.create(
            company=company,
            text={"en": "x"},
            instead_of=3,
            proposed_by=ada,
            proposed_as="",
            proposed_at=clock.now(),
        )
        for app, before in (("erasure", "0001_erasure_requests"), ("notices", "0001_initial")):
            _migrate(app, before)
        _migrate_all()
        assert ErasureRequest.objects.get().asked_as == ada.actor
        assert NoticeProposal.objects.get().proposed_as == ada.actor

"""What a command or a call costs does not grow with the company: queries are counted, at few and at ten times as many."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from server import clock
from server.campaigns.models import Campaign
from server.directory.models import Group, Person
from server.privacy import ledger
from server.privacy.erasure import erase
from server.reports.figures import report
from server.signals.closing import close
from server.signals.models import Signal
from tests.support import company_life as life
from tests.support import server_data
from tests.support.campaign_server import ServerHome
from tests.support.commands import succeeded
from tests.support.wire import an_hour_ago

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
    return [server_data.publish(f"c-{number}", starts=an_hour_ago()) for number in range(first, last)]


def _reported(people: list[Person], campaigns: list[Campaign]) -> None:
    """Five of a cohort share, and the campaigns have figures about them."""
    life.share_all(people)
    for campaign in campaigns:
        assert report(campaign).figures[0].sharing


def test_a_withdrawal_costs_the_same_however_many_campaigns_are_open(northwind: ServerHome) -> None:
    people = server_data.add_people(10)
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
    people = server_data.add_people(13)
    _reported(people[:6], _publish(0, FEW))
    costs = [_queries(lambda: erase(server_data.company(), [people[-1].pk]))]
    _reported(people[6:11], _publish(FEW, MANY))
    costs.append(_queries(lambda: erase(server_data.company(), [people[-2].pk])))
    # Blocks that go are changed by the five hundred, whatever campaign they are of.
    assert costs[0] == costs[1]


def test_the_list_of_campaigns_counts_everybody_once(northwind: ServerHome) -> None:
    costs = []
    for first, last in ((0, FEW), (FEW, MANY)):
        server_data.add_people(last - first, "Everyone")
        _publish(first, last)
        server_data.publish(f"c-group-{last}", starts=an_hour_ago(), groups=["Everyone"])
        costs.append(_queries(lambda: succeeded("campaign", "list")))
    assert costs[0] == costs[1]


def test_each_campaign_of_the_list_has_the_people_of_all_its_groups_once(northwind: ServerHome) -> None:
    people = server_data.add_people(9, "A")
    other = Group.objects.create(company=server_data.company(), name="B")
    other.people.add(*people[6:])
    server_data.add_people(4, "B")
    server_data.publish("c-all", starts=an_hour_ago())
    server_data.publish("c-a", starts=an_hour_ago(), groups=["A"])
    only_groups = json.loads(succeeded("campaign", "list", "--json"))
    assert {row["campaign_id"]: row["people"] for row in only_groups} == {"c-all": 13, "c-a": 9}
    server_data.publish("c-both", starts=an_hour_ago(), groups=["A", "B"])
    server_data.publish("c-named", starts=an_hour_ago(), people=people[:2])
    server_data.publish("c-mixed", starts=an_hour_ago(), groups=["B"], people=people[5:8])
    told = json.loads(succeeded("campaign", "list", "--json"))
    assert {row["campaign_id"]: row["people"] for row in told} == {
        "c-all": 13,
        "c-a": 9,
        "c-both": 13,
        "c-named": 2,
        "c-mixed": 8,
    }


def test_a_closing_that_was_cut_off_after_the_key_went_leaves_no_row(northwind: ServerHome) -> None:
    from server.privacy.housekeeping import housekeeping

    person = server_data.add_people(1)[0]
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
        life.share_all(server_data.add_people(12))
        with clock.using(lambda: server_data.STARTS + timedelta(days=365)):
            costs.append(_queries(partial(close, campaign)))
        assert campaign.result is not None
        assert campaign.result["figures"][0]["sharing"] is None
    assert costs[0] == costs[1]

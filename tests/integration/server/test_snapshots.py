"""Figures come from snapshots: the same for everybody, made at times that nobody can choose, without who has left since."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import requests
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from server.access.models import AccessToken
from server.campaigns.models import Campaign
from server.core import clock
from server.directory.models import Person
from server.erasure.erasure import erase
from server.erasure_ledger import ledger
from server.reports import snapshots
from server.reports.figures import report
from server.reports.models import Block, Snapshot
from server.reports.snapshots import make_due, make_if_due, newest
from server.reports.tallies import Sums
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.administration import ADMIN, token_for
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.commands import succeeded
from tests.support.server.wire import an_hour_ago

pytestmark = pytest.mark.both_databases

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def people(northwind: ServerHome) -> Iterator[list[Person]]:
    yield bulk_data.add_people(20)
    AccessToken.objects.all().delete()
    ledger.path().unlink(missing_ok=True)
    ledger.LedgerState.objects.all().delete()


@pytest.fixture
def campaign(people: list[Person]) -> Campaign:
    return bulk_data.publish("c-news", starts=an_hour_ago(), lasts=timedelta(days=30))


def _seen(campaign: Campaign) -> tuple[int | None, int | None]:
    figure = newest(campaign).figures[0]
    return figure.people, figure.sharing


def _at(moment: datetime, campaign: Campaign) -> bool:
    with clock.using(lambda: moment):
        return make_if_due(campaign)


def test_what_happens_after_a_snapshot_is_not_seen_before_the_next(
    people: list[Person], campaign: Campaign
) -> None:
    receipts = life.share_all(people[:10])
    life.act(people[9], campaign, receipts[people[9].pk]["seen"])
    assert _seen(campaign) == (None, None)
    assert make_if_due(campaign)
    for person in people[:3]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    assert not make_if_due(campaign)
    assert _seen(campaign) == (1, 10)
    assert _at(clock.now() + HOUR, campaign)
    assert _seen(campaign) == (4, 10)
    assert replace(newest(campaign), made=None) == report(campaign)


def test_a_snapshot_is_made_hourly_on_the_first_day_and_daily_later_however_often_somebody_asks(
    campaign: Campaign,
) -> None:
    made = []
    chance = random.Random(11)
    moment = campaign.starts
    while moment < campaign.starts + 4 * DAY:
        if _at(moment, campaign):
            made.append(moment)
        moment += timedelta(minutes=chance.randint(20, 90))
    assert made[0] - campaign.starts >= HOUR
    for one, other in itertools.pairwise(made):
        assert other - one >= (HOUR if one < campaign.starts + DAY else DAY)
    assert sum(one < campaign.starts + DAY for one in made) > 10
    assert 2 <= sum(one >= campaign.starts + DAY for one in made) <= 4


def test_who_withdraws_is_out_of_the_figures_at_once_and_nothing_else_changes(
    people: list[Person], campaign: Campaign
) -> None:
    receipts = life.share_all(people[:10])
    for person in people[:10]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    make_if_due(campaign)
    assert _seen(campaign) == (10, 10)
    life.withdraw(people[0], receipts[people[0].pk]["seen"])
    assert _seen(campaign) == (5, 5)
    assert Block.objects.filter(live=False).values_list("counts", flat=True)[0] is None
    life.share_all(people[10:15])
    assert _seen(campaign) == (5, 5), "who shares now is counted at the next time only"


def test_who_is_erased_is_out_of_the_figures_at_once(people: list[Person], campaign: Campaign) -> None:
    receipts = life.share_all(people[:10])
    for person in people[:10]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    make_if_due(campaign)
    assert _seen(campaign) == (10, 10)
    erase(bulk_data.company(), [people[-1].pk])
    assert _seen(campaign) == (5, 5)


def test_what_is_kept_is_without_who_left_and_is_added_up_again_by_the_server(
    people: list[Person], campaign: Campaign
) -> None:
    receipts = life.share_all(people[:10])
    make_if_due(campaign)
    before = Snapshot.objects.get().sums
    assert before["people"]["seen"][""] == [10, 0]
    life.withdraw(people[0], receipts[people[0].pk]["seen"])
    assert Snapshot.objects.get().sums is None
    shown = newest(campaign)
    assert make_due() == 0
    assert Snapshot.objects.get().sums["people"]["seen"][""] == [5, 0]
    assert newest(campaign) == shown


def test_what_was_added_up_is_not_kept_when_somebody_leaves_meanwhile(
    people: list[Person], campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts = life.share_all(people[:10])
    make_if_due(campaign)
    life.withdraw(people[0], receipts[people[0].pk]["seen"])
    add = snapshots.kept

    def leaving(one: Campaign) -> Sums:
        sums = add(one)
        for person in people[1:10]:
            life.withdraw(person, receipts[person.pk]["seen"])
        return sums

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "kept", leaving)
        patch.setattr(snapshots, "reading", contextlib.nullcontext)
        assert not snapshots.add_up(campaign)
    assert _seen(campaign) == (None, None)


def test_command_and_api_show_the_same_snapshot(
    people: list[Person], campaign: Campaign, serving: RunningServer
) -> None:
    receipts = life.share_all(people[:10])
    life.act(people[1], campaign, receipts[people[1].pk]["seen"])
    told = json.loads(succeeded("report", "c-news", "--json"))
    assert told["made"] is not None
    life.act(people[0], campaign, receipts[people[0].pk]["seen"])
    headers = {"Authorization": f"Bearer {token_for('communicator')}"}
    answer = requests.get(f"{serving.url}{ADMIN}/reports/c-news", headers=headers, timeout=30)
    assert answer.json() == told == json.loads(succeeded("report", "c-news", "--json"))
    text = succeeded("report", "c-news")
    assert f"As counted at {told['made']}; the same for everybody until" in text


def test_before_the_first_snapshot_nothing_is_shown(people: list[Person]) -> None:
    bulk_data.publish("c-young", starts=clock.now() - timedelta(minutes=5))
    life.share_all(people)
    text = succeeded("report", "c-young")
    assert "There is no figure yet." in text
    assert "of 15" not in text


def test_what_somebody_did_who_is_not_counted_brings_no_figure(
    people: list[Person], campaign: Campaign
) -> None:
    """Else "0 of 7" would say that the newcomer shares, and did something."""
    life.share_all(people[:7])
    assert _at(clock.now(), campaign)
    newcomer = bulk_data.add_people(1, "Newcomers")[0]
    other = bulk_data.publish("c-night", starts=an_hour_ago(), lasts=timedelta(days=30))
    life.act(newcomer, other, life.share_all([newcomer])[newcomer.pk]["seen"])
    make_due()
    assert _seen(other) == (None, None)
    assert newest(other).made is None
    with_blocks = newest(other)
    Block.objects.all().delete()
    Snapshot.objects.all().delete()
    assert newest(other) == with_blocks, "no group is named that the campaign is not for"


@pytest.mark.parametrize("sharing", range(5))
def test_as_long_as_no_figure_is_shown_nothing_tells_when_it_was_counted(
    people: list[Person], campaign: Campaign, sharing: int
) -> None:
    """Only that is counted of which something came in: so when it was says that somebody shares."""
    bulk_data.publish("c-mute", starts=campaign.starts, lasts=timedelta(days=30))
    receipts = life.share_all(people[:sharing])
    for person in people[:sharing]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    told = succeeded("report", "--update")
    with clock.using(lambda: clock._system() + timedelta(minutes=1)):
        for words in ((), ("--json",), ("--csv",), ("--by", "day")):
            of_both = [succeeded("report", name, *words) for name in ("c-news", "c-mute")]
            assert of_both[0].replace("c-news", "c-mute") == of_both[1]
        answers = [_asked_over_the_api(name) for name in ("c-news", "c-mute")]
    assert answers[0] | {"campaign_id": "c-mute", "title": answers[1]["title"]} == answers[1]
    assert told == succeeded("report", "--update")


def _asked_over_the_api(campaign_id: str) -> dict[str, object]:
    token = token_for("communicator")
    answer = Client().get(
        f"/api/v1/admin/reports/{campaign_id}", headers={"Authorization": f"Bearer {token}"}
    )
    found: dict[str, object] = answer.json()
    return found


def test_the_server_counts_what_is_due_of_campaigns_of_which_something_came_in(
    people: list[Person], campaign: Campaign
) -> None:
    bulk_data.publish("c-quiet", starts=an_hour_ago())
    receipts = life.share_all(people[:6])
    life.act(people[0], campaign, receipts[people[0].pk]["seen"])
    assert (make_due(), make_due()) == (1, 0)
    assert [snapshot.campaign_id for snapshot in Snapshot.objects.all()] == [campaign.pk]
    assert _seen(campaign) == (1, 6)
    with clock.using(lambda: clock._system() + 3 * DAY):
        assert succeeded("report", "--update") == "What was due is counted.\n"


def test_a_page_costs_the_same_however_many_people_and_signals(
    people: list[Person], campaign: Campaign
) -> None:
    costs = []
    for some in (people[:6], bulk_data.add_people(20)):
        receipts = life.share_all(some)
        for person in some:
            life.act(person, campaign, receipts[person.pk]["seen"])
        assert _at(clock.now() + len(costs) * HOUR, campaign)
        with CaptureQueriesContext(connection) as captured:
            newest(campaign)
        costs.append(len(captured))
    assert costs[0] == costs[1]

"""Reports: of those who share, in blocks of five or more, over time."""

import json
import threading
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction

from server.campaigns.models import Campaign
from server.core import clock
from server.data_subject.held import held
from server.directory.models import Group, Person
from server.erasure.erasure import erase
from server.reports import blocks
from server.reports.figures import Report, final, report
from server.reports.models import Block, BlockMember, CohortMember, Suppression
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.both_databases


@pytest.fixture
def people(northwind: ServerHome) -> list[Person]:
    """Twenty people: one cohort, of whom fifteen can be counted."""
    return bulk_data.add_people(20)


@pytest.fixture
def campaign(people: list[Person]) -> Campaign:
    return bulk_data.publish("c-news", starts=an_hour_ago(), links=["l1", "l2"])


def _figure(campaign: Campaign, signal: str = "seen") -> tuple[int | None, int | None]:
    figure = next(figure for figure in report(campaign).figures if figure.name == signal)
    return figure.people, figure.sharing


def _groups(campaign: Campaign) -> dict[str, tuple[int, int | None]]:
    """How many people of each group are addressed, and counted as those who share that they saw it."""
    return {group.name: (group.assigned, group.figures[0].sharing) for group in report(campaign).groups}


def test_fewer_than_five_who_share_are_not_shown(people: list[Person], campaign: Campaign) -> None:
    receipts = life.share_all(people[:4])
    for person in people[:4]:
        life.act(person, campaign, receipts[person.pk]["seen"])
    assert _figure(campaign) == (None, None)
    life.give(people[4])
    assert _figure(campaign) == (4, 5)


def test_those_who_wait_are_counted_when_five_of_them_share(people: list[Person], campaign: Campaign) -> None:
    life.share_all(people[:6])
    assert _figure(campaign) == (0, 6)
    life.share_all(people[6:10])
    assert _figure(campaign) == (0, 6)
    life.give(people[10])
    assert _figure(campaign) == (0, 11)


def test_five_of_a_cohort_are_never_counted_even_if_all_share(
    people: list[Person], campaign: Campaign
) -> None:
    life.share_all(people[:14])
    assert _figure(campaign) == (0, 14)
    life.share_all(people[14:])
    assert _figure(campaign) == (0, 14)
    newer = bulk_data.publish("c-newer", starts=an_hour_ago())
    assert _figure(newer) == (0, 15)


def test_a_company_of_few_people_has_no_figures(northwind: ServerHome) -> None:
    life.share_all(bulk_data.add_people(9))
    campaign = bulk_data.publish("c-few", starts=an_hour_ago())
    assert _figure(campaign) == (None, None)


def test_the_number_behind_a_figure_is_what_the_company_said_when_it_published(people: list[Person]) -> None:
    owner = bulk_data.company()
    owner.minimum = 6
    owner.save()
    campaign = bulk_data.publish("c-six", starts=an_hour_ago())
    owner.minimum = 5
    owner.save()
    receipts = life.share_all(people[:5])
    assert (report(campaign).minimum, _figure(campaign)) == (6, (None, None))
    life.give(people[5])
    assert _figure(campaign) == (0, 6)
    assert len(receipts) == 5


def test_nothing_is_counted_before_the_campaign_starts(people: list[Person]) -> None:
    life.share_all(people)
    campaign = bulk_data.publish("c-soon", starts=an_hour_ago() + timedelta(days=1))
    assert _figure(campaign) == (None, None)
    assert not Block.objects.exists()


def test_the_denominator_is_who_is_counted_not_who_is_addressed(
    people: list[Person], campaign: Campaign
) -> None:
    receipts = life.share_all(people[:6], ["click"])
    for person in people[:5]:
        life.act(person, campaign, receipts[person.pk]["click"], "click")
    life.act(people[0], campaign, receipts[people[0].pk]["click"], "click", link_id="l2")
    shown = report(campaign)
    assert shown.assigned == 20
    assert _figure(campaign, "click") == (5, 6)
    assert [(link.name, link.people, link.sharing) for link in shown.links] == [
        ("Label l1", 5, 6),
        ("Label l2", 1, 6),
    ]


def test_of_several_likes_the_highest_number_holds(people: list[Person], campaign: Campaign) -> None:
    receipts = life.share_all(people[:7], ["like"])
    for person in people[:7]:
        life.act(person, campaign, receipts[person.pk]["like"], "like")
    first = receipts[people[0].pk]["like"]
    life.act(people[0], campaign, first, "like", seq=3, value=0)
    life.act(people[0], campaign, first, "like", seq=2, value=1)
    assert _figure(campaign, "like") == (6, 7)


def test_each_person_counts_on_their_first_day(people: list[Person]) -> None:
    campaign = bulk_data.publish("c-long", starts=an_hour_ago() - timedelta(days=2))
    receipts = life.share_all(people[:6])
    today = campaign.starts.date()
    for number, days in [(0, 1), (0, 0), (1, 0), (2, 1)]:
        person = people[number]
        life.act(person, campaign, receipts[person.pk]["seen"], date=today + timedelta(days=days))
    days = report(campaign).days
    assert [(day.date, day.people["seen"], day.people["click"]) for day in days] == [
        (today.isoformat(), 2, None),
        ((today + timedelta(days=1)).isoformat(), 1, None),
    ]


def test_a_signal_that_the_company_does_not_allow_is_not_shown(
    people: list[Person], campaign: Campaign
) -> None:
    life.share_all(people)
    assert _figure(campaign) == (0, 15)
    owner = bulk_data.company()
    owner.signals = ["click", "like"]
    owner.save()
    try:
        campaign.refresh_from_db()
        figure = report(campaign).figures[0]
        assert (figure.off, figure.people, figure.sharing) == (True, None, None)
    finally:
        owner.signals = ["seen", "click", "like"]
        owner.save()


# --- Over time ----------------------------------------------------------------------------------------


def test_a_withdrawal_takes_its_whole_block_out_for_good(people: list[Person], campaign: Campaign) -> None:
    receipts = life.share_all(people[:10])
    assert _figure(campaign) == (0, 10)
    life.withdraw(people[0], receipts[people[0].pk]["seen"])
    assert _figure(campaign) == (0, 5)
    life.give(people[0])
    life.share_all(people[10:14])
    assert _figure(campaign) == (0, 5)


def test_a_person_who_is_erased_takes_their_block_along_and_leaves_no_row(
    people: list[Person], campaign: Campaign
) -> None:
    life.share_all(people[:5])
    assert _figure(campaign) == (0, 5)
    erase(bulk_data.company(), [people[0].pk])
    assert _figure(campaign) == (None, None)
    assert (BlockMember.objects.count(), CohortMember.objects.count()) == (4, 19)


def test_moving_people_changes_nothing_of_what_was_counted(people: list[Person]) -> None:
    campaign = bulk_data.publish("c-group", starts=an_hour_ago(), groups=["Everyone"])
    life.share_all(people[:6])
    assert _groups(campaign) == {"Everyone": (20, 6)}
    Group.objects.get(name="Everyone").people.remove(*people[:3])
    assert _groups(campaign) == {"Everyone": (17, 6)}
    assert _figure(campaign) == (0, 6)


def test_groups_that_hold_no_whole_cohort_have_no_figures(people: list[Person]) -> None:
    team = Group.objects.create(company=bulk_data.company(), name="Team")
    team.people.add(*people[:8])
    campaign = bulk_data.publish("c-group", starts=an_hour_ago(), groups=["Everyone", "Team"])
    life.share_all(people)
    assert _groups(campaign) == {"Everyone": (20, 15), "Team": (8, None)}


def test_an_old_consent_counts_for_old_campaigns_only(people: list[Person], campaign: Campaign) -> None:
    life.share_all(people[:6])
    newer = bulk_data.publish("c-newer", starts=an_hour_ago())
    newer.notice_version += 1
    newer.save()
    assert (_figure(campaign), _figure(newer)) == ((0, 6), (None, None))


def test_the_last_report_is_what_a_closed_campaign_shows(people: list[Person], campaign: Campaign) -> None:
    receipts = life.share_all(people[:6])
    life.act(people[0], campaign, receipts[people[0].pk]["seen"])
    before = report(campaign)
    campaign.result = json.loads(json.dumps(final(campaign)))
    campaign.save()
    campaign.key.delete()
    campaign.blocks.all().delete()
    closed = report(Campaign.objects.get(pk=campaign.pk))
    assert closed.closed
    assert asdict(closed) | {"closed": False} == asdict(before)
    assert Report.from_json(json.loads(json.dumps(asdict(before)))) == before


def test_a_report_is_worked_out_of_what_the_clock_says(people: list[Person]) -> None:
    life.share_all(people)
    starts = an_hour_ago() + timedelta(days=3)
    campaign = bulk_data.publish("c-later", starts=starts)
    with clock.using(lambda: starts):
        assert _figure(campaign) == (0, 15)


def test_nobody_is_put_into_a_block_while_they_withdraw(
    northwind: ServerHome, people: list[Person], campaign: Campaign
) -> None:
    """A report that is read in the midst of a withdrawal waits for it, and sees its end."""
    receipts = life.share_all(people[:5])
    shown: list[Report] = []
    reading = threading.Thread(target=lambda: (shown.append(report(campaign)), connection.close()))
    with transaction.atomic():
        life.withdraw(people[0], receipts[people[0].pk]["seen"])
        assert blocks.leave([people[1].pk], "northwind", ["seen"]) == 0
        reading.start()
        reading.join(0.5)
        waited = reading.is_alive()
    reading.join(PATIENCE_S)
    assert waited
    assert [one.figures[0].sharing for one in shown] == [None]


# --- Cohorts that have become too small ----------------------------------------------------------------


def _cohorts() -> dict[UUID, set[UUID]]:
    cohorts: dict[UUID, set[UUID]] = {}
    for cohort, person in CohortMember.objects.values_list("cohort", "person_id"):
        cohorts.setdefault(cohort, set()).add(person)
    return cohorts


def _too_small(northwind: ServerHome) -> tuple[list[Person], Campaign]:
    """Nine people are left of a cohort of fourteen, of whom six shared, and a campaign that counted it."""
    people = bulk_data.add_people(14)
    life.share_all(people[:6])
    campaign = bulk_data.publish("c-old", starts=an_hour_ago())
    assert _figure(campaign) == (0, 6)
    erase(bulk_data.company(), [person.pk for person in people[9:]])
    return people[:9], campaign


def test_the_rest_of_a_cohort_waits_for_ten_people_of_whom_nothing_is_known(northwind: ServerHome) -> None:
    rest, _campaign = _too_small(northwind)
    life.share_all(bulk_data.add_people(9))
    assert _figure(bulk_data.publish("c-1", starts=an_hour_ago())) == (None, None)
    assert {len(members) for members in _cohorts().values()} == {9}
    life.share_all(bulk_data.add_people(1))
    assert _figure(bulk_data.publish("c-2", starts=an_hour_ago())) == (None, None)
    (members,) = _cohorts().values()
    assert len(members) == 19
    assert {person.pk for person in rest} < members
    # Sixteen share, of nineteen: five are never counted.
    assert _figure(bulk_data.publish("c-3", starts=clock.now())) == (0, 14)


def test_a_campaign_that_knew_a_cohort_counts_nobody_anew_whom_the_rest_of_it_joined(
    northwind: ServerHome,
) -> None:
    _rest, campaign = _too_small(northwind)
    life.share_all(bulk_data.add_people(10))
    assert _figure(campaign) == (None, None)
    assert CohortMember.objects.exclude(mixed_at=None).count() == 19
    later = bulk_data.publish("c-later", starts=clock.now())
    assert (_figure(campaign), _figure(later)) == ((None, None), (0, 14))


def test_the_blocks_of_a_cohort_that_is_dissolved_leave_the_figures(northwind: ServerHome) -> None:
    """Else whoever is erased later takes one along, or not: that would tell whether they shared."""
    life.share_all(bulk_data.add_people(12)[:7])
    campaign = bulk_data.publish("c-old", starts=an_hour_ago())
    assert _figure(campaign) == (0, 7)
    owner = bulk_data.company()
    owner.minimum = 7
    owner.save()
    try:
        bulk_data.add_people(14)
        assert _figure(bulk_data.publish("c-new", starts=an_hour_ago())) == (None, None)
    finally:
        owner.minimum = 5
        owner.save()
    assert len(_cohorts()) == 1
    assert _figure(campaign) == (None, None)


def test_nothing_of_who_is_left_out_of_figures_is_in_their_own_copy(northwind: ServerHome) -> None:
    """It would tell them that somebody who was erased did not share."""
    people = bulk_data.add_people(12)
    life.share_all(people[:1])
    assert _figure(bulk_data.publish("c-1", starts=an_hour_ago())) == (None, None)
    now = clock.now()
    with clock.using(lambda: now):
        before = held(life.caller(people[0]), 100)
        erase(bulk_data.company(), [people[11].pk])
        assert Suppression.objects.get().person == people[0]
        assert held(life.caller(people[0]), 100) == before


def test_mixing_waits_for_an_erasure_before_it_has_its_turn(northwind: ServerHome) -> None:
    """Else each waits for the other: who erases locks people first and then takes the turn."""
    rest, _campaign = _too_small(northwind)
    bulk_data.add_people(10)
    campaign = bulk_data.publish("c-new", starts=an_hour_ago())
    shown: list[Report] = []
    reading = threading.Thread(target=lambda: (shown.append(report(campaign)), connection.close()))
    with transaction.atomic():
        assert Person.objects.select_for_update().get(pk=rest[0].pk)
        reading.start()
        reading.join(1)
        blocks.leave([rest[0].pk], "northwind", ["seen"], erased=True)
    reading.join(PATIENCE_S)
    assert len(shown) == 1
    assert {len(members) for members in _cohorts().values()} == {19}

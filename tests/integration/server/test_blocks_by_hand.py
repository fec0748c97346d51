"""Blocks are formed of those people of whom somebody would form them by hand who looks at each person, in both databases."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest

from server.campaigns.models import Campaign
from server.core import clock
from server.directory.models import Group, Notice, Person
from server.erasure.erasure import erase
from server.reports import blocks
from server.reports.blocks import form
from server.reports.models import Block, BlockMember, CohortMember, Suppression
from server.signals.keys import person_key
from server.signals.models import Consent
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import an_hour_ago

pytestmark = pytest.mark.both_databases

SIGNALS = ("seen", "click")
GROUPS = ("Sales", "Works", "Chess")
STEPS, AT_ONCE = 40, 5


def _ends(withdrawal: Consent, given: Consent) -> bool:
    """Whether a withdrawal of the same person and signal takes this consent back."""
    return (
        withdrawal.receipt_id == given.receipt_id
        or withdrawal.pk > given.pk
        or min(withdrawal.time, withdrawal.received_at) > given.time
    )


class _Sharing:
    """Who shares, decision by decision."""

    def __init__(self) -> None:
        self._decisions: dict[tuple[UUID, str], list[Consent]] = defaultdict(list)
        for one in Consent.objects.all():
            self._decisions[one.person_id, one.signal].append(one)
        rows = Suppression.objects.values_list("person_id", "signal", "notice_version")
        self._suppressed = {(person, signal): version for person, signal, version in rows}

    def has(self, person: Person, signal: str, version: int) -> bool:
        """Whether a campaign under this version of the notice can count the person."""
        if self._suppressed.get((person.pk, signal), version) < version:
            return False
        decisions = self._decisions[person.pk, signal]
        withdrawals = [one for one in decisions if one.status == "withdrawn"]
        agreed = [one for one in decisions if one.status == "given" and one.notice_version >= version]
        return any(not any(_ends(one, given) for one in withdrawals) for given in agreed)


def _is_for(campaign: Campaign, person: Person) -> bool:
    groups = set(person.groups.all()) & set(campaign.audience_groups.all())
    return campaign.to_everyone or bool(groups) or person in campaign.audience_people.all()


def _cohorts(campaign: Campaign) -> Iterator[tuple[UUID, list[Person]]]:
    """Those of which the campaign may count people."""
    members: dict[UUID, list[CohortMember]] = defaultdict(list)
    for member in CohortMember.objects.prefetch_related("person__groups"):
        members[member.cohort].append(member)
    for cohort, of_cohort in members.items():
        is_later = any(one.mixed_at and one.mixed_at > campaign.starts for one in of_cohort)
        people = [one.person for one in of_cohort]
        if len(people) >= 10 and not is_later and all(_is_for(campaign, person) for person in people):
            yield cohort, people


class _Expected:
    """What forming must do, worked out before it is done."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.before = set(Block.objects.filter(campaign=campaign).values_list("pk", flat=True))
        self.numbers: Counter[tuple[UUID, str]] = Counter()
        self.waiting: dict[tuple[UUID, str], set[str]] = {}
        self.groups: dict[UUID, list[str]] = {}
        self.sharing = _Sharing()
        for cohort, people in _cohorts(campaign):
            common = set.intersection(*({group.name for group in person.groups.all()} for person in people))
            self.groups[cohort] = sorted(common)
            for signal in campaign.company.signals:
                self._work_out(cohort, people, signal)

    def _work_out(self, cohort: UUID, people: list[Person], signal: str) -> None:
        keys = {person_key(self.campaign.key.key, one.pk): one for one in people}
        ever = list(Block.objects.filter(campaign=self.campaign, signal=signal))
        members = BlockMember.objects.filter(block__in=ever)
        counted = set(members.values_list("person_key", flat=True))
        version = self.campaign.notice_version
        waiting = {key for key, one in keys.items() if self.sharing.has(one, signal, version)} - counted
        formed = sum(block.size for block in ever if block.cohort == cohort)
        room = len(people) - 5 - max(formed, len(counted & keys.keys()))
        self.waiting[cohort, signal] = waiting
        if (number := min(len(waiting), room)) >= 5:
            self.numbers[cohort, signal] = number

    def compare(self) -> int:
        """With what was done. Answers how many blocks were formed."""
        new = list(Block.objects.filter(campaign=self.campaign).exclude(pk__in=self.before))
        numbers: Counter[tuple[UUID, str]] = Counter()
        for block in new:
            people = set(block.members.values_list("person_key", flat=True))
            assert 5 <= len(people) == block.size < 10
            assert people <= self.waiting[block.cohort, block.signal]
            self.waiting[block.cohort, block.signal] -= people
            assert block.live
            assert block.groups == self.groups[block.cohort]
            numbers[block.cohort, block.signal] += block.size
        assert numbers == self.numbers
        return len(new)


class _Company:
    """It lives on at random."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._receipts: dict[tuple[UUID, str], UUID] = {}
        self._joined = 0
        for name in GROUPS:
            Group.objects.create(company=bulk_data.company(), name=name)
        self._join(70)
        bulk_data.publish("c-0", starts=clock.now())

    def step(self) -> None:
        """Let one thing happen."""
        deeds = (
            self._change_mind,
            self._erase,
            self._move,
            self._publish,
            self._renew,
            lambda: self._join(7),
        )
        self._chance.choices(deeds, (70, 8, 5, 12, 1, 4))[0]()

    def _people(self) -> list[Person]:
        return list(Person.objects.select_related("company").order_by("email"))

    def _join(self, count: int) -> None:
        owner = bulk_data.company()
        for number in range(self._joined, self._joined + count):
            person = Person.objects.create(company=owner, email=f"n{number:03}@northwind.example")
            person.groups.add(
                *(
                    one
                    for one in owner.groups.all()
                    if self._chance.random() < 0.8 - 0.3 * (one.name == "Chess")
                )
            )
            for signal in SIGNALS:
                if self._chance.random() < 0.7:
                    self._receipts[person.pk, signal] = life.give(person, signal)
        self._joined += count

    def _change_mind(self) -> None:
        person, signal = self._chance.choice(self._people()), self._chance.choice(SIGNALS)
        receipt = self._receipts.pop((person.pk, signal), None)
        if receipt is None:
            self._receipts[person.pk, signal] = life.give(person, signal)
        else:
            life.withdraw(person, receipt, signal)

    def _erase(self) -> None:
        erase(bulk_data.company(), [self._chance.choice(self._people()).pk])

    def _move(self) -> None:
        person, group = self._chance.choice(self._people()), self._chance.choice(list(Group.objects.all()))
        (person.groups.remove if group in person.groups.all() else person.groups.add)(group)

    def _publish(self) -> None:
        """To everyone, to groups, to people of some cohorts, or to groups and people."""
        groups, cohorts = self._chance.choice(((0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (1, 1)))
        formed = sorted(set(CohortMember.objects.values_list("cohort", flat=True)))
        some = self._chance.sample(formed, min(cohorts, len(formed)))
        named = list(Person.objects.filter(cohort_member__cohort__in=some))
        if named and self._chance.random() < 0.3:
            named.pop()
        names = self._chance.sample(GROUPS, groups)
        number = Campaign.objects.count()
        bulk_data.publish(f"c-{number}", starts=clock.now(), groups=names, people=named)

    def _renew(self) -> None:
        """A new notice: whoever agreed to the last one is asked afresh."""
        owner = bulk_data.company()
        version = owner.notice_version() + 1
        Notice.objects.create(company=owner, version=version, date=date(2026, 11, 24), text={"en": "Newer"})


@pytest.mark.parametrize("seed", range(2))
def test_blocks_are_formed_of_whom_somebody_would_by_hand(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(blocks, "COHORTS_AT_ONCE", 2)
    now, formed = an_hour_ago(), 0
    with clock.using(lambda: now):
        company = _Company(seed)
    for step in range(STEPS):
        with clock.using(lambda step=step: now + timedelta(minutes=step)):  # type: ignore[misc]
            company.step()
            if step % AT_ONCE == 0:
                blocks._assign(bulk_data.company())  # which draws at random who waits for whom
                for campaign in Campaign.objects.select_related("company", "key").prefetch_related(
                    "audience_groups", "audience_people"
                ):
                    expected = _Expected(campaign)
                    form(campaign)
                    formed += expected.compare()
    assert formed > 5

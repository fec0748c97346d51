"""A company that lives on at random while somebody reads its reports: what each figure was really about is written down.

Use within `ServerHome.opened()`; the company is the server's first one, without people and campaigns.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from tests.support import company_life as life
from tests.support import server_data
from tests.support.wire import an_hour_ago

if TYPE_CHECKING:
    from server.campaigns.models import Campaign
    from server.directory.models import Group, Person
    from server.reports.figures import Figure, Report

SIGNALS = ("seen", "click")
DEPARTMENTS = ("Sales", "Research", "Works", "Office")
CLUBS = ("Running", "Chess", "Drivers")


@dataclass(frozen=True)
class Cell:
    """A figure that was shown, and the people whom it counts."""

    campaign: str
    signal: str
    people: frozenset[UUID]


class ReportedCompany:
    """What has happened, in the test's own books: they are kept apart from the server's tables."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._campaigns: list[Campaign] = []
        self._people: dict[UUID, Person] = {}
        self._receipts: dict[tuple[UUID, str], UUID] = {}
        self._did: set[tuple[str, str, UUID]] = set()
        self._names: dict[str, UUID] = {}
        self.cells: dict[tuple[str, str], set[Cell]] = defaultdict(set)
        self.wrong: list[str] = []
        self._joined = 0
        self._groups = self._make_groups()
        self._join(self._random.randint(50, 80))
        for person in list(self._people.values()):
            for signal in SIGNALS:
                if self._random.random() < 0.7:
                    self._give(person, signal)
        for number in range(2):
            self._publish(f"c-{number}")

    def live(self, steps: int) -> None:
        """Let so many things happen, and read all reports after each few of them."""
        deeds: list[Callable[[], None]] = [
            self._act,
            self._change_mind,
            self._erase,
            self._move,
            lambda: self._join(self._random.randint(1, 12)),
        ]
        weights = [60, 30, 3, 4, 3]
        self.read_reports()
        for step in range(steps):
            self._random.choices(deeds, weights)[0]()
            if step % 4 == 0:
                self.read_reports()
        self.read_reports()

    def read_reports(self) -> None:
        """Keep each cell that is shown, with the people behind it, and compare its figures with the books."""
        from server.reports.figures import report

        for campaign in self._campaigns:
            shown = report(campaign)
            blocks = self._blocks(campaign)
            self._keep(campaign, shown.figures, None, blocks)
            for group in shown.groups:
                self._keep(campaign, group.figures, group.name, blocks)
            self._compare_parts(campaign, shown)

    def _keep(
        self,
        campaign: Campaign,
        figures: tuple[Figure, ...],
        group: str | None,
        blocks: dict[str, list[tuple[list[str], frozenset[UUID]]]],
    ) -> None:
        for figure in figures:
            inside = [people for groups, people in blocks[figure.name] if group is None or group in groups]
            people = frozenset[UUID]().union(*inside)
            if figure.sharing is None:
                if people:
                    self.wrong.append(f"hidden, with {len(people)} people counted")
                continue
            self.cells[campaign.campaign_id, figure.name].add(Cell(campaign.campaign_id, figure.name, people))
            did = {one for one in people if (campaign.campaign_id, figure.name, one) in self._did}
            if (figure.sharing, figure.people) != (len(people), len(did)):
                self.wrong.append(f"{figure} in place of {len(did)} of {len(people)}")
            if any((one, figure.name) not in self._receipts for one in people):
                self.wrong.append("somebody is counted who does not share")

    def _compare_parts(self, campaign: Campaign, shown: Report) -> None:
        """Days and links are about the same people as the whole: they must add up to it."""
        for figure in shown.figures:
            days = [day.people[figure.name] for day in shown.days]
            if figure.people and sum(day or 0 for day in days) != figure.people:
                self.wrong.append(f"{campaign}: the days of {figure.name} do not add up")
        clicks = next(figure for figure in shown.figures if figure.name == "click")
        if any((link.sharing, link.people) != (clicks.sharing, clicks.people) for link in shown.links):
            self.wrong.append(f"{campaign}: its only link has another figure than its clicks")

    def _blocks(self, campaign: Campaign) -> dict[str, list[tuple[list[str], frozenset[UUID]]]]:
        from server.reports.models import Block

        blocks = defaultdict(list)
        for block in Block.objects.filter(campaign=campaign, live=True).prefetch_related("members"):
            people = frozenset(self._names[member.person_key] for member in block.members.all())
            blocks[block.signal].append((block.groups, people))
        return blocks

    # --- what happens ----------------------------------------------------------------------------

    def _act(self) -> None:
        if not self._receipts:
            return
        (person, signal), receipt = self._random.choice(list(self._receipts.items()))
        campaign = self._random.choice(self._campaigns)
        if life.act(self._people[person], campaign, receipt, signal) == "stored":
            self._did.add((campaign.campaign_id, signal, person))

    def _change_mind(self) -> None:
        person, signal = self._random.choice(list(self._people.values())), self._random.choice(SIGNALS)
        receipt = self._receipts.pop((person.pk, signal), None)
        if receipt is None:
            self._give(person, signal)
            return
        life.withdraw(person, receipt, signal)
        self._did = {one for one in self._did if one[1:] != (signal, person.pk)}

    def _give(self, person: Person, signal: str) -> None:
        self._receipts[person.pk, signal] = life.give(person, signal)

    def _erase(self) -> None:
        from server.privacy.erasure import erase

        gone = self._random.choice(list(self._people))
        erase(server_data.company(), [gone])
        del self._people[gone]
        for signal in SIGNALS:
            self._receipts.pop((gone, signal), None)
        self._did = {one for one in self._did if one[2] != gone}

    def _move(self) -> None:
        person, group = self._random.choice(list(self._people.values())), self._random.choice(self._groups)
        change = person.groups.remove if person.groups.filter(pk=group.pk).exists() else person.groups.add
        change(group)

    def _join(self, count: int) -> None:
        from server.directory.models import Person

        owner = server_data.company()
        for _number in range(count):
            self._joined += 1
            person = Person.objects.create(company=owner, email=f"n{self._joined}@northwind.example")
            self._people[person.pk] = person
            departments, clubs = self._groups[: len(DEPARTMENTS)], self._groups[len(DEPARTMENTS) :]
            person.groups.add(self._random.choice(departments))
            person.groups.add(*(club for club in clubs if self._random.random() < 0.15))
            for campaign in self._campaigns:
                self._name(campaign, person.pk)

    def _make_groups(self) -> list[Group]:
        from server.directory.models import Group

        owner = server_data.company()
        return [Group.objects.create(company=owner, name=name) for name in (*DEPARTMENTS, *CLUBS)]

    def _publish(self, campaign_id: str) -> None:
        groups = self._random.choice([(), self._random.sample(DEPARTMENTS, 3)])
        self._campaigns.append(server_data.publish(campaign_id, starts=an_hour_ago(), groups=groups))
        for person in self._people:
            self._name(self._campaigns[-1], person)

    def _name(self, campaign: Campaign, person: UUID) -> None:
        from server.signals.keys import person_key

        self._names[person_key(campaign.key.key, person)] = person

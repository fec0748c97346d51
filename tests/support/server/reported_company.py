"""A company that lives on at random while somebody reads its reports: what each figure was really about is written down.

Use within `ServerHome.opened()`; the company is the server's first one, without people and campaigns.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.differencing import Act
from tests.support.server.wire import an_hour_ago

if TYPE_CHECKING:
    from server.campaigns.models import Campaign
    from server.directory.models import Group, Person
    from server.reports.figures import Figure, Report

SIGNALS = ("seen", "click")
LANGUAGES = ("en", "fr", "de")
"""The first is the default of all campaigns. Few speak the last."""
LINKS = ("l1", "l2", "l3", "l4", "video")
DEPARTMENTS = ("Sales", "Research", "Works", "Office")
CLUBS = ("Running", "Chess", "Drivers")


@dataclass(frozen=True)
class Cell:
    """A figure that was shown, and whom, or of clicks what, it counts."""

    campaign: str
    signal: str
    counted: frozenset[Hashable]


class ReportedCompany:
    """What has happened, in the test's own books: they are kept apart from the server's tables."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._campaigns: list[Campaign] = []
        self._people: dict[UUID, Person] = {}
        self._receipts: dict[tuple[UUID, str], UUID] = {}
        self._did: set[tuple[str, str, UUID]] = set()
        self._clicked: set[tuple[str, UUID, str]] = set()
        self._languages: dict[UUID, str] = {}
        self._variants: dict[str, dict[str, list[str]]] = {}
        self._names: dict[str, UUID] = {}
        self.cells: dict[tuple[str, str], set[Cell]] = defaultdict(set)
        self.wrong: list[str] = []
        self._joined = 0
        self._video = bulk_data.add_media(b"a video", "video/mp4")
        self._groups = self._make_groups()
        self._join(self._random.randint(50, 80))
        for person in list(self._people.values()):
            for signal in SIGNALS:
                if self._random.random() < 0.7:
                    self._give(person, signal)
        for _number in range(2):
            self._publish()

    def live(self, steps: int) -> None:
        """Let so many things happen, and read all reports after each few of them."""
        deeds: list[Callable[[], None]] = [
            self._act,
            self._change_mind,
            self._erase,
            self._move,
            lambda: self._join(self._random.randint(1, 12)),
            self._publish,
            self._recall,
        ]
        weights = [60, 30, 3, 4, 3, 3, 1]
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
            campaign.refresh_from_db()
            shown = report(campaign)
            blocks = self._blocks(campaign)
            for figure in shown.figures:
                self._keep(campaign, figure, None, set(campaign.counted), blocks)
            for group in shown.groups:
                for figure in group.figures:
                    self._keep(campaign, figure, group.name, set(campaign.counted), blocks)
            for link in shown.links:
                link_id = link.name.removeprefix("Label ")
                together = {one for one, counted in campaign.counted.items() if counted == link_id}
                self._keep(campaign, replace(link, name="click"), None, together, blocks)
            self._compare_days(campaign, shown)

    def _keep(
        self,
        campaign: Campaign,
        figure: Figure,
        group: str | None,
        links: set[str],
        blocks: dict[str, list[tuple[list[str], frozenset[UUID]]]],
    ) -> None:
        """`links`: whose clicks the figure counts, if it is about clicks."""
        inside = [people for groups, people in blocks[figure.name] if group is None or group in groups]
        people = frozenset[UUID]().union(*inside)
        if figure.sharing is None:
            if people and not figure.why:
                self.wrong.append(f"hidden, with {len(people)} people counted")
            return
        counted = self._countable(campaign, people, links) if figure.name == "click" else people
        self.cells[campaign.campaign_id, figure.name].add(
            Cell(campaign.campaign_id, figure.name, frozenset[Hashable](counted))
        )
        did = {one for one in people if self._has_done(campaign.campaign_id, figure.name, one, links)}
        if (figure.sharing, figure.people) != (len(people), len(did)):
            self.wrong.append(f"{figure} in place of {len(did)} of {len(people)}")
        if any((one, figure.name) not in self._receipts for one in people):
            self.wrong.append("somebody is counted who does not share")

    def _countable(self, campaign: Campaign, people: Iterable[UUID], links: set[str]) -> set[Act]:
        """What of these people a figure over these links can count: nothing of those in whose variant is none of them."""
        own = {person: frozenset(self._links_of(campaign.campaign_id, person)) & links for person in people}
        return {Act(person, clickable) for person, clickable in own.items() if clickable}

    def _has_done(self, campaign_id: str, signal: str, person: UUID, links: set[str]) -> bool:
        if signal != "click":
            return (campaign_id, signal, person) in self._did
        return any((campaign_id, person, link) in self._clicked for link in links)

    def _links_of(self, campaign_id: str, person: UUID) -> list[str]:
        """What the person can click in the variant that they get."""
        variants = self._variants[campaign_id]
        return variants.get(self._languages[person], variants["en"])

    def _compare_days(self, campaign: Campaign, shown: Report) -> None:
        """Days are about the same people as the whole: they must add up to it."""
        for figure in shown.figures:
            days = [day.people[figure.name] for day in shown.days]
            if sum(day or 0 for day in days) != (figure.people or 0):
                self.wrong.append(f"{campaign}: the days of {figure.name} do not add up")

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
        if signal != "click":
            if life.act(self._people[person], campaign, receipt, signal) == "stored":
                self._did.add((campaign.campaign_id, signal, person))
        elif links := self._links_of(campaign.campaign_id, person):
            link = self._random.choice(links)
            if life.act(self._people[person], campaign, receipt, signal, link_id=link) == "stored":
                self._clicked.add((campaign.campaign_id, person, link))

    def _change_mind(self) -> None:
        person, signal = self._random.choice(list(self._people.values())), self._random.choice(SIGNALS)
        receipt = self._receipts.pop((person.pk, signal), None)
        if receipt is None:
            self._give(person, signal)
            return
        life.withdraw(person, receipt, signal)
        self._did = {one for one in self._did if one[1:] != (signal, person.pk)}
        if signal == "click":
            self._clicked = {one for one in self._clicked if one[1] != person.pk}

    def _give(self, person: Person, signal: str) -> None:
        self._receipts[person.pk, signal] = life.give(person, signal)

    def _erase(self) -> None:
        from server.erasure.erasure import erase

        gone = self._random.choice(list(self._people))
        erase(bulk_data.company(), [gone])
        del self._people[gone]
        for signal in SIGNALS:
            self._receipts.pop((gone, signal), None)
        self._did = {one for one in self._did if one[2] != gone}
        self._clicked = {one for one in self._clicked if one[1] != gone}

    def _move(self) -> None:
        person, group = self._random.choice(list(self._people.values())), self._random.choice(self._groups)
        change = person.groups.remove if person.groups.filter(pk=group.pk).exists() else person.groups.add
        change(group)

    def _join(self, count: int) -> None:
        from server.directory.models import Person

        owner = bulk_data.company()
        for _number in range(count):
            self._joined += 1
            person = Person.objects.create(company=owner, email=f"n{self._joined}@northwind.example")
            self._people[person.pk] = person
            self._languages[person.pk] = self._random.choices(LANGUAGES, [70, 27, 3])[0]
            departments, clubs = self._groups[: len(DEPARTMENTS)], self._groups[len(DEPARTMENTS) :]
            person.groups.add(self._random.choice(departments))
            person.groups.add(*(club for club in clubs if self._random.random() < 0.15))
            for campaign in self._campaigns:
                self._name(campaign, person.pk)

    def _make_groups(self) -> list[Group]:
        from server.directory.models import Group

        owner = bulk_data.company()
        return [Group.objects.create(company=owner, name=name) for name in (*DEPARTMENTS, *CLUBS)]

    def _publish(self) -> None:
        """To whomever, in whichever languages, with other links in each; open for a week or for a minute, now or tomorrow."""
        campaign_id = f"c-{len(self._campaigns)}"
        groups = self._random.choice([(), self._random.sample(DEPARTMENTS, 3)])
        others = [name for name in (*DEPARTMENTS, *CLUBS) if name not in groups]
        excluded = self._random.sample(others, self._random.choice([0, 0, 1]))
        languages = ["en", *(language for language in LANGUAGES[1:] if self._random.random() < 0.7)]
        self._variants[campaign_id] = {
            language: self._random.sample(LINKS, self._random.randint(0, 4)) for language in languages
        }
        campaign = bulk_data.publish(
            campaign_id,
            starts=an_hour_ago() + timedelta(days=self._random.choice([0, 0, 0, 1])),
            lasts=self._random.choice([timedelta(days=7), timedelta(minutes=1)]),
            groups=groups,
            excluded=excluded,
            media=[self._video],
            variants=self._variants[campaign_id],
        )
        self._campaigns.append(campaign)
        for person in self._people:
            self._name(campaign, person)

    def _recall(self) -> None:
        from server.publishing.recall import recall

        recall(bulk_data.company(), self._random.choice(self._campaigns).campaign_id, "command-line")

    def _name(self, campaign: Campaign, person: UUID) -> None:
        from server.signals.keys import person_key

        self._names[person_key(campaign.key.key, person)] = person

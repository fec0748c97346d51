"""One company that lives on twice: the second time some people have changed places before they are erased.

A place is what somebody does: shares or not, acts, changes their mind. In each pair one place shares what the other does
not. In the first life the person who is erased has the one place, in the second life the other. Whoever reads the figures
of both lives must see the same. What the server draws at random is coupled: it is drawn for the place, not for the person.

Use within `ServerHome.opened()`; the company is the server's first one, without people and campaigns.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.wire import an_hour_ago

if TYPE_CHECKING:
    import pytest

    from server.campaigns.models import Campaign
    from server.directory.models import Person

SIGNALS = ("seen", "click")
STEPS = 24


@dataclass
class Script:
    """What happens to which places. `pairs`: the place that is erased in the first life, and the one in the second."""

    seed: int
    count: int
    pairs: list[tuple[int, int]]
    deeds: list[tuple[Any, ...]] = field(default_factory=list)


def written(seed: int) -> Script:
    """A company of 12 to 40 people, of whom up to three pairs can change places, and what happens there."""
    chance = random.Random(seed)
    count = chance.randint(12, 40)
    places = list(range(count))
    chance.shuffle(places)
    pairs = [(places.pop(), places.pop()) for _number in range(chance.randint(1, 3))]
    script = Script(seed, count, pairs)
    eager = chance.choice([0.4, 0.7, 1.0])
    for place in places:
        script.deeds += [("give", place, signal) for signal in SIGNALS if chance.random() < eager]
    for one, other in pairs:
        script.deeds += [("give", one, "seen"), ("give", chance.choice([one, other]), "click")]
    chance.shuffle(script.deeds)
    script.deeds.append(("publish",))
    erasures: list[tuple[Any, ...]] = [("erase pair", number) for number in range(len(pairs))]
    erasures += [
        ("erase", places.pop()) for _number in range(chance.randint(0, max(0, min(6, len(places) - 8))))
    ]
    acting = [*places, *(place for pair in pairs for place in pair)]
    chance.shuffle(erasures)
    every = STEPS // len(erasures)
    for number in range(STEPS):
        if number % every == 1 and erasures:
            script.deeds.append(erasures.pop())
        kinds = ["act"] * 6 + ["give", "withdraw", "publish", "notice"]
        kind = chance.choice(kinds)
        if kind == "act":
            script.deeds.append((kind, chance.choice(acting), chance.choice(SIGNALS), chance.randrange(4)))
        elif kind in ("give", "withdraw"):
            script.deeds.append((kind, chance.choice(places), chance.choice(SIGNALS)))
        else:
            script.deeds.append((kind,))
    return script


class Life:
    """One of the two lives of a script. `swapped`: the second. `shown`: what all reports said after each deed."""

    def __init__(self, script: Script, patch: pytest.MonkeyPatch, *, swapped: bool) -> None:
        self.shown: list[Any] = []
        self._script = script
        self._swapped = swapped
        self._people: dict[int, Person] = {}
        self._place_of: dict[UUID, int] = {}
        self._names: dict[str, int] = {}
        self._receipts: dict[tuple[int, str], UUID] = {}
        self._campaigns: list[Campaign] = []
        self._erasing: int | None = None
        self._couple(patch)

    def live(self) -> None:
        """Do all of it, and read all reports before and after each erasure, at some other times and at the end."""
        self._join()
        for number, (deed, *words) in enumerate(self._script.deeds):
            if self._campaigns and (deed.startswith("erase") or number % 6 == 0):
                self._read()
            getattr(self, f"_{deed.replace(' ', '_')}")(*words)
            if deed in ("erase", "erase pair", "publish"):
                self._read()
        self._read()

    def _read(self) -> None:
        from server.reports.figures import report

        reports = [asdict(report(campaign)) for campaign in self._campaigns]
        self.shown.append([(one["assigned"], one["figures"], one["groups"], one["days"]) for one in reports])

    # --- what happens ------------------------------------------------------------------------------------

    def _join(self) -> None:
        people = bulk_data.add_people(self._script.count)
        self._people = dict(enumerate(people))
        for one, other in self._script.pairs if self._swapped else ():
            self._people[one], self._people[other] = self._people[other], self._people[one]
        self._place_of = {person.pk: place for place, person in self._people.items()}

    def _give(self, place: int, signal: str) -> None:
        if place in self._people and (place, signal) not in self._receipts:
            self._receipts[place, signal] = life.give(self._people[place], signal)

    def _withdraw(self, place: int, signal: str) -> None:
        receipt = self._receipts.pop((place, signal), None)
        if receipt is not None and place in self._people:
            life.withdraw(self._people[place], receipt, signal)

    def _act(self, place: int, signal: str, number: int) -> None:
        receipt = self._receipts.get((place, signal))
        if receipt is not None and place in self._people:
            life.act(self._people[place], self._campaigns[number % len(self._campaigns)], receipt, signal)

    def _publish(self) -> None:
        from server.signals.keys import person_key

        campaign = bulk_data.publish(f"c-{len(self._campaigns)}", starts=an_hour_ago())
        self._campaigns.append(campaign)
        self._names |= {
            person_key(campaign.key.key, person.pk): place for place, person in self._people.items()
        }

    def _notice(self) -> None:
        """A new version of the notice, to which everybody agrees who shares, but for a third of those of no pair."""
        from server.directory.models import Notice

        owner = bulk_data.company()
        version = owner.notice_version() + 1
        Notice.objects.create(company=owner, version=version, date=date(2026, 11, 24), text={"en": "Newer"})
        paired = {place for pair in self._script.pairs for place in pair}
        for place, signal in sorted(self._receipts):
            if place in self._people and (place in paired or (place + version) % 3):
                person = self._people[place]
                person.refresh_from_db()
                self._receipts[place, signal] = life.give(person, signal)

    def _erase(self, place: int) -> None:
        from server.erasure.erasure import erase

        self._erasing = place
        erase(bulk_data.company(), [self._people.pop(place).pk])

    def _erase_pair(self, number: int) -> None:
        self._erase(self._script.pairs[number][self._swapped])

    # --- what is drawn -----------------------------------------------------------------------------------

    def _couple(self, patch: pytest.MonkeyPatch) -> None:
        from server.reports import blocks, suppression

        split = blocks.split

        def by_place(waiting: Iterable[str], minimum: int, room: int) -> list[list[str]]:
            keys = {f"{self._names[key]:04}": key for key in waiting}
            patch.setattr(blocks, "_random", self._chance(keys))
            return [[keys[place] for place in some] for some in split(keys, minimum, room)]

        patch.setattr(blocks, "split", by_place)
        patch.setattr(suppression, "_random", self)

    def choice(self, people: Sequence[UUID]) -> UUID:
        """In place of `random.choice`: the other one of the pair, or else the same place in both lives."""
        places = {self._place_of[person]: person for person in people}
        for pair in self._script.pairs:
            partner = pair[self._erasing == pair[0]]
            if self._erasing in pair and partner in places:
                return places[partner]
        return places[self._chance(places).choice(sorted(places))]

    def _chance(self, places: Iterable[object]) -> random.Random:
        return random.Random(f"{self._script.seed} {sorted(map(str, places))}")


def both_lives(
    script: Script, patch: Callable[[], Any], empty: Callable[[], None]
) -> tuple[list[Any], list[Any]]:
    """What was shown in the two lives. `patch` opens a `MonkeyPatch` context, `empty` empties the server before each."""
    shown = []
    for swapped in (False, True):
        empty()
        with patch() as patched:
            one = Life(script, patched, swapped=swapped)
            one.live()
        shown.append(one.shown)
    return shown[0], shown[1]

"""P13: no figure is about fewer than five people: over groups, days, links, videos, languages, campaigns and time."""

import itertools
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from server.campaigns import countable
from server.campaigns.models import Campaign, Media
from server.core.errors import Refused
from server.directory.models import Group, Person
from server.erasure.erasure import erase
from server.reports import audiences, blocks, cohorts, figures, tallies
from server.reports.figures import report
from server.reports.models import Block, BlockMember, CohortMember
from server.signals.keys import keys_of
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.differencing import small_combination, small_differences
from tests.support.server.reported_company import ReportedCompany
from tests.support.server.run_command import run_command
from tests.support.server.wire import an_hour_ago

NEWS = """
id = "c-news"
sender = "IT"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "News"
"""
MINIMUM = 5
STEPS = 60

BOTH = ["sqlite", "postgresql"]

pytestmark = pytest.mark.proves("P13")


@pytest.fixture(scope="module")
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """A server of this file's own; on PostgreSQL where a test says so."""
    url = None
    if getattr(request, "param", "sqlite") == "postgresql":
        url = request.getfixturevalue("postgres_cluster").new_database()
    made = ServerHome(tmp_path_factory.mktemp("server"), url)
    made.init()
    return made


@pytest.fixture
def northwind(home: ServerHome) -> Iterator[ServerHome]:
    with home.opened():
        yield home
        _empty()


def _empty() -> None:
    for model in (Campaign, Media, Person, Group):
        model.objects.all().delete()


def _isolated(company: ReportedCompany) -> list[frozenset[Hashable]]:
    """Fewer than five people whom the attack can tell something about."""
    found: list[frozenset[Hashable]] = []
    for cells in company.cells.values():
        sets = [cell.counted for cell in cells]
        found += list(small_differences(sets, MINIMUM))
        if not found and (few := small_combination(sets, MINIMUM)):
            found.append(few)
    return found


def _lived(seed: int, steps: int = STEPS) -> ReportedCompany:
    _empty()
    company = ReportedCompany(seed)
    company.live(steps)
    return company


@pytest.mark.parametrize("home", BOTH, indirect=True)
def test_no_difference_of_figures_is_about_fewer_than_five(northwind: ServerHome, proof: Proof) -> None:
    companies, cells, isolated, wrong = proof.trials(full=16, few=1), 0, 0, []
    for seed in range(companies):
        company = _lived(seed)
        cells += sum(len(shown) for shown in company.cells.values())
        isolated += len(_isolated(company))
        wrong += company.wrong
    proof.found(f"cells that isolate fewer than {MINIMUM} people", isolated, cells)
    proof.found("figures that differ from what people did", len(wrong), cells)
    assert cells > 10 * companies
    assert isolated == 0
    assert wrong == []


def _blocks_of_one(waiting: set[str], _minimum: int, _room: int) -> list[list[str]]:
    return [[person] for person in waiting]


def _leave_alone(people: list[UUID], company_id: str, signals: set[str], *, erased: bool = False) -> int:
    """Only who withdraws leaves the block."""
    keys = [key for person in people for key in keys_of(person, company_id).values()]
    return BlockMember.objects.filter(person_key__in=keys, block__signal__in=signals).delete()[0]


def _come_back(people: list[UUID], company_id: str, signals: set[str], *, erased: bool = False) -> int:
    """The block goes, and the others of it may be counted again in another one."""
    keys = [key for person in people for key in keys_of(person, company_id).values()]
    left = BlockMember.objects.filter(person_key__in=keys, block__signal__in=signals).values("block")
    return Block.objects.filter(pk__in=list(left.values_list("block", flat=True))).delete()[0]


@pytest.mark.parametrize(
    ("name", "weaker"), [("split", _blocks_of_one), ("leave", _leave_alone), ("leave", _come_back)]
)
def test_the_attack_finds_blocks_that_are_weaker(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch, name: str, weaker: Callable[..., object]
) -> None:
    monkeypatch.setattr(blocks, name, weaker)
    if name == "split":  # which reports would leave out
        monkeypatch.setattr(Campaign, "smallest_group", property(lambda _campaign: 1))
    assert any(_isolated(_lived(seed)) for seed in range(3))


def _each_for_itself(content: Mapping[str, Any]) -> dict[str, str]:
    """Every link has a figure, in whichever variants it is."""
    return {link_id: link_id for own in countable.ids(content).values() for link_id in own}


def _by_place_alone(content: Mapping[str, Any]) -> dict[str, str]:
    """A place has a figure also where only some variants have it."""
    counted: dict[str, str] = {}
    for place in itertools.zip_longest(*countable.ids(content).values()):
        together = [link_id for link_id in place if link_id]
        counted |= {link_id: together[0] for link_id in together if link_id not in counted}
    return counted


@pytest.mark.parametrize("weaker", [_each_for_itself, _by_place_alone])
def test_the_attack_finds_figures_of_what_is_in_some_variants_only(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch, weaker: Callable[[Mapping[str, Any]], object]
) -> None:
    monkeypatch.setattr(countable, "counted_as", weaker)
    assert any(_isolated(_lived(seed, steps=20)) for seed in range(3))


def test_the_attack_finds_a_whole_that_counts_more_than_its_links(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "_counting", lambda clicks, _campaign: clicks)
    assert any(_lived(seed).wrong for seed in range(3))


def test_what_is_published_cannot_be_published_again_with_other_links(
    northwind: ServerHome, tmp_path: Path
) -> None:
    """Two versions of a campaign that differ in a link, a language or the audience would be two figures to compare."""
    bulk_data.add_people(1)
    file = tmp_path / "news.toml"
    file.write_text(NEWS, encoding="utf-8")
    run_command("campaign", "publish", file)
    run_command("campaign", "recall", "c-news")
    with pytest.raises(Refused, match="cannot be published"):
        run_command("campaign", "publish", file)


# --- Who shares, from who confirmed --------------------------------------------------------------------


def _told_by_confirmations(seed: int) -> int:
    """How many people are known to share, to somebody who knows that the others confirmed, and so have seen it."""
    _empty()
    people = bulk_data.add_people(12)
    receipts = life.share_all(people)
    campaign = bulk_data.publish("c-rules", starts=an_hour_ago(), acknowledge=True)
    last = random.Random(seed).choice(people)
    for person in people:
        if person != last:
            life.act(person, campaign, receipts[person.pk]["seen"])
    seen = report(campaign).figures[0]
    return int(seen.people is not None and seen.people < (seen.sharing or 0))


@pytest.mark.parametrize("home", BOTH, indirect=True)
def test_the_names_of_who_confirmed_tell_nobodys_choice(northwind: ServerHome, proof: Proof) -> None:
    tries = proof.trials(full=60, few=5)
    told = sum(_told_by_confirmations(seed) for seed in range(tries))
    proof.found("people whose choice shows because all others confirmed by name", told, tries)
    assert told == 0


def test_the_attack_by_confirmations_finds_a_figure_beside_the_names(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "why_hidden", lambda _campaign, _signal, _links: "")
    assert sum(_told_by_confirmations(seed) for seed in range(12)) > 0


# --- Who shares, from whom campaigns are for -----------------------------------------------------------


def _told_by_audiences(people: list[Person]) -> int:
    """How many people a manager learns something about who leaves each of them out of one campaign.

    By how much the number of counted people falls must be the same for people of one cohort, whether they share or not.
    """
    everyone = _counted(bulk_data.publish("c-all", starts=an_hour_ago()))
    falls = {}
    for number, person in enumerate(people):
        if number % 2:  # by name, and by a group of one
            alone = person.company.groups.create(name=f"Only {number}")
            alone.people.add(person)
            campaign = bulk_data.publish(f"c-{number}", starts=an_hour_ago(), excluded=[alone.name])
        else:
            others = [other for other in people if other != person]
            campaign = bulk_data.publish(f"c-{number}", starts=an_hour_ago(), people=others)
        falls[person.pk] = everyone - _counted(campaign)
    cohort_of = dict(CohortMember.objects.values_list("person", "cohort"))
    of_cohort: dict[UUID, set[int]] = defaultdict(set)
    for person, fall in falls.items():
        of_cohort[cohort_of[person]].add(fall)
    return sum(len(of_cohort[cohort_of[person]]) > 1 for person in falls)


def _counted(campaign: Campaign) -> int:
    return report(campaign).figures[0].sharing or 0


def _people_of_whom_half_share(seed: int, count: int) -> tuple[list[Person], set[UUID]]:
    """The people, and who of them shares."""
    people = bulk_data.add_people(count)
    sharing = random.Random(seed).sample(people, count // 2)
    life.share_all(sharing)
    return people, {person.pk for person in sharing}


@pytest.mark.parametrize("home", BOTH, indirect=True)
def test_whom_campaigns_are_for_tells_nobodys_choice(northwind: ServerHome, proof: Proof) -> None:
    companies, told, tried = proof.trials(full=5, few=1), 0, 0
    for seed in range(companies):
        _empty()
        people, _sharing = _people_of_whom_half_share(seed, proof.trials(full=64, few=20))
        told += _told_by_audiences(people)
        tried += len(people)
    proof.found("people whose choice shows when a campaign leaves them out", told, tried)
    assert told == 0


def test_the_attack_by_audiences_finds_blocks_without_cohorts(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    audience: set[UUID] = set()

    def remembered(campaign: Campaign, _cohorts: Collection[UUID]) -> set[UUID]:
        audience.clear()
        audience.update(audiences.audience(campaign))
        return set()

    def cut(named: Collection[UUID]) -> dict[UUID, set[str]]:
        return {
            name: {person for person in people if UUID(person) in audience}
            for name, people in cohorts.people_of(named).items()
        }

    monkeypatch.setattr(blocks, "partly_addressed", remembered)
    monkeypatch.setattr(blocks, "people_of", cut)
    assert _told_by_audiences(_people_of_whom_half_share(1, 20)[0]) > 0


def _falls(seed: int) -> tuple[int, int]:
    """By how much the number of counted people falls when somebody is erased who shares, and who does not."""
    falls = []
    for shares in (True, False):
        _empty()
        people, sharing = _people_of_whom_half_share(seed, 16)
        campaign = bulk_data.publish("c-1", starts=an_hour_ago())
        before = _counted(campaign)
        erase(bulk_data.company(), [next(one.pk for one in people if (one.pk in sharing) == shares)])
        falls.append(before - _counted(campaign))
    return falls[0], falls[1]


@pytest.mark.parametrize("home", BOTH, indirect=True)
def test_erasing_somebody_does_not_tell_whether_they_shared(northwind: ServerHome, proof: Proof) -> None:
    tries = proof.trials(full=60, few=2)
    falls = [_falls(seed) for seed in range(tries)]
    different = sum(one != other for one, other in falls)
    proof.found("erasures that tell whether the erased person shared", different, tries)
    assert all(one >= MINIMUM for one, _other in falls)
    assert different == 0


def test_an_erasure_that_takes_nobody_else_along_would_tell(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = blocks.leave

    def only_own(people: list[UUID], company_id: str, signals: set[str], *, erased: bool = False) -> int:
        return leave(people, company_id, signals)

    monkeypatch.setattr(blocks, "leave", only_own)
    one, other = _falls(1)
    assert one != other

"""P13: figures of two campaigns and an erasure between them do not tell whether the erased person shared."""

import json
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from server.campaigns.models import Campaign
from server.core import clock
from server.directory.models import Group, Notice, Person
from server.erasure.erasure import erase, erase_rows
from server.reports import audiences, blocks, suppression
from server.reports.figures import report
from server.reports.models import Suppression
from server.reports.suppression import Suppressed
from tests.support.proofs import Proof
from tests.support.server import bulk_data
from tests.support.server import company_life as life
from tests.support.server.campaign_server import ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.twin_companies import both_lives, written
from tests.support.server.wire import an_hour_ago

NEWS = """
id = "{campaign_id}"
sender = "IT"
default_language = "en"
[audience]
everyone = true
[variants.en]
title = "News"
"""

SEVERAL = 3
"""People who are erased at once, besides one at a time."""

pytestmark = pytest.mark.proves("P13")


BOTH = ["sqlite", "postgresql"]


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
    for model in (Campaign, Person, Group):
        model.objects.all().delete()
    first = Notice.objects.order_by("version")[0]
    Notice.objects.exclude(pk=first.pk).delete()


# --- The case seen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [True, False])
def test_the_campaign_after_an_erasure_counts_one_person_fewer_whoever_was_erased(
    northwind: ServerHome, tmp_path: Path, capsys: pytest.CaptureFixture[str], shares: bool
) -> None:
    """Seen in November 2026: 11 and 10 for a person who shared, 11 and 11 for one who did not."""
    people = bulk_data.add_people(20)
    receipts = life.share_all(people[:11])

    def figure(campaign_id: str) -> int:
        file = tmp_path / f"{campaign_id}.toml"
        file.write_text(NEWS.format(campaign_id=campaign_id), encoding="utf-8")
        run_command("campaign", "publish", file)
        capsys.readouterr()
        campaign = Campaign.objects.get(campaign_id=campaign_id)
        for person in Person.objects.filter(pk__in=receipts):
            life.act(person, campaign, receipts[person.pk]["seen"])
        with clock.using(lambda: clock._system() + timedelta(hours=2)):
            run_command("report", campaign_id, "--json")
        return int(json.loads(capsys.readouterr().out)["figures"][0]["sharing"])

    before = figure("c-before")
    run_command("purge", (people[0] if shares else people[19]).email, "--yes")
    assert (before, figure("c-after")) == (11, 10)


# --- Two lives that differ in who of a pair shares -------------------------------------------------------


def _differences(seed: int) -> tuple[int, int]:
    """How many readings of all reports differ between the two lives of a company, and how many there were."""
    first, second = both_lives(written(seed), pytest.MonkeyPatch.context, _empty)
    assert len(first) == len(second)
    return sum(one != other for one, other in zip(first, second, strict=True)), len(first)


@pytest.mark.parametrize("home", BOTH, indirect=True)
def test_all_figures_are_the_same_whether_the_erased_shared_or_somebody_else_of_their_cohort(
    northwind: ServerHome, proof: Proof
) -> None:
    companies, different, readings = proof.trials(full=60, few=1), 0, 0
    for seed in range(companies):
        one, all_of_them = _differences(seed)
        different += one
        readings += all_of_them
    proof.found("readings of all reports that tell whether an erased person shared", different, readings)
    assert different == 0


def _suppress_nobody(_people: Sequence[UUID], _signals: object) -> Suppressed:
    return {}


def _suppress_for_a_moment(people: Sequence[UUID], signals: set[str]) -> Suppressed:
    drawn = suppression.suppress(people, signals)
    Suppression.objects.all().delete()
    return drawn


def _stay_in_blocks(_suppressed: Suppressed, _keys: object) -> list[int]:
    return []


WEAKER: dict[str, tuple[object, str, Callable[..., object]]] = {
    "nobody is suppressed": (blocks, "suppress", _suppress_nobody),
    "suppressed for a moment": (blocks, "suppress", _suppress_for_a_moment),
    "the suppressed stay in their blocks": (blocks, "_blocks_of", _stay_in_blocks),
}


@pytest.mark.parametrize("weaker", WEAKER)
def test_the_comparison_of_two_lives_finds_erasures_that_tell(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch, weaker: str
) -> None:
    monkeypatch.setattr(*WEAKER[weaker])
    assert any(_differences(seed)[0] for seed in range(12))


# --- How many can be counted ----------------------------------------------------------------------------


def _sharing(campaign: Campaign) -> tuple[int | None, ...]:
    """How many are counted, by signal."""
    return tuple(figure.sharing for figure in report(campaign).figures)


@pytest.mark.parametrize("shares", [True, False])
def test_who_was_erased_leaves_no_room_for_others(northwind: ServerHome, shares: bool) -> None:
    people = bulk_data.add_people(25)
    life.share_all(people[:15])
    campaign = bulk_data.publish("c-1", starts=an_hour_ago())
    assert _sharing(campaign)[0] == 15
    erase(bulk_data.company(), [people[0 if shares else 24].pk])
    assert _sharing(campaign)[0] == 10
    life.share_all(people[15:20])
    # Twenty-four people, of whom fifteen were counted and five must not be.
    assert _sharing(campaign)[0] == 10


def _shown_after(
    erasures: Iterable[Sequence[Person]], campaigns: Sequence[Campaign]
) -> set[tuple[tuple[int | None, ...], ...]]:
    """What campaigns show that begin after one of these erasures."""
    shown = set()
    for people in erasures:
        with transaction.atomic():
            erase_rows(bulk_data.company(), [person.pk for person in people])
            shown.add(tuple(_sharing(campaign) for campaign in campaigns))
            transaction.set_rollback(True)
    return shown


def _differing_falls(seed: int) -> tuple[int, int]:
    """How many sets of figures the erasure of one person, or of several, can lead to beyond the first; how many were tried.

    In a company of two versions of the notice, of which some people agreed to the newer one only, some to the older, some to
    none, and in which a few people were erased before.
    """
    _empty()
    chance = random.Random(seed)
    people = bulk_data.add_people(chance.randint(12, 24))
    older = bulk_data.publish("c-older", starts=an_hour_ago())
    assert _sharing(older) == (None, None, None)
    for signal in ("seen", "click", "like"):
        life.share_all(chance.sample(people, chance.randint(6, len(people))), [signal])
    version = bulk_data.company().notice_version() + 1
    Notice.objects.create(
        company=bulk_data.company(), version=version, date=date(2026, 11, 24), text={"en": "Newer"}
    )
    people = list(Person.objects.all())
    for signal in ("seen", "click", "like"):
        life.share_all(chance.sample(people, chance.randint(6, len(people))), [signal])
    newer = bulk_data.publish("c-newer", starts=an_hour_ago())
    others, differing = chance.sample(people, chance.randint(1, 2)), 0
    while True:
        left = [person for person in people if Person.objects.filter(pk=person.pk).exists()]
        several = [chance.sample(left, SEVERAL) for _number in range(6)]
        for erasures in ([[person] for person in left], several):
            differing += len(_shown_after(erasures, [older, newer])) - 1
        if not others:
            return differing, len(left)
        erase(bulk_data.company(), [others.pop().pk])


@pytest.mark.parametrize("home", BOTH, indirect=True)
def test_whoever_are_erased_of_a_cohort_the_next_campaigns_show_the_same(
    northwind: ServerHome, proof: Proof
) -> None:
    companies, differing, tried = proof.trials(full=40, few=1), 0, 0
    for seed in range(companies):
        one, people = _differing_falls(seed)
        differing += one
        tried += people
    proof.found("figures of later campaigns that depend on who was erased", differing, tried)
    assert differing == 0


def _whatever_notice(cohorts: Collection[UUID]) -> dict[str, dict[UUID, int]]:
    """As if whoever agreed to any notice had agreed to the newest."""
    return {
        signal: {person: min(version, 1) for person, version in versions.items()}
        for signal, versions in audiences.agreed(cohorts).items()
    }


@pytest.mark.parametrize(
    ("module", "name", "weaker"),
    [(blocks, "suppress", _suppress_nobody), (suppression, "agreed", _whatever_notice)],
)
def test_the_comparison_of_all_people_finds_erasures_that_tell(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch, module: object, name: str, weaker: object
) -> None:
    monkeypatch.setattr(module, name, weaker)
    assert any(_differing_falls(seed)[0] for seed in range(4))


# --- What it costs --------------------------------------------------------------------------------------


def _counted_after_a_while(seed: int) -> int:
    """How many are counted in a company of 120, of whom 60 of 100 share, when half of them were replaced one by one."""
    _empty()
    chance = random.Random(seed)

    def join(count: int) -> list[Person]:
        owner = bulk_data.company()
        people = [Person(company=owner, email=f"{uuid4()}@northwind.example") for _number in range(count)]
        Person.objects.bulk_create(people)
        life.share_all(person for person in people if chance.random() < 0.6)
        return people

    people = join(120)
    for number in range(10):
        _sharing(bulk_data.publish(f"c-{number}", starts=clock.now()))
        leaving = [people.pop(chance.randrange(len(people))) for _number in range(6)]
        for person in leaving:
            erase(bulk_data.company(), [person.pk])
        people += join(6)
    _sharing(bulk_data.publish("c-mix", starts=clock.now()))
    return _sharing(bulk_data.publish("c-last", starts=clock.now()))[0] or 0


def test_a_company_that_people_join_and_leave_still_has_figures(
    northwind: ServerHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = _counted_after_a_while(1)
    with monkeypatch.context() as weaker:
        weaker.setattr(blocks, "suppress", _suppress_nobody)
        otherwise = _counted_after_a_while(1)
    assert otherwise <= 2 * counted

"""Feeds that are nearly full: all that was published is in them, and an author is told what does not fit any more."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from agent.domain import limits
from server.campaigns.feed_room import FOR_OTHERS
from server.campaigns.manifest import check_manifest
from server.campaigns.models import Campaign
from server.campaigns.scopes import Scope
from server.core import clock
from server.core.errors import Refused
from server.directory.models import Group, Person
from server.publishing.author_warnings import warnings_for
from server.publishing.checked import CheckedCampaign, check_campaign
from server.publishing.publish import publish
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.run_command import run_command
from tests.support.server.wire import payload

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WORDS = (
    "Kantine",
    "cafétéria",
    "столовая",
    "食堂のお知らせ",
    "مطعم الموظفين",
    "भोजनालय",
    "🍲🥗",
    'a\\\\b \\"c\\"',
)
LANGUAGES = (
    "en",
    "fr",
    "de",
    "ru",
    "ja",
    "ar",
    "hi",
    "it",
    "es",
    "pl",
    "nl",
    "pt",
    "sv",
    "fi",
    "el",
    "tr",
    "uk",
    "zh",
)


@dataclass
class Published:
    """A campaign that was taken: whom it is for, and when."""

    campaign_id: str
    audience: str
    starts: datetime
    ends: datetime


@dataclass
class Company:
    """Three people of two groups, and all that was published to them."""

    people: list[Person]
    tokens: list[str]
    dice: random.Random
    taken: list[Published] = field(default_factory=list)

    def publish(
        self, audience: str, starts: datetime, ends: datetime, *, size: int, urgency: str = "normal"
    ) -> list[str]:
        """Publish some `size` languages of long texts. Gives the warnings. Raises `Refused`."""
        drafted = self.drafted(audience, starts, ends, size=size, urgency=urgency)
        warnings = warnings_for(drafted, None)
        publish(drafted, "test", Scope())
        self.taken.append(Published(drafted.campaign_id, audience, starts, ends))
        return warnings

    def drafted(
        self, audience: str, starts: datetime, ends: datetime, *, size: int, urgency: str = "normal"
    ) -> CheckedCampaign:
        """One that is looked at, and not published yet. Raises `Refused`."""
        campaign_id = f"c-{len(self.taken)}-{self.dice.randrange(10**9)}"
        file = self._file(campaign_id, audience, starts, ends, size, urgency)
        company = bulk_data.company()
        reason = "a drill" if urgency == "emergency" else ""
        return check_campaign(
            company, check_manifest(file.encode(), MONDAY, company.link_hosts), Scope(), reason
        )

    def try_to_publish(self, audience: str, starts: datetime, ends: datetime, *, size: int) -> str:
        """The same. Gives what a refusal says, and nothing when it is published."""
        try:
            self.publish(audience, starts, ends, size=size)
        except Refused as refusal:
            return refusal.message
        return ""

    def _file(
        self, campaign_id: str, audience: str, starts: datetime, ends: datetime, size: int, urgency: str
    ) -> str:
        variants = "".join(
            f'[variants.{language}]\ntitle = "{self.dice.choice(WORDS)}"\nbody = "{self._text()}"\n'
            for language in LANGUAGES[:size]
        )
        return (
            f'id = "{campaign_id}"\nsender = "{self.dice.choice(WORDS)}"\nurgency = "{urgency}"\n'
            f"starts = {starts.isoformat()}\nends = {ends.isoformat()}\n"
            f'default_language = "en"\n[audience]\n{audience}\n{variants}'
        )

    def _text(self) -> str:
        word = self.dice.choice(WORDS) + " "
        return word * min(4_900 // len(word), 9_500 // len(word.encode()))

    def due(self, number: int, at: datetime) -> set[str]:
        """What person `number` has to get at a time."""
        addressed = {"everyone = true", f'people = ["{self.people[number].email}"]'}
        addressed |= {f'groups = ["{group.name}"]' for group in self.people[number].groups.all()}
        return {
            one.campaign_id for one in self.taken if one.audience in addressed and one.starts <= at < one.ends
        }

    def feed(self, number: int, at: datetime) -> bytes:
        """What the person's computer is answered."""
        with clock.using(lambda: at):
            headers = {"Authorization": f"Bearer {self.tokens[number]}", "Tidings-Feed": "signed"}
            answer = Client().get("/api/v1/feed", headers=headers)
        assert answer.status_code == 200
        return answer.content


@pytest.fixture
def company(northwind: ServerHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    from server.core import concurrency

    monkeypatch.setattr(concurrency, "request_rate", concurrency.RequestRate(0))
    people = bulk_data.add_people(3, group="Sales")
    Group.objects.create(company=people[0].company, name="Nights").people.set(people[1:])
    people[1].first_name = "𝔐" * 100
    people[1].save()
    with clock.using(lambda: MONDAY):
        yield Company(people, bulk_data.add_computers(people), random.Random(11))


def ids(feed: bytes) -> set[str]:
    content: dict[str, Any] = json.loads(feed)
    return {payload(document)["sub"] for document in content["campaigns"]}


def test_all_that_was_published_is_in_feeds_that_agents_take_and_the_author_is_told_of_the_rest(
    company: Company,
) -> None:
    dice, refused = company.dice, 0
    audiences = [
        *["everyone = true"] * 5, 'groups = ["Sales"]', 'groups = ["Nights"]',
        *(f'people = ["{person.email}"]' for person in company.people),
    ]  # fmt: skip
    for _ in range(32):
        starts = MONDAY + timedelta(hours=dice.randrange(0, 12))
        ends = starts + timedelta(hours=dice.randrange(12, 72))
        said = company.try_to_publish(dice.choice(audiences), starts, ends, size=dice.randrange(15, 18))
        refused += bool(said)
        assert "some would be left out" in (said or "some would be left out")
    assert 2 < refused < 28
    moments = sorted({one.starts for one in company.taken}, key=lambda at: -len(company.due(1, at)))
    for number in range(3):
        for at in moments[:6]:
            feed = company.feed(number, at)
            assert len(feed) <= limits.FEED_MAX_BYTES
            assert ids(feed) == company.due(number, at)


def fill(company: Company) -> None:
    """Publish to everyone until no more is taken."""
    while not company.try_to_publish("everyone = true", MONDAY, MONDAY + timedelta(days=3), size=17):
        assert len(company.taken) < 60


@pytest.mark.expected_logs("are full")
def test_emergencies_are_taken_however_full_the_feeds_are(company: Company) -> None:
    fill(company)
    before = len(company.taken)
    at = MONDAY + timedelta(minutes=1)
    assert (
        company.publish("everyone = true", MONDAY, MONDAY + timedelta(days=1), size=17, urgency="emergency")
        == []
    )
    assert ids(company.feed(1, at)) == company.due(1, at)
    warned: list[str] = []
    while not warned and len(company.taken) < before + 20:
        warned = company.publish(
            "everyone = true", MONDAY, MONDAY + timedelta(days=1), size=17, urgency="emergency"
        )
    assert "left out" in warned[0]
    feed = company.feed(1, at)
    assert len(feed) <= limits.FEED_MAX_BYTES
    assert {one.campaign_id for one in company.taken[before:]} <= ids(feed)


def test_what_would_be_too_many_is_refused_like_what_would_be_too_much(company: Company) -> None:
    owner = bulk_data.company()
    days = {"starts": MONDAY, "ends": MONDAY + timedelta(days=3)}
    small = [
        Campaign(
            company=owner,
            campaign_id=f"c-{number}",
            content={},
            document="x",
            to_everyone=True,
            **days,
        )
        for number in range(FOR_OTHERS.count)
    ]
    Campaign.objects.bulk_create(small)
    with pytest.raises(Refused, match="cannot be published"):
        company.publish("everyone = true", MONDAY, MONDAY + timedelta(days=1), size=1)
    small[0].delete()
    company.publish("everyone = true", MONDAY, MONDAY + timedelta(days=1), size=1)
    company.publish("everyone = true", MONDAY + timedelta(days=3), MONDAY + timedelta(days=4), size=1)


@pytest.mark.both_databases
def test_of_two_that_were_looked_at_together_and_fit_singly_one_is_taken(company: Company) -> None:
    fill(company)
    Campaign.objects.filter(campaign_id=company.taken.pop().campaign_id).delete()
    first, second = (
        company.drafted("everyone = true", MONDAY, MONDAY + timedelta(days=3), size=15) for _ in range(2)
    )
    publish(first, "test", Scope())
    with pytest.raises(Refused, match="would be left out"):
        publish(second, "test", Scope())


# --- What fitted when it was published, and does not since --------------------------------------------------

UNTIL = MONDAY + timedelta(days=3)


def made(count: int, groups: Sequence[str] = (), *, starts: datetime = MONDAY, document: str = "x") -> None:
    """That many campaigns to these groups, or to everyone."""
    owner, before = bulk_data.company(), Campaign.objects.count()
    campaigns = Campaign.objects.bulk_create(
        Campaign(
            company=owner,
            campaign_id=f"c-{before + number}",
            content={},
            document=document,
            to_everyone=not groups,
            starts=starts,
            ends=starts + timedelta(days=3),
        )
        for number in range(count)
    )
    for name in groups:
        Group.objects.get(name=name).campaigns.add(*campaigns)


def said_of_feeds(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What `check` says of the company's feeds: state and message."""
    capsys.readouterr()
    run_command("check", "--json")
    (found,) = (each for each in json.loads(capsys.readouterr().out) if each["name"].startswith("Feeds"))
    return found["state"], found["message"]


@pytest.mark.both_databases
@pytest.mark.parametrize(("count", "document"), [(600, "x"), (12, "x" * 250_000)])
def test_check_tells_that_an_import_made_feeds_overfull(
    company: Company, tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, document: str
) -> None:
    Group.objects.create(company=bulk_data.company(), name="Days").people.set(company.people[:1])
    tuesday = MONDAY + timedelta(days=1)
    made(count, ["Days"], document=document)
    made(count, ["Nights"], document=document, starts=tuesday)
    assert said_of_feeds(capsys)[0] == "ok"
    file = tmp_path / "people.csv"
    file.write_text(f"email,groups\n{company.people[2].email},Nights;Days\n", encoding="utf-8")
    assert run_command("people", "import", file) == 0
    state, message = said_of_feeds(capsys)
    assert state == "warning"
    assert "2026-11-24T00:00:00Z" in message
    assert "Recall" in message


@pytest.mark.expected_logs("are full")
def test_check_is_content_as_long_as_each_feed_holds_all_that_is_due(
    company: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    dice, audiences = random.Random(1), ([], ["Sales"], ["Nights"], ["Sales", "Nights"])
    company.people[0].groups.clear()
    states, due = [], [0, 0, 0]
    for _ in range(8):
        groups, count = dice.choice(audiences), dice.randrange(100, 300)
        made(count, groups, starts=MONDAY - timedelta(hours=1))
        for number, person in enumerate(company.people):
            names = {group.name for group in person.groups.all()}
            due[number] += count if not groups or names & set(groups) else 0
        bulk_data.company().feeds_changed()
        feeds = [json.loads(company.feed(number, MONDAY))["campaigns"] for number in range(3)]
        whole = all(len(feed) == wanted for feed, wanted in zip(feeds, due, strict=True))
        assert said_of_feeds(capsys)[0] == ("ok" if whole else "warning")
        states.append(whole)
    assert set(states) == {True, False}


def test_what_has_ended_makes_no_feed_overfull(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    made(900, starts=MONDAY - timedelta(days=3))
    made(900)
    made(900, starts=UNTIL)
    assert said_of_feeds(capsys)[0] == "ok"

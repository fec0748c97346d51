"""What is assigned to a person, now, and how an unchanged feed is recognised."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from server.campaigns.feed_room import LARGEST_FEED_BYTES
from server.core import clock
from server.directory.models import Person
from server.signing.documents import publish_company
from server.signing.signers import public_keys
from tests.support.server import bulk_data
from tests.support.server.campaign_server import ServerHome
from tests.support.server.wire import payload, verified

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


STATED = {"Tidings-Feed": "signed"}


class Agent:
    """Polls in this process, at any time of our choosing, and remembers the tag as an agent does."""

    def __init__(self, person: Person) -> None:
        self.token = bulk_data.add_computers([person])[0]
        self._headers = {"Authorization": f"Bearer {self.token}"}
        self.tag = ""

    def poll(self, at: datetime = NOON, **headers: str) -> int:
        """Poll, and keep the tag and the names of the campaigns. Gives the status."""
        condition = {"If-None-Match": self.tag} if self.tag else {}
        with clock.using(lambda: at):
            self.answer = Client().get("/api/v1/feed", headers=self._headers | condition | headers)
        self.tag = self.answer["ETag"]
        return self.answer.status_code

    def statement(self, at: datetime = NOON) -> dict[str, Any]:
        """The statement of the feed as it is now, verified."""
        self.tag = ""
        assert self.poll(at, **STATED) == 200
        feed = self.answer.json()
        return verified(feed["statement"], public_keys("northwind"), "receipt", "tidings-feed")

    def campaigns(self, at: datetime = NOON) -> set[str]:
        """The ids of the campaigns in the feed."""
        self.tag = ""
        assert self.poll(at) == 200
        return {payload(document)["sub"] for document in self.answer.json()["campaigns"]}


@pytest.fixture
def camille(northwind: ServerHome) -> Person:
    return bulk_data.add_people(1, group="Sales")[0]


@pytest.mark.both_databases
def test_a_person_gets_what_is_for_everyone_for_their_groups_and_for_them(camille: Person) -> None:
    other = bulk_data.add_people(1, group="Works")[0]
    bulk_data.publish("c-all")
    bulk_data.publish("c-sales", groups=["Sales"])
    bulk_data.publish("c-works", groups=["Works"])
    bulk_data.publish("c-camille", people=[camille])
    bulk_data.publish("c-other", people=[other])
    assert Agent(camille).campaigns() == {"c-all", "c-sales", "c-camille"}
    assert Agent(other).campaigns() == {"c-all", "c-works", "c-other"}


def test_the_tag_of_a_feed_names_nobody(camille: Person) -> None:
    agent = Agent(camille)
    agent.poll(**STATED)
    assert re.fullmatch(r'"[0-9a-f]{32}"', agent.tag)
    assert camille.pk.hex not in agent.tag


def test_an_unchanged_feed_is_answered_304_every_time(camille: Person) -> None:
    bulk_data.publish("c-1")
    agent = Agent(camille)
    assert agent.poll() == 200
    for minute in range(5):
        assert agent.poll(NOON + timedelta(minutes=minute)) == 304
        assert agent.answer.content == b""
        assert agent.answer["Tidings-Poll-Interval"] == "60"
        assert agent.answer["Cache-Control"] == "private, no-cache"


def test_a_tag_that_a_proxy_weakened_or_listed_still_matches(camille: Person) -> None:
    agent = Agent(camille)
    agent.poll()
    tag = agent.tag
    for condition in (f"W/{tag}", f'"other", {tag}', "*"):
        assert agent.poll(**{"If-None-Match": condition}) == 304
    assert agent.poll(**{"If-None-Match": '"other"'}) == 200


def test_a_campaign_comes_and_goes_with_the_clock_alone(camille: Person) -> None:
    bulk_data.publish("c-later", starts=NOON, lasts=timedelta(hours=1))
    agent = Agent(camille)
    assert agent.campaigns(NOON - timedelta(seconds=1)) == set()
    assert agent.poll(NOON - timedelta(microseconds=1)) == 304
    assert agent.poll(NOON) == 200
    assert agent.campaigns(NOON) == {"c-later"}
    assert agent.poll(NOON + timedelta(minutes=59)) == 304
    assert agent.poll(NOON + timedelta(hours=1)) == 200
    assert agent.campaigns(NOON + timedelta(hours=1)) == set()


def test_publishing_and_a_new_company_document_change_the_tag(camille: Person) -> None:
    agent = Agent(camille)
    agent.poll()
    bulk_data.publish("c-new")
    assert agent.poll() == 200
    publish_company(bulk_data.company())
    assert agent.poll() == 200
    assert agent.poll() == 304


def test_people_with_the_same_campaigns_have_tags_of_their_own(camille: Person) -> None:
    other = bulk_data.add_people(1, group="Sales")[0]
    mine, theirs = Agent(camille), Agent(other)
    mine.poll()
    theirs.tag = mine.tag
    assert theirs.poll() == 200


def test_every_document_of_the_company_has_a_higher_counter(camille: Person) -> None:
    counters = [bulk_data.publish(f"c-{number}").counter for number in range(3)]
    agent = Agent(camille)
    agent.campaigns()
    publish_company(bulk_data.company())
    agent.poll()
    counters.append(payload(agent.answer.json()["company"])["ctr"])
    assert counters == sorted(set(counters))


@pytest.mark.both_databases
@pytest.mark.expected_logs("are full")
def test_a_feed_holds_what_the_largest_may_hold_newest_first(camille: Person) -> None:
    documents = [
        bulk_data.publish(f"c-{number}", starts=NOON - timedelta(hours=number + 1)) for number in range(3)
    ]
    for campaign in documents:
        campaign.document = "x" * (LARGEST_FEED_BYTES // 2 - 6000)
        campaign.save()
    documents[2].document = "y" * 10_000
    documents[2].save()
    agent = Agent(camille)
    assert agent.poll() == 200
    assert len(agent.answer.content) <= LARGEST_FEED_BYTES
    assert agent.answer.json()["campaigns"] == [documents[0].document, documents[1].document]


def test_a_statement_says_what_the_feed_holds_and_lives_for_two_days(camille: Person) -> None:
    first, second = bulk_data.publish("c-1"), bulk_data.publish("c-2")
    agent = Agent(camille)
    said = agent.statement()
    assert (said["iss"], said["ctr"]) == ("northwind", 0)
    assert (said["iat"], said["exp"] - said["iat"]) == (int(NOON.timestamp()), 48 * 3600)
    company = payload(agent.answer.json()["company"])["ctr"]
    assert said["content"] == {
        "company": company,
        "campaigns": {"c-1": first.counter, "c-2": second.counter},
    }


def test_a_statement_is_for_one_computer(camille: Person) -> None:
    desk, lap = Agent(camille), Agent(camille)
    subjects = [agent.statement()["sub"] for agent in (desk, lap)]
    hashed = [hashlib.sha256(agent.token.encode()).hexdigest() for agent in (desk, lap)]
    assert subjects == [hashlib.sha256(f"tidings feed {each}".encode()).hexdigest() for each in hashed]


def test_an_agent_that_asks_for_no_statement_gets_the_feed_as_ever(camille: Person) -> None:
    agent = Agent(camille)
    agent.poll()
    assert set(agent.answer.json()) == {"v", "person", "company", "campaigns", "poll_interval_s"}
    plain = agent.tag
    assert agent.poll(**STATED) == 200, "the plain feed that it has is no stated one"
    assert agent.poll(NOON + timedelta(days=3), **{"If-None-Match": plain}) == 304, (
        "time alone changes nothing"
    )
    assert agent.answer["Vary"] == "Tidings-Feed, Tidings-Trials"


def test_an_unchanged_feed_is_stated_anew_every_twelve_hours_for_each_person_at_another_time(
    northwind: ServerHome,
) -> None:
    agents = [Agent(person) for person in bulk_data.add_people(12)]
    start, changes = NOON, []
    for agent in agents:
        agent.poll(start, **STATED)
        moments = [start + timedelta(hours=2 * number) for number in range(1, 25)]
        changes.append([at for at in moments if agent.poll(at, **STATED) == 200])
    for own in changes:
        assert [later - at for at, later in pairwise(own)] == [timedelta(hours=12)] * 3
    assert len({own[0] for own in changes}) > 2, "not all in the same two hours"


@pytest.mark.both_databases
def test_an_unchanged_poll_of_an_agent_that_wants_statements_costs_one_query(camille: Person) -> None:
    bulk_data.publish("c-1")
    agent = Agent(camille)
    agent.poll(**STATED)
    agent.poll(**STATED)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert agent.poll(**STATED) == 304
    assert len(queries) == 1


@pytest.mark.expected_logs("are full")
def test_a_campaign_that_does_not_fit_is_not_in_the_statement_either(camille: Person) -> None:
    for number in range(3):
        campaign = bulk_data.publish(f"c-{number}", starts=NOON - timedelta(hours=number + 1))
        campaign.document = campaign.document + "x" * (LARGEST_FEED_BYTES // 2 - 8192)
        campaign.save()
    agent = Agent(camille)
    said = agent.statement()
    assert list(said["content"]["campaigns"]) == ["c-0", "c-1"]
    assert len(agent.answer.json()["campaigns"]) == 2
    assert len(agent.answer.content) <= LARGEST_FEED_BYTES

"""What is assigned to a person, now, and how an unchanged feed is recognised."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from server import clock
from server.delivery.feed import LARGEST_FEED_BYTES
from server.directory.models import Person
from server.signing.documents import publish_company
from tests.support import server_data
from tests.support.campaign_server import ServerHome
from tests.support.wire import payload

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Agent:
    """Polls in this process, at any time of our choosing, and remembers the tag as an agent does."""

    def __init__(self, person: Person) -> None:
        self._headers = {"Authorization": f"Bearer {server_data.add_computers([person])[0]}"}
        self.tag = ""

    def poll(self, at: datetime = NOON, **headers: str) -> int:
        """Poll, and keep the tag and the names of the campaigns. Gives the status."""
        condition = {"If-None-Match": self.tag} if self.tag else {}
        with clock.using(lambda: at):
            self.answer = Client().get("/api/v1/feed", headers=self._headers | condition | headers)
        self.tag = self.answer["ETag"]
        return self.answer.status_code

    def campaigns(self, at: datetime = NOON) -> set[str]:
        """The ids of the campaigns in the feed."""
        self.tag = ""
        assert self.poll(at) == 200
        return {payload(document)["sub"] for document in self.answer.json()["campaigns"]}


@pytest.fixture
def camille(northwind: ServerHome) -> Person:
    return server_data.add_people(1, group="Sales")[0]


def test_a_person_gets_what_is_for_everyone_for_their_groups_and_for_them(camille: Person) -> None:
    other = server_data.add_people(1, group="Works")[0]
    server_data.publish("c-all")
    server_data.publish("c-sales", groups=["Sales"])
    server_data.publish("c-works", groups=["Works"])
    server_data.publish("c-camille", people=[camille])
    server_data.publish("c-other", people=[other])
    assert Agent(camille).campaigns() == {"c-all", "c-sales", "c-camille"}
    assert Agent(other).campaigns() == {"c-all", "c-works", "c-other"}


def test_an_unchanged_feed_is_answered_304_every_time(camille: Person) -> None:
    server_data.publish("c-1")
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
    server_data.publish("c-later", starts=NOON, lasts=timedelta(hours=1))
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
    server_data.publish("c-new")
    assert agent.poll() == 200
    publish_company(server_data.company())
    assert agent.poll() == 200
    assert agent.poll() == 304


def test_people_with_the_same_campaigns_have_tags_of_their_own(camille: Person) -> None:
    other = server_data.add_people(1, group="Sales")[0]
    mine, theirs = Agent(camille), Agent(other)
    mine.poll()
    theirs.tag = mine.tag
    assert theirs.poll() == 200


def test_every_document_of_the_company_has_a_higher_counter(camille: Person) -> None:
    counters = [server_data.publish(f"c-{number}").counter for number in range(3)]
    agent = Agent(camille)
    agent.campaigns()
    publish_company(server_data.company())
    agent.poll()
    counters.append(payload(agent.answer.json()["company"])["ctr"])
    assert counters == sorted(set(counters))


def test_a_feed_holds_what_the_largest_may_hold_newest_first(camille: Person) -> None:
    documents = [
        server_data.publish(f"c-{number}", starts=NOON - timedelta(hours=number + 1)) for number in range(3)
    ]
    for campaign in documents:
        campaign.document = "x" * (LARGEST_FEED_BYTES // 2 - 4096)
        campaign.save()
    documents[2].document = "y" * 10_000
    documents[2].save()
    agent = Agent(camille)
    assert agent.poll() == 200
    assert len(agent.answer.content) <= LARGEST_FEED_BYTES
    assert agent.answer.json()["campaigns"] == [documents[0].document, documents[1].document]

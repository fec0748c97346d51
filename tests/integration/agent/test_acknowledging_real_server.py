"""“I have read this”, from the agent to the real server: once and by name, over lost answers, kills and refusals."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.my_data_models import ACKNOWLEDGEMENT, SentStatus
from tests.support.agent.confirmer import ALL
from tests.support.agent.parts import Agent, an_agent
from tests.support.children import Child
from tests.support.proxy import Answer, DropAnswer, FaultyProxy, faulty_proxy
from tests.support.server import bulk_data, django_ready  # noqa: F401
from tests.support.server.campaign_server import RunningServer, ServerHome
from tests.support.server.wire import an_hour_ago
from tests.support.waiting import until

ASKING = 24
KILLS = 3
SENDING = "POST /api/v1/acknowledgements"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    """Northwind's server, with campaigns that ask."""
    made = ServerHome(tmp_path_factory.mktemp("company") / "server")
    made.init()
    with made.opened():
        bulk_data.add_people(6)
        for number in range(ASKING):
            bulk_data.publish(f"c-rules-{number}", starts=an_hour_ago(), acknowledge=True)
    return made


@pytest.fixture(scope="module")
def server(home: ServerHome) -> Iterator[RunningServer]:
    with home.running("--requests-per-minute", "0") as running:
        yield running


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(server.url) as between:
        yield between


@contextmanager
def employee(home: ServerHome, number: int, url: str, folder: Path) -> Iterator[Agent]:
    """The computer of one person, with all campaigns; it sends when it is told to."""
    from datetime import timedelta

    from server.devices.enrolment import invite
    from server.directory.models import Person

    with home.opened():
        code = invite(Person.objects.get(email=f"p{number}@northwind.example"), timedelta(days=1))
    with an_agent(folder) as agent:
        agent.runtime.enrol(url, code)
        agent.runtime.sync_once()
        yield agent


def kept(home: ServerHome, number: int) -> list[tuple[str, str]]:
    """What the server has of a person: campaign and event."""
    from server.acknowledgements.models import Acknowledgement

    with home.opened():
        rows = Acknowledgement.objects.filter(person__email=f"p{number}@northwind.example").order_by("pk")
        return [(row.campaign.campaign_id, str(row.event_id)) for row in rows.select_related("campaign")]


def statuses(agent: Agent) -> list[SentStatus]:
    return [item.status for item in agent.runtime.my_data.sent() if item.kind == ACKNOWLEDGEMENT]


def test_offline_then_with_a_lost_answer_it_is_kept_once_and_agrees_with_what_was_sent(
    home: ServerHome, proxy: FaultyProxy, tmp_path: Path
) -> None:
    with employee(home, 0, proxy.url, tmp_path) as agent:
        agent.runtime.interactions.acknowledge("c-rules-0")
        proxy.fail(Answer(502))
        with pytest.raises(errors.ServerFault):
            agent.runtime.sync_once()
        assert (kept(home, 0), statuses(agent)) == ([], [SentStatus.WAITING])
        proxy.heal()
        proxy.fail(DropAnswer(), SENDING, times=1)
        with pytest.raises(errors.ServerUnreachable):
            agent.runtime.sync_once()
        assert len(kept(home, 0)) == 1, "the server has it, and nobody here knows"
        assert statuses(agent) == [SentStatus.WAITING]
        agent.runtime.sync_once()
        sent = proxy.requests(SENDING)
        assert len({exchange.body for exchange in sent}) == 1
        said = json.loads(sent[0].body)
        assert kept(home, 0) == [("c-rules-0", said["event_id"])]
        assert (statuses(agent), agent.runtime.status().waiting) == ([SentStatus.STORED], 0)
        comparison = agent.runtime.my_data.verify()
        assert (comparison.agreed, comparison.differences) == (1, ())


def test_kill_9_between_the_act_and_the_answer_loses_none_and_doubles_none(
    home: ServerHome, server: RunningServer, tmp_path: Path
) -> None:
    chance, told = random.Random(4), set[str]()
    with employee(home, 1, server.url, tmp_path) as agent:
        (token,) = agent.keychain.secrets.values()
    for number in range(KILLS):
        log, least = tmp_path / f"confirmer-{number}.log", chance.randrange(1, ASKING // KILLS)
        command = [sys.executable, "-m", "tests.support.agent.confirmer", str(tmp_path), token]
        with Child(command, log) as child:
            until(partial(lines, log, least), "some confirmations", every=0.002)
            child.kill()
        told |= set(log.read_text().split()) - {ALL}
    with an_agent(tmp_path, agent.keychain) as again:
        again.runtime.sync_once()
        confirmed = {i.campaign.campaign_id for i in again.runtime.inbox() if i.state.acknowledged}
        assert again.runtime.status().waiting == 0
        assert set(statuses(again)) == {SentStatus.STORED}
        assert again.runtime.my_data.verify().differences == ()
    arrived = [campaign_id for campaign_id, _event in kept(home, 1)]
    assert len(arrived) == len(set(arrived))
    assert told <= set(arrived) == confirmed
    assert len(told) >= KILLS


def lines(log: Path, least: int) -> bool:
    said = log.read_bytes()
    return said.count(b"\n") >= least or ALL.encode() in said


def test_two_computers_of_a_person_are_one_confirmation(
    home: ServerHome, server: RunningServer, tmp_path: Path
) -> None:
    with (
        employee(home, 2, server.url, tmp_path / "one") as one,
        employee(home, 2, server.url, tmp_path / "two") as two,
    ):
        for agent in (one, two):
            agent.runtime.interactions.acknowledge("c-rules-1")
            agent.runtime.sync_once()
            assert statuses(agent) == [SentStatus.STORED]
            assert agent.runtime.my_data.verify().differences == ()
    assert len(kept(home, 2)) == 1


@pytest.mark.expected_logs("refused an acknowledgement for good")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("no longer for the person", "no such campaign"),
        ("gone", "no such campaign"),
        ("not asked", "does not ask"),
    ],
)
def test_a_confirmation_that_the_server_can_never_take_is_told_in_a_sentence(
    home: ServerHome, server: RunningServer, tmp_path: Path, change: str, reason: str
) -> None:
    from server.campaigns.models import Campaign
    from server.directory.models import Person

    with home.opened():
        people = list(Person.objects.filter(email="p3@northwind.example"))
        bulk_data.publish("c-own", starts=an_hour_ago(), people=people, acknowledge=True)
    with employee(home, 3, server.url, tmp_path) as agent:
        agent.runtime.interactions.acknowledge("c-own")
        with home.opened():
            campaign = Campaign.objects.get(campaign_id="c-own")
            if change == "no longer for the person":
                campaign.audience_people.clear()
            elif change == "gone":
                campaign.delete()
            else:
                Campaign.objects.filter(pk=campaign.pk).update(acknowledge=False)
        agent.runtime.sync_once()
        (trouble,) = agent.runtime.status().troubles
        assert reason in trouble.message
        assert statuses(agent) == [SentStatus.REFUSED]
    assert kept(home, 3) == []
    with home.opened():
        Campaign.objects.filter(campaign_id="c-own").delete()


def test_confirmed_before_the_recall_was_heard_of_it_counts(
    home: ServerHome, server: RunningServer, tmp_path: Path
) -> None:
    from server.publishing.recall import recall

    with employee(home, 4, server.url, tmp_path) as agent:
        agent.runtime.interactions.acknowledge("c-rules-2")
        with home.opened():
            recall(bulk_data.company(), "c-rules-2", "command-line")
        agent.runtime.sync_once()
        assert [campaign_id for campaign_id, _event in kept(home, 4)] == ["c-rules-2"]
        assert statuses(agent) == [SentStatus.STORED]
        assert "c-rules-2" not in {item.campaign.campaign_id for item in agent.runtime.inbox()}


def test_erasing_the_person_erases_their_confirmations(
    home: ServerHome, server: RunningServer, tmp_path: Path
) -> None:
    from server.directory.models import Person
    from server.erasure.erasure import erase

    with employee(home, 5, server.url, tmp_path) as agent:
        agent.runtime.interactions.acknowledge("c-rules-3")
        agent.runtime.sync_once()
        assert len(kept(home, 5)) == 1
        with home.opened():
            erase(bulk_data.company(), [Person.objects.get(email="p5@northwind.example").pk])
        with pytest.raises(errors.TokenRefused):
            agent.runtime.sync_once()
    assert kept(home, 5) == []

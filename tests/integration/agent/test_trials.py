"""The test of an announcement that somebody sent to their own computer: shown, gone in an hour, and told to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.domain.model import HoldReason, Interaction, InteractionKind, PresenceState, Tristate
from tests.contract.golden_documents import RECEIPT_SIGNER, payload, signed
from tests.support.agent.company_in_memory import FAR, Company, running
from tests.support.agent.parts import Agent, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer, loopback_server
from tests.support.agent.watching import CODE

TRIAL = "t-0123456789abcdef"


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def server(company: Company) -> Iterator[LoopbackServer]:
    with loopback_server(company) as running_server:
        yield running_server


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    with an_agent(tmp_path) as opened:
        opened.runtime.enrol(server.url, CODE)
        yield opened


def inbox(agent: Agent) -> list[str]:
    return [item.campaign.campaign_id for item in agent.runtime.inbox()]


def shown(agent: Agent) -> list[str]:
    return [item.campaign.campaign_id for item in agent.runtime.select(PresenceState()).show]


def test_it_comes_at_once_whatever_holds_others_back_and_goes_when_its_hour_is_over(
    agent: Agent, company: Company
) -> None:
    company.is_stating = True
    company.publish("c-one")
    company.try_out(running("The studio opens", starts="2099-01-01T00:00:00Z", ends="2099-02-01T00:00:00Z"))
    agent.runtime.sync_once()
    agent.runtime.pause(7200)
    held = agent.runtime.select(PresenceState()).held
    assert (shown(agent), held) == ([TRIAL], {"c-one": HoldReason.PAUSED})
    away = agent.runtime.select(PresenceState(locked=Tristate.YES)).held
    assert away[TRIAL] is HoldReason.SCREEN_LOCKED, "nobody would see it"
    assert inbox(agent) == [TRIAL, "c-one"]
    assert agent.runtime.status().unread == 2
    agent.runtime.interactions.displayed([TRIAL])
    agent.runtime.pause(None)
    assert shown(agent) == ["c-one"], "it came once, and no limit of pop-ups counts it"
    agent.clock.advance(3601)
    assert inbox(agent) == ["c-one"]
    assert agent.runtime.status().unread == 1


def test_another_one_takes_its_place_and_what_ended_at_the_server_is_gone(
    agent: Agent, company: Company
) -> None:
    company.try_out(running("The first"))
    agent.runtime.sync_once()
    company.try_out(running("The second"), sub="t-fedcba9876543210")
    agent.runtime.sync_once()
    assert inbox(agent) == ["t-fedcba9876543210"]
    asked = len(agent.verifier.questions)
    company.publish("c-one")
    agent.runtime.sync_once()
    assert len(agent.verifier.questions) == asked + 1, "the one that is known is not verified again"
    company.trials = []
    agent.runtime.sync_once()
    assert inbox(agent) == ["c-one"]


def _as_campaign(company: Company) -> None:
    company.documents["c-x"] = company.try_out(running("As a campaign"))
    company.trials = []


def _for_another(company: Company) -> None:
    company.try_out(running("For another computer"), "tdt_" + "b" * 40)


def _for_longer(company: Company) -> None:
    now = int(company.now().timestamp())
    company.try_out(running("For a day"), exp=now + 86_400)


def _over(company: Company) -> None:
    now = int(company.now().timestamp())
    company.try_out(running("Of yesterday"), iat=now - 7200, exp=now - 3600)


def _with_the_id_of_a_campaign(company: Company) -> None:
    company.try_out(running("With another id"), sub="c-one")


def _by_the_other_key(company: Company) -> None:
    said = {"computers": [company.subject()], "campaign": running("By a key for receipts")}
    now = int(company.now().timestamp())
    document = payload(TRIAL, said, 0, now + 3600) | {"iat": now}
    company.trials = [signed("tidings-trial", document, RECEIPT_SIGNER)]


def _a_campaign_as_one(company: Company) -> None:
    company.trials = [signed("tidings-campaign", payload(TRIAL, running("A campaign"), 99, FAR))]


@pytest.mark.parametrize(
    "bad",
    [
        _as_campaign,
        _for_another,
        _for_longer,
        _over,
        _with_the_id_of_a_campaign,
        _by_the_other_key,
        _a_campaign_as_one,
    ],
)
@pytest.mark.expected_logs("was refused")
def test_none_is_taken_that_was_not_signed_as_a_test_for_this_computer_and_this_hour(
    bad: Callable[[Company], object], agent: Agent, company: Company
) -> None:
    bad(company)
    agent.runtime.sync_once()
    assert inbox(agent) == []


def test_a_like_and_a_reminder_are_shown_and_nothing_is_left_after_a_restart(
    agent: Agent, company: Company, server: LoopbackServer, tmp_path: Path
) -> None:
    company.try_out(running("The studio opens", acknowledge=True))
    agent.runtime.sync_once()
    agent.runtime.choose(all_on())
    interactions = agent.runtime.interactions
    interactions.record(Interaction(TRIAL, InteractionKind.LIKED))
    interactions.acknowledge(TRIAL)
    interactions.displayed([TRIAL])
    interactions.remind(TRIAL, 900)
    (item,) = agent.runtime.inbox()
    assert (item.state.liked, item.state.acknowledged) == (True, agent.clock.now())
    assert agent.runtime.allowed_url(TRIAL, "l1") == "https://intranet.northwind.example/"
    agent.clock.advance(901)
    assert shown(agent) == [TRIAL]
    agent.runtime.disconnect()
    assert inbox(agent) == []
    assert not company.events
    assert not company.acknowledged

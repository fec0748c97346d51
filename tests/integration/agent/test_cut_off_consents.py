"""A consent whose line was cut off: the server may have it or not, and may handle it late. Both ends agree in the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company, Fault, instead, lost_answer
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request
from tests.support.agent.watching import CODE, asked

CLICK = FeedbackSignal.CLICK
CUT_OFF = [
    pytest.param(lost_answer, id="the server has it"),
    pytest.param(instead(Reply(LOST)), id="the server has it not"),
]


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    """Connected, and sends when it is told to."""
    with an_agent(tmp_path) as connected:
        connected.runtime.enrol(server.url, CODE)
        connected.runtime.sync_once()
        yield connected


def turn(agent: Agent, *, on: bool) -> None:
    agent.runtime.choose({CLICK: on})


def cut_off(agent: Agent, company: Company, server: LoopbackServer, fault: Fault) -> Request:
    """The agent gives its consent, and hears nothing. Returns what it said."""
    turn(agent, on=True)
    server.answer = lambda request: (
        fault(request, lambda: company(request)) if request.path.endswith("consents") else company(request)
    )
    with pytest.raises(errors.ServerUnreachable):
        agent.runtime.send_once()
    server.answer = company
    return asked(server, "consents")[-1]


def kept(agent: Agent) -> list[tuple[str, bool | None]]:
    """What the receipts say, oldest first."""
    return [(each.status, each.genuine) for each in reversed(agent.runtime.my_data.receipts())]


def click_is_stored(agent: Agent, company: Company) -> bool:
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    agent.runtime.send_once()
    return bool(company.events)


@pytest.mark.parametrize("fault", CUT_OFF)
def test_it_is_told_again_with_the_same_effect(
    agent: Agent, company: Company, server: LoopbackServer, fault: Fault
) -> None:
    said = cut_off(agent, company, server, fault)
    assert (agent.runtime.status().owed, kept(agent)) == (1, [])
    agent.runtime.send_once()
    assert asked(server, "consents")[-1].body == said.body
    assert (agent.runtime.status().owed, kept(agent)) == (0, [("given", True)])
    assert list(company.consents.values()) == ["given"]
    assert click_is_stored(agent, company)
    assert {event["receipt_id"] for event in company.events.values()} == set(company.in_force())


@pytest.mark.parametrize("fault", CUT_OFF)
@pytest.mark.parametrize("again", [False, True], ids=["off", "off, on and off"])
def test_what_is_turned_off_meanwhile_stays_off_also_where_the_consent_arrives_last(
    agent: Agent, company: Company, server: LoopbackServer, fault: Fault, *, again: bool
) -> None:
    """All of it within one second, so that no time tells what was first."""
    said = cut_off(agent, company, server, fault)
    turn(agent, on=False)
    if again:
        turn(agent, on=True)
        turn(agent, on=False)
    agent.runtime.send_once()
    company(said)
    assert company.in_force() == []
    assert not click_is_stored(agent, company)
    assert agent.runtime.status().owed == 0
    assert set(kept(agent)) == {("withdrawn", True)}

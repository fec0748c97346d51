"""The agent at work: stopping in the middle of it, and what windows ask of it."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import pytest

from agent.domain import errors
from agent.domain.model import ConnectionState, Interaction, InteractionKind, PresenceState, Tristate
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, MemoryKeychain, all_off, all_on, an_agent
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE, asked, held
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize("ending", ["feed", "signals"])
def test_stopping_during_a_request_is_quick_and_quiet(
    agent: Agent, company: Company, server: LoopbackServer, ending: str
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    free = held(server, company, ending)
    before = len(asked(server, ending))
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    agent.runtime.check_now()
    until(lambda: len(asked(server, ending)) > before, "the request")
    agent.runtime.stop()
    alive = [thread.name for thread in threading.enumerate() if thread.name in ("poll", "send", "fetch")]
    free.set()
    assert alive == []


def test_what_was_cut_off_by_a_stop_is_sent_after_the_next_start(
    agent: Agent, company: Company, server: LoopbackServer, tmp_path: Path
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    free = held(server, company, "signals")
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    until(lambda: asked(server, "signals"), "the request")
    agent.runtime.stop()
    free.set()
    with an_agent(tmp_path, agent.keychain) as again:
        again.runtime.start()
        until(lambda: again.runtime.status().waiting == 0, "the click")
    assert len(company.counted("click")) == 1


def test_a_stop_in_the_middle_of_work_is_quiet(server: LoopbackServer, tmp_path: Path) -> None:
    """Whatever the workers are doing when the store closes."""
    keychain = MemoryKeychain()
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
    for number in range(25):
        with an_agent(tmp_path, keychain) as agent:
            agent.runtime.start()
            agent.runtime.choose(all_on() if number % 2 else all_off())
            if number % 3 == 0:
                until(lambda: server.requests, "any request")


def test_stopping_twice_is_harmless(agent: Agent) -> None:
    agent.runtime.stop()
    agent.runtime.stop()


def test_a_like_of_a_campaign_that_is_gone_is_no_error(agent: Agent, company: Company) -> None:
    agent.runtime.choose(all_on())
    for act in InteractionKind:
        agent.runtime.interactions.record(Interaction("c-gone", act, "l1"))
    until(lambda: agent.runtime.status().waiting == 0, "an empty outbox")
    assert not company.counted("like")


def test_once_displayed_a_campaign_comes_back_only_as_a_reminder(agent: Agent) -> None:
    free = PresenceState(Tristate.NO, Tristate.NO, Tristate.NO)
    until(lambda: agent.runtime.select(free).show, "the campaign")
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.DISPLAYED))
    assert not agent.runtime.select(free).show
    agent.runtime.interactions.remind("c-one", 900)
    assert not agent.runtime.select(free).show
    agent.clock.advance(900)
    assert agent.runtime.select(free).show
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.DISPLAYED))
    assert not agent.runtime.select(free).show


def test_neither_marking_nor_a_reminder_counts_as_a_pop_up(agent: Agent) -> None:
    def popped_up() -> datetime | None:
        (item,) = (each for each in agent.runtime.inbox() if each.campaign.campaign_id == "c-one")
        return item.state.popped_up

    until(lambda: agent.runtime.inbox(), "the campaign")
    agent.runtime.interactions.mark_read(["c-one"], False)
    assert popped_up() is None
    agent.runtime.interactions.remind("c-one", 900)
    agent.clock.advance(900)
    agent.runtime.interactions.displayed(["c-one"])
    assert popped_up() is None
    agent.runtime.interactions.displayed(["c-one"])
    assert popped_up() is not None


def test_a_pause_ends_by_itself_or_by_the_person(agent: Agent) -> None:
    agent.runtime.pause(1_800)
    assert agent.runtime.status().paused_until is not None
    agent.runtime.pause(None)
    assert agent.runtime.status().paused_until is None
    agent.runtime.pause(1_800)
    agent.clock.advance(1_800)
    assert agent.runtime.status().paused_until is None


def test_a_pause_from_a_clock_that_was_years_ahead_holds_nothing_once_the_clock_is_right(
    agent: Agent,
) -> None:
    years = 900 * 86_400
    agent.clock.advance(years)
    agent.runtime.pause(1_800)
    assert agent.runtime.status().paused_until is not None
    agent.clock.advance(-years)
    assert agent.runtime.status().paused_until is None


def test_only_a_link_that_the_campaign_still_has_is_opened(agent: Agent, company: Company) -> None:
    until(lambda: agent.runtime.inbox(), "the campaign")
    assert agent.runtime.allowed_url("c-one", "l1") == "https://intranet.northwind.example/"
    for campaign_id, link_id in [("c-one", "l2"), ("c-gone", "l1")]:
        with pytest.raises(errors.InvalidInput):
            agent.runtime.allowed_url(campaign_id, link_id)
    company.sign_company(link_hosts=["other.example"])
    agent.runtime.check_now()
    until(lambda: agent.runtime.status().company.link_hosts == ("other.example",), "the new hosts")
    with pytest.raises(errors.InvalidInput):
        agent.runtime.allowed_url("c-one", "l1")


def test_a_clock_that_is_set_back_by_years_breaks_nothing(agent: Agent, company: Company) -> None:
    agent.clock.jump(-10 * 365 * 86_400)
    company.publish("c-two")
    agent.runtime.check_now()
    until(lambda: len(agent.runtime.inbox()) == 2, "the next announcement")
    assert agent.runtime.status().connection is ConnectionState.CONNECTED

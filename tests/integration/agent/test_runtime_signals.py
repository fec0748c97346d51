"""The agent at work: what a person chooses and does, told while polling and sending run on their threads."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from agent.domain.model import Change, FeedbackSignal, Interaction, InteractionKind
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, all_off, all_on, notice
from tests.support.agent.scripted_server import LoopbackServer, Reply, Request
from tests.support.agent.watching import RETRIES, asked, held
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("impatient")


def test_listeners_are_told_of_changes_until_they_unsubscribe(agent: Agent, company: Company) -> None:
    heard: list[Change] = []
    unsubscribe = agent.runtime.subscribe(heard.append)
    company.publish("c-two")
    agent.runtime.check_now()
    until(lambda: Change.CAMPAIGNS in heard, "the change")
    unsubscribe()
    until(lambda: len(agent.runtime.inbox()) == 2, "the announcement")
    heard.clear()
    agent.runtime.pause(60)
    assert heard == []


def test_only_the_signals_that_are_switched_on_leave(agent: Agent, company: Company) -> None:
    agent.runtime.choose({FeedbackSignal.SEEN: False, FeedbackSignal.CLICK: True, FeedbackSignal.LIKE: False})
    for act in InteractionKind:
        agent.runtime.interactions.record(Interaction("c-one", act, "l1"))
    until(lambda: company.events, "the click")
    until(lambda: agent.runtime.status().waiting == 0, "an empty outbox")
    assert [event["signal"] for event in company.events.values()] == ["click"]


def test_nothing_leaves_before_a_choice(agent: Agent, company: Company, server: LoopbackServer) -> None:
    for act in InteractionKind:
        agent.runtime.interactions.record(Interaction("c-one", act, "l1"))
    agent.runtime.defer_choice()
    polls = len(asked(server, "feed"))
    agent.runtime.check_now()
    until(lambda: len(asked(server, "feed")) > polls, "another poll")
    assert not asked(server, "signals")
    assert not asked(server, "consents")


def test_what_is_seen_twice_is_told_once_and_every_like_with_its_number(
    agent: Agent, company: Company
) -> None:
    agent.runtime.choose(all_on())
    for act in (
        InteractionKind.SEEN,
        InteractionKind.SEEN,
        InteractionKind.LIKED,
        InteractionKind.UNLIKED,
        InteractionKind.LIKED,
    ):
        agent.runtime.interactions.record(Interaction("c-one", act))
    until(lambda: len(company.events) == 4, "one seen and three likes")
    likes = [(event["seq"], event["value"]) for event in company.counted("like")]
    first = likes[0][0]
    assert likes == [(first, 1), (first + 1, 0), (first + 2, 1)]
    assert first == 1_000 * (agent.clock.now().date() - date(1970, 1, 1)).days, "as docs/protocol says"
    assert len(company.counted("seen")) == 1


def test_giving_again_sends_no_history(agent: Agent, company: Company) -> None:
    agent.runtime.choose(all_on())
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.SEEN))
    until(lambda: company.events, "the first seen")
    agent.runtime.choose(all_off())
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    until(lambda: agent.runtime.status().waiting == 0, "the withdrawals")
    assert company.events == {}
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    assert company.events == {}
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.SEEN))
    until(lambda: len(company.events) == 1, "a new act")


@pytest.mark.expected_logs(RETRIES)
def test_a_withdrawal_cuts_off_what_is_on_its_way(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    free = held(server, company, "signals")
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    until(lambda: asked(server, "signals"), "the click on its way")
    agent.runtime.choose(all_off())
    until(lambda: agent.runtime.status().waiting == 0, "the withdrawals, though the click still hangs")
    assert len(asked(server, "signals")) == 1
    free.set()
    until(lambda: "withdrawn" in company.consents.values(), "the withdrawal")


def test_a_storm_of_choices_and_acts_leaves_exactly_what_was_made_under_the_last_consent(
    agent: Agent, company: Company
) -> None:
    """Acts on one thread, choices on another, sending on a third."""
    done = threading.Event()

    def act() -> None:
        while not done.is_set():
            agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))

    actor = threading.Thread(target=act)
    actor.start()
    try:
        for _ in range(15):
            agent.runtime.choose(all_on())
            agent.runtime.choose(all_off())
            assert list(agent.folders.data.glob("outbox-click*")) == []
    finally:
        done.set()
        actor.join()
    assert list(agent.folders.data.glob("outbox-*")) == []
    until(lambda: agent.runtime.status().waiting == 0, "the last withdrawal")
    assert company.events == {}
    assert company.in_force() == []


def test_a_withdrawal_that_is_owed_is_told_before_the_computer_disconnects(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose({FeedbackSignal.CLICK: True})
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    until(lambda: company.events, "the click")
    free = held(server, company, "consents")
    agent.runtime.choose({FeedbackSignal.CLICK: False})
    until(lambda: len(asked(server, "consents")) > 1, "the withdrawal on its way")
    server.answer = company
    agent.runtime.disconnect()
    free.set()
    assert list(company.consents.values()) == ["withdrawn"]
    assert (company.events, company.token) == ({}, "")


def test_a_newer_notice_at_the_server_is_fetched_and_the_question_asked_again(
    agent: Agent, company: Company
) -> None:
    heard: list[Change] = []
    agent.runtime.subscribe(heard.append)
    company.sign_company(notice=company.content["notice"] | {"version": 4})
    agent.runtime.choose({FeedbackSignal.CLICK: True})
    until(lambda: agent.runtime.status().company.notice.version == 4, "the new notice")
    assert agent.runtime.status().choose_now
    assert heard.count(Change.CONSENT) >= 2
    agent.runtime.choose({FeedbackSignal.CLICK: True})
    until(
        lambda: sorted(company.consents.values()) == ["given", "withdrawn"],
        "the new consent, the old one ended",
    )


def test_a_notice_that_can_be_read_is_the_one_that_a_choice_is_recorded_for(
    agent: Agent, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks while a poll takes a newer notice over finds the old one or the new one, in all places."""
    gate, given = agent.runtime._gate, []

    def read_and_choose() -> None:
        if agent.runtime.status().company.notice.version == 4:
            agent.runtime.choose({FeedbackSignal.CLICK: True})
            given.extend(agent.runtime.choices())

    reader, use_company = threading.Thread(target=read_and_choose), gate.use_company

    def meanwhile(new: object) -> bool:
        if getattr(new, "notice", None) == notice(4) and not reader.ident:
            reader.start()
            reader.join(0.2)
        return use_company(new)

    monkeypatch.setattr(gate, "use_company", meanwhile)
    company.sign_company(notice=company.content["notice"] | {"version": 4})
    agent.runtime.check_now()
    until(lambda: reader.ident and not reader.is_alive(), "what was read")
    assert [each.signal for each in given if each.on] == [FeedbackSignal.CLICK]
    until(lambda: list(company.consents.values()) == ["given"], "the consent")
    assert [each.signal for each in agent.runtime.choices() if each.on] == [FeedbackSignal.CLICK]


def test_a_withdrawal_while_a_batch_is_answered_is_no_fault_of_the_queue(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    """The answer comes when the queue is gone already: nothing is left in it, and nothing is to be told."""
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")

    def answer(request: Request) -> Reply:
        if request.path.endswith("signals"):
            agent.runtime._outbox.withdraw([FeedbackSignal.CLICK])
        return company(request)

    server.answer = answer
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    until(lambda: len(company.counted("click")) == 1, "the click")
    until(lambda: agent.runtime.status().waiting == 0, "an empty outbox")

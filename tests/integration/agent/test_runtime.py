"""The agent at work on its threads: enrolling, polling, sending, withdrawing and stopping while all of that runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import errors, policy
from agent.model import Act, Change, Connection, Interaction, PresenceState, Signal, Tristate
from tests.support.agent_company import Company
from tests.support.agent_parts import Agent, MemoryKeychain, all_off, all_on, an_agent
from tests.support.agent_server import LOST, LoopbackServer, Reply, Request, loopback_server, problem
from tests.support.waiting import until

CODE = "KX7P-9QMD-2HTV"
RETRIES = "next try in"


@pytest.fixture
def company() -> Company:
    made = Company()
    made.publish("c-one")
    return made


@pytest.fixture
def server(company: Company) -> Iterator[LoopbackServer]:
    with loopback_server(company) as running:
        yield running


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once what a person's computer tries again after seconds."""
    monkeypatch.setattr(policy, "BACKOFF_FIRST_S", 0.01)


@pytest.fixture
def agent(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    """Connected and running."""
    with an_agent(tmp_path) as opened:
        opened.runtime.start()
        opened.runtime.enrol(server.url, CODE)
        reaches(opened, Connection.CONNECTED)
        yield opened


def reaches(agent: Agent, connection: Connection) -> None:
    until(lambda: agent.runtime.status().connection is connection, f"the state {connection.value}")


def asked(server: LoopbackServer, ending: str) -> list[Request]:
    return [request for request in server.requests if request.path.endswith(ending)]


def held(server: LoopbackServer, company: Company, ending: str) -> threading.Event:
    """Answer requests whose path ends so only after the event was set."""
    free = threading.Event()

    def slow(request: Request) -> Reply:
        if request.path.endswith(ending):
            free.wait(10)
        return company(request)

    server.answer = slow
    return free


def test_an_agent_that_runs_polls_as_soon_as_it_is_connected(server: LoopbackServer, tmp_path: Path) -> None:
    with an_agent(tmp_path) as agent:
        agent.runtime.start()
        assert agent.runtime.status().connection is Connection.NOT_CONNECTED
        agent.runtime.enrol(server.url, CODE)
        until(lambda: agent.runtime.inbox(), "the first announcement")
        reaches(agent, Connection.CONNECTED)


def test_an_agent_starts_connected_when_it_was_connected_before(
    agent: Agent, server: LoopbackServer, tmp_path: Path
) -> None:
    agent.runtime.stop()
    with an_agent(tmp_path, agent.keychain) as again:
        assert again.runtime.status().connection is Connection.CONNECTING
        again.runtime.start()
        reaches(again, Connection.CONNECTED)
        assert again.runtime.inbox()


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
    agent.runtime.choose({Signal.SEEN: False, Signal.CLICK: True, Signal.LIKE: False})
    for act in Act:
        agent.runtime.record(Interaction("c-one", act, "l1"))
    until(lambda: company.events, "the click")
    until(lambda: agent.runtime.status().waiting == 0, "an empty outbox")
    assert [event["signal"] for event in company.events.values()] == ["click"]


def test_nothing_leaves_before_a_choice(agent: Agent, company: Company, server: LoopbackServer) -> None:
    for act in Act:
        agent.runtime.record(Interaction("c-one", act, "l1"))
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
    for act in (Act.SEEN, Act.SEEN, Act.LIKED, Act.UNLIKED, Act.LIKED):
        agent.runtime.record(Interaction("c-one", act))
    until(lambda: len(company.events) == 4, "one seen and three likes")
    likes = [(event["seq"], event["value"]) for event in company.counted("like")]
    assert likes == [(1, 1), (2, 0), (3, 1)]
    assert len(company.counted("seen")) == 1


def test_giving_again_sends_no_history(agent: Agent, company: Company) -> None:
    agent.runtime.choose(all_on())
    agent.runtime.record(Interaction("c-one", Act.SEEN))
    until(lambda: company.events, "the first seen")
    agent.runtime.choose(all_off())
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
    until(lambda: agent.runtime.status().waiting == 0, "the withdrawals")
    assert company.events == {}
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    assert company.events == {}
    agent.runtime.record(Interaction("c-one", Act.SEEN))
    until(lambda: len(company.events) == 1, "a new act")


@pytest.mark.expected_logs(RETRIES)
def test_a_withdrawal_cuts_off_what_is_on_its_way(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    free = held(server, company, "signals")
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
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
            agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))

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
    until(lambda: agent.runtime.status().waiting == 0, "the last withdrawal", seconds=20)
    assert company.events == {}
    assert set(company.consents.values()) <= {"withdrawn"}


@pytest.mark.expected_logs(RETRIES)
def test_a_server_that_is_away_is_offline_and_then_all_catches_up(agent: Agent, company: Company) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    answer, away = company._answer, threading.Event()

    def lost(request: Request) -> Reply:
        return Reply(LOST) if away.is_set() else answer(request)

    company._answer = lost  # type: ignore[method-assign]
    away.set()
    agent.runtime.check_now()
    reaches(agent, Connection.OFFLINE)
    assert [trouble.code for trouble in agent.runtime.status().troubles] == ["ServerUnreachable"]
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
    company.publish("c-two")
    away.clear()
    reaches(agent, Connection.CONNECTED)
    until(lambda: company.events and len(agent.runtime.inbox()) == 2, "all that was missed")


@pytest.mark.expected_logs("must be connected again")
def test_a_revoked_computer_says_so_asks_no_more_and_connects_again_with_a_new_code(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose({Signal.CLICK: True})
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
    until(lambda: company.events, "the click")
    company.token = "tdt_" + "n" * 40
    agent.runtime.check_now()
    reaches(agent, Connection.REVOKED)
    before = len(server.requests)
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
    agent.runtime.check_now()
    company.codes.add("AAAABBBBCCCC")
    agent.runtime.enrol(server.url, "AAAA-BBBB-CCCC")
    reaches(agent, Connection.CONNECTED)
    until(lambda: len(company.events) == 2, "the click made meanwhile, by the same person")
    assert len(server.requests) > before


@pytest.mark.expected_logs(RETRIES)
def test_a_busy_server_is_left_alone_whoever_wakes_a_task(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    busy = problem(503, "overloaded", {"Retry-After": "3600"})
    server.answer = lambda _: busy
    agent.runtime.check_now()
    reaches(agent, Connection.OFFLINE)
    before = len(server.requests)
    runs = counted_runs(agent, "send")
    for _ in range(20):
        agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
        agent.runtime.check_now()
    until(lambda: runs() >= 1, "a run that was woken")
    assert len(server.requests) == before


def counted_runs(agent: Agent, name: str) -> Callable[[], int]:
    """How often a task has run since."""
    task = getattr(agent.runtime._work, name)
    run, runs = task._run, []

    def counted() -> Any:
        try:
            return run()
        finally:
            runs.append(1)

    task._run = counted
    return lambda: len(runs)


def test_enrolling_when_connected_is_refused_and_work_goes_on(
    agent: Agent, server: LoopbackServer, company: Company
) -> None:
    company.codes.add("AAAABBBBCCCC")
    with pytest.raises(errors.InvalidInput) as raised:
        agent.runtime.enrol(server.url, "AAAA-BBBB-CCCC")
    assert "Northwind" in raised.value.message
    assert company.codes == {"AAAABBBBCCCC"}, "the code can still be used"
    company.publish("c-two")
    until(lambda: len(agent.runtime.inbox()) == 2, "the next announcement")


@pytest.mark.parametrize("code", ["", "AAAA", "KX7P 9QMD 2HTV!", "x" * 50])
def test_a_code_that_cannot_be_right_is_never_sent(server: LoopbackServer, tmp_path: Path, code: str) -> None:
    with an_agent(tmp_path) as agent, pytest.raises(errors.InvalidInput):
        agent.runtime.enrol(server.url, code)
    assert server.requests == []


def test_a_company_document_that_is_not_right_ends_enrolment_with_nothing_stored(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    company.company = company.company[:-8] + "AAAAAAAA"
    with an_agent(tmp_path) as agent:
        with pytest.raises(errors.DocumentRefused):
            agent.runtime.enrol(server.url, CODE)
        assert agent.runtime.status().connection is Connection.NOT_CONNECTED
        assert agent.keychain.secrets == {}


@pytest.mark.expected_logs("DELETE", "not told")
@pytest.mark.parametrize("reachable", [True, False])
def test_disconnecting_leaves_nothing_of_the_company_here(
    agent: Agent, company: Company, server: LoopbackServer, reachable: bool
) -> None:
    agent.runtime.choose(all_on())
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
    if not reachable:
        server.answer = lambda _: Reply(LOST)
    agent.runtime.disconnect()
    status = agent.runtime.status()
    assert status.connection is Connection.NOT_CONNECTED
    assert (status.company, status.person, status.waiting) == (None, None, 0)
    assert agent.runtime.inbox() == []
    assert agent.keychain.secrets == {}
    assert agent.runtime.messages.all() == []
    assert list(agent.folders.data.glob("outbox-*")) == []
    assert (company.token == "") is reachable
    agent.runtime.stop()
    left = b"".join(path.read_bytes() for path in agent.folders.data.rglob("*") if path.is_file())
    for needle in (b"northwind", b"ada@", b"c-one", b"tdt_"):
        assert needle not in left.lower()


@pytest.mark.expected_logs(RETRIES)
def test_disconnecting_does_not_wait_for_a_poll_that_hangs(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    free = held(server, company, "feed")
    polls = len(asked(server, "feed"))
    agent.runtime.check_now()
    until(lambda: len(asked(server, "feed")) > polls, "the poll")
    agent.runtime.disconnect()
    free.set()
    assert agent.runtime.status().connection is Connection.NOT_CONNECTED
    assert agent.runtime.inbox() == []


# Stopping


@pytest.mark.parametrize("ending", ["feed", "signals"])
def test_stopping_during_a_request_is_quick_and_quiet(
    agent: Agent, company: Company, server: LoopbackServer, ending: str
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    free = held(server, company, ending)
    before = len(asked(server, ending))
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
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
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
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


# The keychain


@pytest.mark.expected_logs("held in memory only", RETRIES)
def test_without_a_keychain_the_token_is_held_in_memory_with_a_warning(
    server: LoopbackServer, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    keychain.fault = errors.KeychainUnavailable("none here")
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.start()
        agent.runtime.enrol(server.url, CODE)
        reaches(agent, Connection.CONNECTED)
        assert [trouble.code for trouble in agent.runtime.status().troubles] == ["KeychainUnavailable"]
        agent.runtime.stop()
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or b"tdt_" not in path.read_bytes(), path


def test_without_a_keychain_a_code_is_not_used_up_where_the_token_must_be_kept(
    server: LoopbackServer, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    keychain.fault = errors.KeychainUnavailable("locked", locked=True)
    with an_agent(tmp_path, keychain) as agent, pytest.raises(errors.KeychainNeeded):
        agent.runtime.enrol(server.url, CODE, keep=True)
    assert server.requests == []


@pytest.mark.expected_logs(RETRIES)
def test_a_keychain_that_is_unlocked_later_brings_the_connection_back(
    agent: Agent, server: LoopbackServer, tmp_path: Path
) -> None:
    agent.runtime.stop()
    keychain = agent.keychain
    keychain.fault = errors.KeychainUnavailable("locked", locked=True)
    with an_agent(tmp_path, keychain) as again:
        again.runtime.start()
        reaches(again, Connection.OFFLINE)
        (trouble,) = again.runtime.status().troubles
        assert (trouble.code, trouble.title) == ("KeychainUnavailable", "The keychain is locked")
        keychain.fault = None
        reaches(again, Connection.CONNECTED)
        assert again.runtime.status().troubles == ()


@pytest.mark.expected_logs("must be connected again")
def test_a_token_that_left_the_keychain_means_connecting_again(
    agent: Agent, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    agent.runtime.stop()
    with an_agent(tmp_path) as again:
        again.runtime.start()
        reaches(again, Connection.REVOKED)
        assert [trouble.code for trouble in again.runtime.status().troubles] == ["TokenMissing"]
        company.codes.add("AAAABBBBCCCC")
        again.runtime.enrol(server.url, "AAAA-BBBB-CCCC")
        reaches(again, Connection.CONNECTED)


# What a window asks


def test_a_like_of_a_campaign_that_is_gone_is_no_error(agent: Agent, company: Company) -> None:
    agent.runtime.choose(all_on())
    for act in Act:
        agent.runtime.record(Interaction("c-gone", act, "l1"))
    until(lambda: agent.runtime.status().waiting == 0, "an empty outbox")
    assert not company.counted("like")


def test_once_displayed_a_campaign_comes_back_only_as_a_reminder(agent: Agent) -> None:
    free = PresenceState(Tristate.NO, Tristate.NO, Tristate.NO)
    until(lambda: agent.runtime.select(free).show, "the campaign")
    agent.runtime.record(Interaction("c-one", Act.DISPLAYED))
    assert not agent.runtime.select(free).show
    agent.runtime.remind("c-one", 900)
    assert not agent.runtime.select(free).show
    agent.clock.advance(900)
    assert agent.runtime.select(free).show
    agent.runtime.record(Interaction("c-one", Act.DISPLAYED))
    assert not agent.runtime.select(free).show


def test_a_pause_ends_by_itself_or_by_the_person(agent: Agent) -> None:
    agent.runtime.pause(1_800)
    assert agent.runtime.status().paused_until is not None
    agent.runtime.pause(None)
    assert agent.runtime.status().paused_until is None
    agent.runtime.pause(1_800)
    agent.clock.advance(1_800)
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
    assert agent.runtime.status().connection is Connection.CONNECTED


def test_a_withdrawal_that_is_owed_is_told_before_the_computer_disconnects(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose({Signal.CLICK: True})
    agent.runtime.record(Interaction("c-one", Act.CLICKED, "l1"))
    until(lambda: company.events, "the click")
    free = held(server, company, "consents")
    agent.runtime.choose({Signal.CLICK: False})
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
    agent.runtime.choose({Signal.CLICK: True})
    until(lambda: agent.runtime.status().company.notice.version == 4, "the new notice")
    assert agent.runtime.status().choose_now
    assert heard.count(Change.CONSENT) >= 2
    agent.runtime.choose({Signal.CLICK: True})
    until(
        lambda: sorted(company.consents.values()) == ["given", "withdrawn"],
        "the new consent, the old one ended",
    )

"""The agent at work: connecting, losing the server, the token or the keychain, and disconnecting."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from agent.domain import errors, limits
from agent.domain.model import ConnectionState, FeedbackSignal, Interaction, InteractionKind
from agent.runtime import Runtime
from tests.support.agent.company_in_memory import TOKEN, Company
from tests.support.agent.parts import Agent, MemoryKeychain, all_on, an_agent
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request, problem
from tests.support.agent.watching import CODE, RETRIES, asked, counted_runs, held, reaches
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("impatient")


def test_an_agent_that_runs_polls_as_soon_as_it_is_connected(server: LoopbackServer, tmp_path: Path) -> None:
    with an_agent(tmp_path) as agent:
        agent.runtime.start()
        assert agent.runtime.status().connection is ConnectionState.NOT_CONNECTED
        agent.runtime.enrol(server.url, CODE)
        until(lambda: agent.runtime.inbox(), "the first announcement")
        reaches(agent, ConnectionState.CONNECTED)


def test_an_agent_starts_connected_when_it_was_connected_before(
    agent: Agent, server: LoopbackServer, tmp_path: Path
) -> None:
    agent.runtime.stop()
    with an_agent(tmp_path, agent.keychain) as again:
        assert again.runtime.status().connection is ConnectionState.CONNECTING
        again.runtime.start()
        reaches(again, ConnectionState.CONNECTED)
        assert again.runtime.inbox()


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
    reaches(agent, ConnectionState.OFFLINE)
    assert [trouble.code for trouble in agent.runtime.status().troubles] == ["ServerUnreachable"]
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    company.publish("c-two")
    away.clear()
    reaches(agent, ConnectionState.CONNECTED)
    until(lambda: company.events and len(agent.runtime.inbox()) == 2, "all that was missed")


@pytest.mark.expected_logs("must be connected again")
def test_a_revoked_computer_says_so_asks_no_more_and_connects_again_with_a_new_code(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose({FeedbackSignal.CLICK: True})
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    until(lambda: company.events, "the click")
    company.token = "tdt_" + "n" * 40
    agent.runtime.check_now()
    reaches(agent, ConnectionState.REVOKED)
    before = len(server.requests)
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    agent.runtime.check_now()
    assert any("put back from a backup" in each.message for each in agent.runtime.status().troubles)
    company.consents.clear()  # as after a backup that is older than the consent
    company.signals.clear()
    company.codes.add("AAAABBBBCCCC")
    agent.runtime.enrol(server.url, "AAAA-BBBB-CCCC")
    reaches(agent, ConnectionState.CONNECTED)
    until(lambda: len(company.events) == 2, "the click made meanwhile, by the same person")
    assert len(company.in_force()) == 1
    assert len(server.requests) > before


@pytest.mark.expected_logs("must be connected again")
def test_a_server_that_refused_and_is_back_is_asked_hours_later_and_told_first_what_is_owed(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose({FeedbackSignal.CLICK: True})
    until(lambda: company.consents and not agent.runtime.status().owed, "the consent")
    server.answer = lambda _: problem(401, "unauthorized")
    agent.runtime.check_now()
    reaches(agent, ConnectionState.REVOKED)
    agent.runtime.choose({FeedbackSignal.CLICK: False})
    server.answer = company
    runs, before = counted_runs(agent, "poll"), len(server.requests)
    agent.runtime.check_now()
    until(runs, "a poll that was woken")
    assert len(server.requests) == before, "not within an hour"
    agent.clock.advance(3 * limits.REFUSED_RETRY_S)
    agent.runtime.check_now()
    reaches(agent, ConnectionState.CONNECTED)
    assert server.requests[before].path.endswith("consents"), "the withdrawal goes before the poll"
    assert [each["signal"] for each in company.withdrawals] == ["click"]


@pytest.mark.expected_logs(RETRIES)
def test_a_busy_server_is_left_alone_whoever_wakes_a_task(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    busy = problem(503, "overloaded", {"Retry-After": "3600"})
    server.answer = lambda _: busy
    agent.runtime.check_now()
    reaches(agent, ConnectionState.OFFLINE)
    before = len(server.requests)
    runs = counted_runs(agent, "send")
    for _ in range(20):
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        agent.runtime.check_now()
    until(lambda: runs() >= 1, "a run that was woken")
    assert len(server.requests) == before


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
        assert agent.runtime.status().connection is ConnectionState.NOT_CONNECTED
        assert agent.keychain.secrets == {}


@pytest.mark.expected_logs("DELETE", "not told")
@pytest.mark.parametrize("reachable", [True, False])
def test_disconnecting_leaves_nothing_of_the_company_here(
    agent: Agent, company: Company, server: LoopbackServer, reachable: bool
) -> None:
    agent.runtime.choose(all_on())
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    if not reachable:
        server.answer = lambda _: Reply(LOST)
    agent.runtime.disconnect()
    status = agent.runtime.status()
    assert status.connection is ConnectionState.NOT_CONNECTED
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


def test_choices_for_the_next_company_are_dated_by_its_clock_and_not_by_the_former_ones(
    agent: Agent, company: Company, server: LoopbackServer
) -> None:
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    agent.runtime.disconnect()
    asked_before = len(server.requests)
    behind = timedelta(seconds=limits.CLOCK_JUMP_S - 20)
    company.now = lambda: datetime.now(UTC) - behind
    company.token = TOKEN
    company.codes.add("AAAABBBBCCCC")
    agent.runtime.enrol(server.url, "AAAA-BBBB-CCCC")
    agent.runtime.choose(all_on())
    until(lambda: agent.runtime.status().waiting == 0, "the consents")
    consents = [json.loads(each.body) for each in server.requests[asked_before:] if "consents" in each.path]
    given = [datetime.fromisoformat(each["time"]) for each in consents if each["status"] == "given"]
    assert len(given) == len(FeedbackSignal)
    assert max(given) <= company.now()


@pytest.mark.expected_logs("not told")
@pytest.mark.parametrize("reachable", [True, False])
def test_disconnecting_takes_back_all_that_was_shared_and_says_whether_the_server_heard(
    agent: Agent, company: Company, server: LoopbackServer, reachable: bool
) -> None:
    agent.runtime.choose(all_on())
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    until(lambda: agent.runtime.status().waiting == 0, "the click at the server")
    assert company.events
    if not reachable:
        server.answer = lambda _: Reply(LOST)
    assert agent.runtime.disconnect() is reachable
    assert bool(company.events) is not reachable
    assert set(company.consents.values()) == ({"withdrawn"} if reachable else {"given"})


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
    assert agent.runtime.status().connection is ConnectionState.NOT_CONNECTED
    assert agent.runtime.inbox() == []


@pytest.mark.expected_logs("held in memory only", RETRIES)
def test_without_a_keychain_the_token_is_held_in_memory_with_a_warning(
    server: LoopbackServer, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    keychain.fault = errors.KeychainUnavailable("none here")
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.start()
        agent.runtime.enrol(server.url, CODE)
        reaches(agent, ConnectionState.CONNECTED)
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
        reaches(again, ConnectionState.OFFLINE)
        (trouble,) = again.runtime.status().troubles
        assert (trouble.code, trouble.title) == ("KeychainUnavailable", "The keychain is locked")
        asked_once = keychain.asked
        runs = counted_runs(again, "poll")
        until(lambda: runs() >= 1, "another try")
        assert keychain.asked == asked_once, "each question may show a window: tries do not repeat it"
        keychain.fault = None
        again.runtime.check_now()
        reaches(again, ConnectionState.CONNECTED)
        assert again.runtime.status().troubles == ()


@pytest.mark.expected_logs(RETRIES)
def test_a_keychain_that_answers_late_connects_at_once(
    agent: Agent, server: LoopbackServer, tmp_path: Path
) -> None:
    agent.runtime.stop()
    keychain = agent.keychain
    keychain.fault = errors.KeychainWaiting("no answer yet")
    with an_agent(tmp_path, keychain) as again:
        again.runtime.start()
        until(lambda: again.runtime.status().troubles, "the agent to go on")
        status = again.runtime.status()
        assert status.connection is ConnectionState.CONNECTING
        assert [trouble.title for trouble in status.troubles] == ["Your keychain has not answered yet"]
        keychain.fault = None
        keychain.answers_late()
        reaches(again, ConnectionState.CONNECTED)
        assert again.runtime.status().troubles == ()


@pytest.mark.expected_logs("held in memory only")
def test_a_token_that_the_keychain_takes_late_is_kept(server: LoopbackServer, tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    keychain.fault = errors.KeychainWaiting("no answer yet")
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        assert [trouble.code for trouble in agent.runtime.status().troubles] == ["KeychainWaiting"]
        keychain.fault = None
        keychain.answers_late()
        assert agent.runtime.status().troubles == ()
        assert list(keychain.secrets.values()) == [TOKEN]


@pytest.mark.expected_logs(RETRIES)
def test_a_keychain_that_did_not_open_is_asked_again_after_some_minutes(
    agent: Agent, server: LoopbackServer, tmp_path: Path
) -> None:
    agent.runtime.stop()
    agent.keychain.fault = errors.KeychainUnavailable("locked", locked=True)
    with an_agent(tmp_path, agent.keychain) as again:
        again.runtime.start()
        reaches(again, ConnectionState.OFFLINE)
        agent.keychain.fault = None
        again.clock.advance(limits.KEYCHAIN_RETRY_S)
        reaches(again, ConnectionState.CONNECTED)


def test_the_keychain_entry_of_an_earlier_version_is_found_and_renamed(
    agent: Agent, server: LoopbackServer, tmp_path: Path
) -> None:
    agent.runtime.stop()
    ((name, token),) = agent.keychain.secrets.items()
    assert server.url not in name
    agent.keychain.secrets = {server.url: token}
    with an_agent(tmp_path, agent.keychain) as again:
        again.runtime.start()
        reaches(again, ConnectionState.CONNECTED)
    assert agent.keychain.secrets == {name: token}


def test_an_agent_whose_folder_was_moved_finds_its_keychain_entry(agent: Agent, tmp_path: Path) -> None:
    agent.runtime.stop()
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    folders = msgspec.structs.replace(agent.folders, data=tmp_path / "elsewhere")
    again = Runtime.open(folders, secrets=agent.keychain, verifier=agent.verifier)
    again.sync_once()
    again.stop()


@pytest.mark.expected_logs("must be connected again")
def test_a_token_that_left_the_keychain_means_connecting_again(
    agent: Agent, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    agent.runtime.stop()
    with an_agent(tmp_path) as again:
        again.runtime.start()
        reaches(again, ConnectionState.REVOKED)
        assert [trouble.code for trouble in again.runtime.status().troubles] == ["TokenMissing"]
        company.codes.add("AAAABBBBCCCC")
        again.runtime.enrol(server.url, "AAAA-BBBB-CCCC")
        reaches(again, ConnectionState.CONNECTED)

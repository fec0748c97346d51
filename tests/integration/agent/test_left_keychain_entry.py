"""A keychain that does not delete the computer's key: people are told which entry stays, and it is tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.domain.model import Trouble
from agent.enrolment.device_token import DeviceToken
from agent.enrolment.left_entry import KeychainEntryStays
from tests.integration.agent.test_purge import in_keychain
from tests.support.agent.company_in_memory import TOKEN, Company
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.parts import Agent, MemoryKeychain, SettableClock, an_agent
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, loopback_server
from tests.support.agent.watching import CODE, RETRIES

STAYS = "A key of this computer is still in your keychain"
NOT_TOLD = "The server could not be told either"
UNDELETED = pytest.mark.expected_logs("could not be deleted", "was not told", RETRIES)


class RefusingKeychain(MemoryKeychain):
    """Gives and takes secrets, and deletes none while it refuses to."""

    refuses = False

    def delete(self, account: str) -> None:
        if self.refuses:
            raise errors.KeychainUnavailable("it may not", locked=True)
        super().delete(account)


@pytest.fixture
def keychain() -> RefusingKeychain:
    return RefusingKeychain()


@pytest.fixture
def connected(server: LoopbackServer, tmp_path: Path, keychain: RefusingKeychain) -> Iterator[Agent]:
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        yield agent


def told(agent: Agent) -> list[Trouble]:
    return [each for each in agent.runtime.status().troubles if each.code == KeychainEntryStays.__name__]


def entry_of(keychain: MemoryKeychain) -> str:
    (account,) = keychain.secrets
    return account


@UNDELETED
@pytest.mark.parametrize("reachable", [True, False])
def test_who_disconnects_is_told_which_entry_stays_and_whether_the_server_was_told(
    connected: Agent, server: LoopbackServer, keychain: RefusingKeychain, *, reachable: bool
) -> None:
    keychain.refuses = True
    if not reachable:
        server.answer = lambda _: Reply(LOST)
    with pytest.raises(KeychainEntryStays) as raised:
        connected.runtime.disconnect()
    assert entry_of(keychain) in raised.value.message
    assert (NOT_TOLD not in raised.value.message) is reachable
    (trouble,) = told(connected)
    assert (trouble.title, trouble.message) == (raised.value.title, raised.value.message)


@UNDELETED
def test_a_keychain_that_is_locked_lets_neither_be_done_and_both_are_said(
    server: LoopbackServer, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with an_agent(tmp_path, keychain) as before:
        before.runtime.enrol(server.url, CODE)
    keychain.fault = errors.KeychainUnavailable("locked", locked=True)
    with an_agent(tmp_path, keychain) as agent:
        with pytest.raises(KeychainEntryStays) as raised:
            agent.runtime.disconnect()
        assert NOT_TOLD in raised.value.message


@UNDELETED
@pytest.mark.parametrize("reachable", [True, False])
def test_it_is_still_told_after_a_restart_which_deletes_the_entry_once_that_is_possible(
    connected: Agent, server: LoopbackServer, tmp_path: Path, keychain: RefusingKeychain, *, reachable: bool
) -> None:
    keychain.refuses = True
    if not reachable:
        server.answer = lambda _: Reply(LOST)
    with pytest.raises(KeychainEntryStays):
        connected.runtime.disconnect()
    connected.runtime.stop()
    with an_agent(tmp_path, keychain) as again:
        (trouble,) = told(again)
        assert (NOT_TOLD not in trouble.message) is reachable
        again.runtime._background.poll._run()
        assert told(again) == [trouble]
        keychain.refuses = False
        again.clock.advance(limits.KEYCHAIN_RETRY_S)
        again.runtime._left._run()
        assert told(again) == []
        assert keychain.secrets == {}
    with an_agent(tmp_path, keychain) as last:
        assert told(last) == []


@UNDELETED
def test_a_keychain_that_does_not_delete_is_not_asked_with_each_task(
    connected: Agent, keychain: RefusingKeychain
) -> None:
    keychain.refuses = True
    with pytest.raises(KeychainEntryStays):
        connected.runtime.disconnect()
    keychain.refuses = False
    for task in (connected.runtime._background.poll, connected.runtime._background.send):
        task._run()
    assert told(connected), "each question costs a process, and may show a window"
    connected.runtime.check_now()
    connected.runtime._background.poll._run()
    assert told(connected) == [], "the person acts"


@UNDELETED
def test_an_answer_that_comes_late_counts(connected: Agent, keychain: RefusingKeychain) -> None:
    keychain.refuses = True
    with pytest.raises(KeychainEntryStays):
        connected.runtime.disconnect()
    keychain.refuses = False
    keychain.answers_late()
    assert told(connected) == []
    assert keychain.secrets == {}


@UNDELETED
def test_an_entry_that_is_in_use_again_is_not_deleted(
    connected: Agent, company: Company, server: LoopbackServer, keychain: RefusingKeychain
) -> None:
    keychain.refuses = True
    with pytest.raises(KeychainEntryStays):
        connected.runtime.disconnect()
    keychain.refuses = False
    company.codes.add(CODE.replace("-", ""))
    company.token = TOKEN
    connected.runtime.enrol(server.url, CODE)
    assert told(connected) == []
    connected.clock.advance(limits.KEYCHAIN_RETRY_S)
    connected.runtime._left._run()
    assert company.token in keychain.secrets.values()


@UNDELETED
@pytest.mark.parametrize("is_open", [True, False])
def test_entries_that_are_not_in_use_again_are_still_deleted_once_that_is_possible(
    tmp_path: Path, keychain: RefusingKeychain, *, is_open: bool
) -> None:
    clock = SettableClock()
    token = DeviceToken(keychain, tmp_path, clock)
    token.keep("tdt_a")
    token.retry_secret("https://example.com", CODE, keep=True)
    keychain.write("old-account", "tdt_older")
    assert len(keychain.secrets) == 3
    keychain.refuses = True
    token.delete("old-account", heard=False)
    keychain.refuses = not is_open
    token.keep("tdt_b")
    again = DeviceToken(keychain, tmp_path, clock)
    assert (again.left is None) is is_open
    keychain.refuses = False
    clock.advance(limits.KEYCHAIN_RETRY_S)
    again.delete_left()
    assert list(keychain.secrets.values()) == ["tdt_b"]
    assert again.left is None


@UNDELETED
@pytest.mark.parametrize("process", ["the same", "the next"])
@pytest.mark.parametrize("when", ["at its time", "late"])
def test_an_attempt_to_connect_keeps_its_secret_while_older_entries_are_deleted(
    tmp_path: Path, keychain: RefusingKeychain, when: str, process: str
) -> None:
    clock = SettableClock()
    token = DeviceToken(keychain, tmp_path, clock)
    token.keep("tdt_a")
    token.retry_secret("https://example.com", CODE, keep=True)
    keychain.refuses = True
    token.delete(heard=True)
    secret = token.retry_secret("https://example.com", "QQQQ-1111-ZZZZ", keep=True)
    if process == "the next":
        token = DeviceToken(keychain, tmp_path, clock)
    keychain.refuses = False
    if when == "late":
        keychain.answers_late()
    else:
        clock.advance(limits.KEYCHAIN_RETRY_S)
        assert token.delete_left()
    (kept,) = keychain.secrets.values()
    assert kept.endswith(f":{secret}")
    assert token.left is None


@pytest.mark.expected_logs("could not be deleted", "held in memory", "was not told")
def test_a_key_that_never_was_in_a_keychain_is_not_said_to_be_there(
    server: LoopbackServer, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    keychain.fault = errors.KeychainUnavailable("none")
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        assert agent.runtime.disconnect()
        assert told(agent) == []


@pytest.mark.expected_logs("could not be deleted")
def test_nor_one_that_was_deleted_before(connected: Agent, keychain: RefusingKeychain) -> None:
    assert connected.runtime.disconnect()
    keychain.refuses = True
    assert connected.runtime.disconnect()


# Purge, with a real keychain


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


def test_purge_says_which_entry_stays_and_the_next_one_deletes_it(
    session: Session, company: Company, tmp_path: Path
) -> None:
    home = tmp_path / "tidings"
    tidings = Program("agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "log")
    with loopback_server(company) as server:
        tidings.run("enrol", server.url, CODE)
        account = (home / "data" / "keychain.name").read_text()
        session.lock()
        said = tidings.run("purge", "--yes", code=1).stderr
        assert STAYS in said
        assert account in said
        assert NOT_TOLD in said, "the key could not be read either"
        assert "what you shared stays there" in said
        assert [path.name for path in home.rglob("*") if path.is_file()] == ["keychain.left"]
        assert json.loads((home / "data" / "keychain.left").read_bytes())["accounts"][0] == account
        session.unlock()
        assert in_keychain(session, account)
        assert tidings.run("purge", "--yes").returncode == 0
        assert not in_keychain(session, account)
        assert list(home.rglob("*")) == []

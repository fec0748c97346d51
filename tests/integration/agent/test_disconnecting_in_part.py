"""Where not all can be deleted when a computer is disconnected, that is said, and tried again after a while."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.domain import limits
from agent.domain.model import ConnectionState, FeedbackSignal, Interaction, InteractionKind
from agent.enrolment.service import NotForgotten
from agent.store.enrolment import note_of
from agent.store.enrolment_note import Stage
from tests.support.agent.company_in_memory import Company
from tests.support.agent.parts import Agent, MemoryKeychain, all_off, all_on, an_agent, opened_store
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply
from tests.support.agent.watching import CODE, RETRIES

LEFT = "Not all that your company left here is deleted yet"
NOT_TOLD = "The server could not be told"


def _in_the_way(agent: Agent, path: Path) -> Callable[[], None]:
    """A folder that is not empty in the place of a file. Returns how it is taken away."""
    agent.runtime._database._let_go()
    for log_file in agent.folders.data.glob("tidings.sqlite3-*"):
        log_file.unlink()
    kept = path.with_name("kept-by-the-test")
    if path.exists():
        path.rename(kept)
    path.mkdir()
    (path / "something").write_text("of whoever made this")

    def away() -> None:
        shutil.rmtree(path)
        if kept.exists():
            kept.rename(path)

    return away


def attempts(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each attempt to let go."""
    connector, made = agent.runtime._connector, list[int]()
    let_go = connector.disconnect
    monkeypatch.setattr(connector, "disconnect", lambda *said: (made.append(1), let_go(*said))[1])
    return made


@pytest.fixture
def sharing(server: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.send_once()
        yield agent


@pytest.mark.expected_logs("To be deleted again", "later", "was not told", "not noted that", RETRIES)
@pytest.mark.parametrize("name", ["tidings.sqlite3", "enrolment.note"])
def test_what_is_still_to_be_done_is_said_and_tried_again_after_a_back_off(
    sharing: Agent, company: Company, server: LoopbackServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away, made = _in_the_way(sharing, sharing.folders.data / name), attempts(sharing, monkeypatch)
    with pytest.raises(NotForgotten):
        sharing.runtime.disconnect()
    assert company.token == ""
    requests, work = len(server.requests), sharing.runtime._background
    for task in (work.poll, work.send, work.fetch):
        assert (task._run() or 1) >= 1
    assert len(made) == 1, "not again at once, whichever task is woken"
    status = sharing.runtime.status()
    assert status.connection is ConnectionState.NOT_CONNECTED
    assert LEFT in status.troubles[0].message
    for _ in range(3):
        work._not_before = 0.0  # the back-off is over
        assert (work.poll._run() or 0) >= 1
        work.send._run()
    assert len(made) == 4, "each time that it is due"
    assert [each.code for each in sharing.runtime.status().troubles][:1] == ["NotForgotten"]
    away()
    work.poll._run()
    assert sharing.runtime.status().connection is ConnectionState.NOT_CONNECTED
    assert "NotForgotten" not in {each.code for each in sharing.runtime.status().troubles}
    assert sharing.runtime.inbox() == []
    assert not (sharing.folders.data / "enrolment.note").exists()
    assert len(server.requests) == requests, "there is nothing left to tell it, and no token"


@pytest.mark.expected_logs("not noted that", "was not told", RETRIES)
@pytest.mark.parametrize("reachable", [True, False])
def test_whether_the_server_was_told_is_said_with_it(
    sharing: Agent, server: LoopbackServer, reachable: bool
) -> None:
    _in_the_way(sharing, sharing.folders.data / "enrolment.note")
    if not reachable:
        server.answer = lambda _: Reply(LOST)
    with pytest.raises(NotForgotten) as raised:
        sharing.runtime.disconnect()
    sharing.runtime._background._not_before = 0.0
    sharing.runtime._background.poll._run()
    told = sharing.runtime.status().troubles[0].message
    assert (NOT_TOLD not in told) is (NOT_TOLD not in raised.value.message) is reachable


@pytest.mark.expected_logs("To be deleted again")
def test_an_outbox_that_could_not_be_deleted_is_deleted_later_though_nothing_is_connected(
    sharing: Agent,
) -> None:
    path = sharing.folders.data / "outbox-click.sqlite3"
    _in_the_way(sharing, path)
    with pytest.raises(NotForgotten):
        sharing.runtime.disconnect()
    assert sharing.runtime._background.send._run() == limits.CATCH_UP_S
    (path / "something").unlink()
    path.rmdir()
    assert sharing.runtime._background.send._run() is None
    assert sharing.runtime.status().troubles == ()


def test_the_status_of_a_disconnection_that_was_not_ended_says_so(
    server: LoopbackServer, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        agent.runtime.interactions.record(Interaction("c-one", InteractionKind.DISPLAYED))
        agent.runtime.choose({FeedbackSignal.SEEN: False})
    with opened_store(tmp_path / "data") as store:
        enrolment = store.enrolments.read()
        assert enrolment is not None
        store.enrolments.plan(note_of(enrolment, Stage.LEAVING))
    program = Program("agent", {"TIDINGS_HOME": str(tmp_path)}, tmp_path / "agent.log")
    done = program.run("status")
    assert "Not connected to a company" in done.stdout
    assert LEFT in done.stderr
    with an_agent(tmp_path, keychain) as again:
        again.runtime._background.poll._run()
        assert again.runtime.status().troubles == ()
    assert program.run("status").stderr == ""


@pytest.mark.expected_logs("To be deleted again", "written down later", "was not told", RETRIES)
@pytest.mark.parametrize("reachable", [True, False])
def test_whether_the_server_was_told_is_known_after_a_restart_and_each_attempt(
    company: Company, server: LoopbackServer, tmp_path: Path, reachable: bool
) -> None:
    keychain = MemoryKeychain()

    def is_told(agent: Agent) -> bool:
        message = agent.runtime.status().troubles[0].message
        assert LEFT in message
        return NOT_TOLD not in message

    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        for choices in (all_on(), all_off()):
            agent.runtime.choose(choices)
            agent.runtime.send_once()
        answer = server.answer
        if not reachable:
            server.answer = lambda _: Reply(LOST)
        away = _in_the_way(agent, tmp_path / "data" / "tidings.sqlite3")
        with pytest.raises(NotForgotten):
            agent.runtime.disconnect()
        away()
    server.answer = answer
    for _ in range(2):
        with an_agent(tmp_path, keychain) as again:
            assert is_told(again) is reachable
            away = _in_the_way(again, tmp_path / "data" / "tidings.sqlite3")
            again.runtime._background.poll._run()
            assert is_told(again) is reachable
            away()
    requests = len(server.requests)
    with an_agent(tmp_path, keychain) as last:
        last.runtime._background.poll._run()
        assert last.runtime.status().troubles == ()
    assert len(server.requests) == requests
    assert (company.token == "") is reachable


def test_a_server_that_was_told_by_a_process_that_was_killed_before_it_deleted_the_token_is_not_asked_again(
    company: Company, server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keychain = MemoryKeychain()
    with an_agent(tmp_path, keychain) as agent:
        agent.runtime.enrol(server.url, CODE)
        with monkeypatch.context() as killed:
            killed.setattr(agent.runtime._connector.token, "delete", _killed)
            with pytest.raises(KeyboardInterrupt):
                agent.runtime.disconnect()
    assert company.token == ""
    assert keychain.secrets
    requests = len(server.requests)
    with an_agent(tmp_path, keychain) as again:
        assert NOT_TOLD not in again.runtime.status().troubles[0].message
        again.runtime._background.poll._run()
        assert again.runtime.status().troubles == ()
    assert len(server.requests) == requests
    assert not keychain.secrets


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt

"""A store that nobody can read keeps no withdrawal back: the consent record is a file of its own."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.consent.record_file import ConsentFile
from agent.domain import errors
from agent.domain.model import ConnectionState, ConsentState, FeedbackSignal, Interaction, InteractionKind
from agent.ipc.instance_lock import InstanceLock
from agent.runtime import Runtime
from agent.store.migrations import MIGRATIONS
from agent.system.dirs import Folders
from tests.support.agent.company_in_memory import TOKEN, Company
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.parts import Agent, an_agent
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, loopback_server
from tests.support.agent.watching import CODE, RETRIES, asked
from tests.support.waiting import until
from ui.app.app import open_agent

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")

NOBODY = 65534


def _foreign(path: Path) -> None:
    shutil.chown(path, NOBODY)
    path.chmod(0o600)


def _closed(path: Path) -> None:
    path.chmod(0)


def _a_folder(path: Path) -> None:
    path.rename(path.with_name("kept-by-the-test"))
    path.mkdir()
    (path / "something").write_text("of whoever made this")


def _a_loop(path: Path) -> None:
    path.rename(path.with_name("kept-by-the-test"))
    path.symlink_to(path)


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE of_a_newer_version (anything)")
        connection.execute("PRAGMA user_version = 999")


FAULTS: dict[str, Callable[[Path], None]] = {
    "another user's": _foreign,
    "closed": _closed,
    "a folder": _a_folder,
    "a loop of links": _a_loop,
    "of a newer version": _newer,
}


in_each_way = pytest.mark.parametrize("spoil", FAULTS.values(), ids=FAULTS)
in_two_ways = pytest.mark.parametrize("spoil", [_foreign, _a_folder], ids=["another user's", "a folder"])


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


@pytest.fixture(scope="module")
def address() -> Iterator[LoopbackServer]:
    with loopback_server(Company()) as running:
        yield running


@pytest.fixture
def company() -> Company:
    made = Company()
    made.publish("c-one")
    return made


@pytest.fixture
def server(address: LoopbackServer, company: Company) -> LoopbackServer:
    address.answer = company
    address.requests.clear()
    return address


@pytest.fixture(scope="module")
def template(session: Session, address: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a computer that shares its clicks, one of which waits to be sent."""
    folder = tmp_path_factory.mktemp("connected") / "tidings"
    address.answer = company = Company()
    company.publish("c-one")
    program = ordinary(session, folder)
    program.run("enrol", address.url, CODE)
    program.run("once")
    program.run("privacy", "set", "click=on")
    runtime = Runtime.open(Folders.under(folder))
    runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    runtime.stop()
    return folder


@pytest.fixture
def home(template: Path, session: Session, tmp_path: Path) -> Path:
    """A copy, with its own entry in the keychain."""
    folder = tmp_path / "tidings"
    shutil.copytree(template, folder, symlinks=True)
    account = f"device-{uuid.uuid4().hex[:16]}"
    question = json.dumps({"verb": "write", "account": account, "secret": TOKEN})
    answer = ordinary(session, folder).run("helper", "keychain", stdin=question)
    assert json.loads(answer.stdout)["fault"] == ""
    (folder / "data" / "keychain.name").write_text(account)
    return folder


def ordinary(session: Session, home: Path) -> Program:
    """Root without the right to pass over modes: what is closed is closed to it."""
    program = Program("agent", session.env | {"TIDINGS_HOME": str(home)}, home.parent / "agent.log")
    dropped = "-dac_override,-dac_read_search,-fowner,-chown"
    program.command = ["setpriv", "--inh-caps=-all", f"--bounding-set={dropped}", *program.command]
    return program


@pytest.fixture
def tidings(session: Session, home: Path, server: LoopbackServer) -> Iterator[Program]:
    program = ordinary(session, home)
    yield program
    program.stop()


def recorded(home: Path) -> dict[FeedbackSignal, ConsentState]:
    """What the record on the disk says."""
    consents = ConsentFile(home / "data" / "consent.record").read()
    return {signal: consent.state for signal, consent in consents.items()}


@in_each_way
def test_what_is_taken_back_is_recorded_and_told_and_what_could_not_be_done_is_said(
    tidings: Program, home: Path, company: Company, spoil: Callable[[Path], None]
) -> None:
    spoil(home / "data" / "tidings.sqlite3")
    done = tidings.run("privacy", "set", "click=off", code=1)
    assert recorded(home)[FeedbackSignal.CLICK] is ConsentState.WITHDRAWN
    assert [each["signal"] for each in company.withdrawals] == ["click"]
    assert not list((home / "data").glob("outbox-*"))
    assert "What you turned off is off" in done.stderr
    assert "tidings.sqlite3" in done.stderr
    assert "told as soon as" not in done.stderr, "it has been told"
    assert "Traceback" not in done.stderr
    assert not company.events


def test_offline_it_is_said_that_the_server_was_not_told(
    tidings: Program, home: Path, server: LoopbackServer
) -> None:
    _foreign(home / "data" / "tidings.sqlite3")
    server.answer = lambda _: Reply(LOST)
    done = tidings.run("privacy", "set", "click=off", code=1)
    assert recorded(home)[FeedbackSignal.CLICK] is ConsentState.WITHDRAWN
    assert "Your company's server is told as soon as it can be reached." in done.stderr


@in_two_ways
def test_all_is_taken_back_and_a_refusal_is_recorded(
    tidings: Program, home: Path, company: Company, spoil: Callable[[Path], None]
) -> None:
    spoil(home / "data" / "tidings.sqlite3")
    tidings.run("privacy", "set", "seen=off", code=1)
    assert recorded(home)[FeedbackSignal.SEEN] is ConsentState.REFUSED
    assert "What you turned off is off" in tidings.run("privacy", "erase", "--yes", code=1).stderr
    assert set(recorded(home).values()) == {ConsentState.WITHDRAWN}
    assert sorted(each["signal"] for each in company.withdrawals) == ["click", "like", "seen"]


def test_what_is_turned_on_with_it_stays_off_and_what_is_turned_off_is_off(
    tidings: Program, home: Path
) -> None:
    _foreign(home / "data" / "tidings.sqlite3")
    done = tidings.run("privacy", "set", "seen=on", "click=off", code=1)
    assert (recorded(home)[FeedbackSignal.SEEN], recorded(home)[FeedbackSignal.CLICK]) == (
        ConsentState.NOT_ASKED,
        ConsentState.WITHDRAWN,
    )
    assert "nothing can be turned on" in done.stderr


@in_two_ways
def test_also_where_the_second_note_of_the_connection_and_the_outbox_cannot_be_read(
    tidings: Program, home: Path, company: Company, spoil: Callable[[Path], None]
) -> None:
    for name in ("tidings.sqlite3", "enrolment.note", "outbox-click.sqlite3"):
        spoil(home / "data" / name)
        (home / "data" / "kept-by-the-test").unlink(missing_ok=True)
    done = tidings.run("privacy", "set", "click=off", code=1)
    assert recorded(home)[FeedbackSignal.CLICK] is ConsentState.WITHDRAWN
    assert "Traceback" not in done.stderr
    assert not company.events


def test_once_the_store_can_be_read_again_the_rest_is_done(
    tidings: Program, home: Path, company: Company
) -> None:
    store = home / "data" / "tidings.sqlite3"
    _closed(store)
    tidings.run("privacy", "erase", "--yes", code=1)
    store.chmod(0o600)
    tidings.run("once")
    assert tidings.run("privacy", "sent", "--json").stdout.count("/signals") == 0
    assert not list((home / "run").glob("*.note"))


@in_two_ways
def test_where_nobody_knows_to_which_company_it_was_connected_nothing_is_said_to_be_lost(
    tidings: Program, home: Path, spoil: Callable[[Path], None]
) -> None:
    for name in ("tidings.sqlite3", "enrolment.note"):
        spoil(home / "data" / name)
        (home / "data" / "kept-by-the-test").unlink(missing_ok=True)
    done = tidings.run("privacy", "show", code=None)
    assert "Your data on this computer cannot be read" in done.stderr
    assert "Not connected" not in done.stdout
    assert "has lost to which company" not in done.stderr


@in_two_ways
def test_the_choices_can_be_looked_at(tidings: Program, home: Path, spoil: Callable[[Path], None]) -> None:
    spoil(home / "data" / "tidings.sqlite3")
    done = tidings.run("privacy", "show", code=None)
    assert "Clicks: " in done.stdout
    assert "tidings.sqlite3" in done.stderr


@in_each_way
def test_purge_deletes_all_tells_the_server_and_does_not_fall_over(
    tidings: Program, home: Path, server: LoopbackServer, company: Company, spoil: Callable[[Path], None]
) -> None:
    spoil(home / "data" / "tidings.sqlite3")
    done = tidings.run("purge", "--yes")
    assert list(home.rglob("*")) == []
    assert "Traceback" not in done.stderr
    assert [each["signal"] for each in company.withdrawals] == ["click"]
    assert asked(server, "device")
    assert "The server could not be told" not in done.stderr


@in_two_ways
def test_purge_says_that_the_server_could_not_be_told_where_nothing_can_be_read(
    tidings: Program, home: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(home / "data" / "tidings.sqlite3")
    (home / "data" / "enrolment.note").unlink()
    done = tidings.run("purge", "--yes")
    assert list(home.rglob("*")) == []
    assert "The server could not be told: what you shared stays there." in done.stderr


def test_purge_of_a_data_folder_that_cannot_be_listed_is_a_sentence(tidings: Program, home: Path) -> None:
    (home / "data").chmod(0o300)
    done = tidings.run("purge", "--yes", code=None)
    assert "Traceback" not in done.stderr
    (home / "data").chmod(0o700)


@pytest.mark.expected_logs("could not be opened", "cannot be written", "was refused")
def test_a_store_that_cannot_be_opened_for_a_moment_costs_the_session_nothing(
    home: Path, session: Session, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in session.env.items():
        monkeypatch.setenv(name, value)
    store, waits = home / "data" / "tidings.sqlite3", []
    _a_folder(store)

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:  # the disk is well again
            shutil.rmtree(store)
            store.with_name("kept-by-the-test").rename(store)

    monkeypatch.setattr("ui.app.app.wait", wait)
    lock = InstanceLock(Folders.under(home))
    agent = open_agent(Folders.under(home), lock)
    try:
        assert waits == [1.0, 4.0]
        assert "StoreUnreadable" not in {each.code for each in agent.status().troubles}
        agent.start()
        until(lambda: asked(server, "feed"), "a poll")
    finally:
        agent.stop()
        lock.release()


@pytest.mark.expected_logs(
    "without its store",
    "could not be opened",
    "cannot be read",
    "cannot be written",
    "later",
    RETRIES,
)
def test_the_program_with_windows_starts_without_the_store_so_that_everything_can_be_taken_back(
    home: Path, session: Session, server: LoopbackServer, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in session.env.items():
        monkeypatch.setenv(name, value)
    _a_folder(home / "data" / "tidings.sqlite3")
    monkeypatch.setattr("ui.app.app.wait", lambda _seconds: None)
    lock = InstanceLock(Folders.under(home))
    agent = open_agent(Folders.under(home), lock)
    try:
        agent.start()
        assert {choice.signal for choice in agent.choices() if choice.on} == {FeedbackSignal.CLICK}
        with pytest.raises(errors.DiskFault, match="directory"):
            agent.enrol(server.url, CODE)
        with pytest.raises(errors.StoreUnreadable):
            agent.choose({FeedbackSignal.CLICK: False})
        until(lambda: company.withdrawals, "the withdrawal")
        assert recorded(home)[FeedbackSignal.CLICK] is ConsentState.WITHDRAWN
        assert "StoreUnreadable" in {each.code for each in agent.status().troubles}
        assert asked(server, "feed") == [], "what cannot be kept is not asked for"
        assert (agent.inbox(), company.events) == ([], {})
        with pytest.raises(errors.StoreUnreadable):  # "nothing was sent" would not be true
            agent.my_data.sent()
        company.counter += 10
        company.publish("c-one")
        _mended(home / "data" / "tidings.sqlite3")
        agent.check_now()
        until(lambda: agent.status().connection is ConnectionState.CONNECTED, "the store")
        assert [item.campaign.campaign_id for item in agent.inbox()] == ["c-one"]
        assert [item.kind for item in agent.my_data.sent()][:1] == ["withdrawn"]
        assert agent.status().troubles == ()
    finally:
        agent.stop()
        lock.release()


@contextmanager
def started_without_its_store(
    folder: Path, server: LoopbackServer, spoil: Callable[[Path], None]
) -> Iterator[Agent]:
    """An agent that shares *seen* and clicks, and that could not read its store when it was opened."""
    with an_agent(folder) as before:
        before.runtime.enrol(server.url, CODE)
        before.runtime.sync_once()
        before.runtime.choose({FeedbackSignal.SEEN: True, FeedbackSignal.CLICK: True})
        before.runtime.send_once()
        before.runtime.interactions.record(Interaction("c-one", InteractionKind.SEEN))
        before.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    spoil(folder / "data" / "tidings.sqlite3")
    with an_agent(folder, before.keychain, before.clock, store_needed=False) as agent:
        yield agent


def _mended(store: Path) -> None:
    """The disk is well again."""
    kept = store.with_name("kept-by-the-test")
    if store.is_symlink():
        store.unlink()
    elif store.is_dir():
        shutil.rmtree(store)
    if kept.exists():
        kept.rename(store)
        return
    with sqlite3.connect(store) as connection:
        connection.execute("DROP TABLE of_a_newer_version")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


in_ways_that_pass = pytest.mark.parametrize(
    "spoil", [_a_folder, _a_loop, _newer], ids=["a folder", "a loop of links", "of a newer version"]
)


@in_ways_that_pass
@pytest.mark.expected_logs("cannot be read", "cannot be written", RETRIES)
def test_a_start_without_the_store_tells_one_trouble_and_that_nothing_is_received(
    tmp_path: Path, server: LoopbackServer, spoil: Callable[[Path], None]
) -> None:
    with started_without_its_store(tmp_path, server, spoil) as agent:
        for _ in range(2):
            status = agent.runtime.status()
            assert [each.code for each in status.troubles] == ["StoreUnreadable"]
            assert status.connection is ConnectionState.HALTED
            assert status.halted_by == status.troubles[0]
            assert "no announcements are received" in status.troubles[0].message
            agent.runtime._background.poll._run()
            agent.runtime._background.send._run()


@in_ways_that_pass
@pytest.mark.expected_logs("cannot be read", "cannot be written", "written down later", RETRIES)
def test_it_goes_on_by_itself_and_what_was_withdrawn_meanwhile_stays_withdrawn(
    tmp_path: Path, server: LoopbackServer, company: Company, spoil: Callable[[Path], None]
) -> None:
    with started_without_its_store(tmp_path, server, spoil) as agent:
        company.withdrawals.clear()
        company.events.clear()
        with pytest.raises(errors.StoreUnreadable):
            agent.runtime.choose({FeedbackSignal.SEEN: False})
        work = agent.runtime._background
        work.send._run()
        company.publish("c-two")
        _mended(tmp_path / "data" / "tidings.sqlite3")
        work.poll._run()
        assert agent.runtime.status().connection is ConnectionState.CONNECTED
        assert agent.runtime.status().troubles == ()
        assert {item.campaign.campaign_id for item in agent.runtime.inbox()} == {"c-one", "c-two"}
        work.send._run()
        on = {choice.signal for choice in agent.runtime.choices() if choice.on}
        assert on == {FeedbackSignal.CLICK}
        assert [each["signal"] for each in company.withdrawals] == ["seen"]
        assert [each["signal"] for each in company.events.values()] == ["click"]
        with agent.runtime._database.reading() as connection:
            assert connection.execute("SELECT 1 FROM campaign WHERE seen_event = 1") == []
    with an_agent(tmp_path, agent.keychain) as again:
        assert {choice.signal for choice in again.runtime.choices() if choice.on} == {FeedbackSignal.CLICK}
        assert {kept.status for kept in again.runtime.my_data.receipts()} == {"given", "withdrawn"}


@pytest.mark.expected_logs("cannot be read", "cannot be written")
def test_an_end_while_it_looks_again_is_an_end(tmp_path: Path, server: LoopbackServer) -> None:
    with started_without_its_store(tmp_path, server, _a_folder) as agent:
        agent.runtime.stop()
        _mended(tmp_path / "data" / "tidings.sqlite3")
        agent.runtime._look_again()
        with pytest.raises(errors.Interrupted):
            agent.runtime.inbox()


@pytest.mark.expected_logs("To be deleted again", "written down later", RETRIES)
def test_an_agent_whose_store_fails_while_it_runs_takes_back_and_tells(
    agent: Agent, company: Company
) -> None:
    agent.runtime.choose({FeedbackSignal.CLICK: True})
    until(lambda: company.consents, "the consent")
    company.withdrawals.clear()
    agent.runtime._database._let_go()
    _a_folder(agent.folders.data / "tidings.sqlite3")
    for log_file in agent.folders.data.glob("tidings.sqlite3-*"):
        log_file.unlink()
    agent.runtime._database._let_go()  # a task may have opened it meanwhile
    agent.runtime.choose({FeedbackSignal.CLICK: False})
    until(lambda: company.withdrawals, "the withdrawal")
    state = {choice.signal: choice.state for choice in agent.runtime.choices()}
    assert state[FeedbackSignal.CLICK] is ConsentState.WITHDRAWN
    assert "NotDeleted" in {each.code for each in agent.runtime.status().troubles}

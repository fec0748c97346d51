"""The same person in another login: `su`, cron, some ssh, a second computer with the same home."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.consent.record_file import ConsentFile
from agent.domain import errors, limits
from agent.domain.model import Change, ConsentState, FeedbackSignal, Interaction, InteractionKind
from agent.ipc import channel, instance_lock, local_socket, running_instance
from agent.ipc.instance_lock import NAME, InstanceLock, LockLost, NoLocks
from agent.runtime import Runtime
from agent.system import mounts, private_files
from agent.system.dirs import Folders
from tests.support.agent.company_in_memory import Company
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.parts import (
    Agent,
    MemoryKeychain,
    OwnProcessVerifier,
    SettableClock,
    all_off,
    all_on,
    an_agent,
)
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LoopbackServer, loopback_server, problem
from tests.support.agent.watching import CODE, asked
from tests.support.disks import a_network_disk
from tests.support.waiting import until

ALL_OFF = ("privacy", "set", "seen=off", "click=off", "like=off")
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")


# Commands of another login, and an agent that runs


@pytest.fixture
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


@pytest.fixture
def company() -> Company:
    made = Company()
    made.publish("c-one")
    return made


@pytest.fixture
def served(company: Company) -> Iterator[LoopbackServer]:
    with loopback_server(company) as running:
        yield running


@pytest.fixture
def tidings(session: Session, served: LoopbackServer, tmp_path: Path) -> Iterator[Program]:
    """Connected, in the person's session, and everything is switched on."""
    program = Program("agent", session.env, tmp_path / "agent.log", is_quick=True)
    program.run("enrol", served.url, CODE)
    program.run("privacy", "set", "seen=on", "click=on", "like=on")
    yield program
    program.stop()


def without_session(session: Session) -> dict[str, str]:
    return {name: value for name, value in session.env.items() if name != "XDG_RUNTIME_DIR"}


def with_a_strangers_session(session: Session) -> dict[str, str]:
    """As `su` leaves it in the environment: the folder of the person who typed it."""
    folder = session.folder / "strangers"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    return session.env | {"XDG_RUNTIME_DIR": str(folder)}


def with_a_session_that_ended(session: Session) -> dict[str, str]:
    return session.env | {"XDG_RUNTIME_DIR": str(session.folder / "gone")}


LOGINS = [
    pytest.param(without_session, id="none"),
    pytest.param(with_a_session_that_ended, id="ended"),
    pytest.param(with_a_strangers_session, id="stranger", marks=ROOT_ONLY),
]


def clicks(env: dict[str, str]) -> None:
    """The person clicks, in an agent that does not run on."""
    program = (
        "from agent.system.dirs import Folders; from agent.runtime import Runtime\n"
        "from agent.domain.model import Interaction, InteractionKind\n"
        "runtime = Runtime.open(Folders.standard())\n"
        "runtime.interactions.record(Interaction('c-one', InteractionKind.CLICKED, 'l1')); runtime.stop()\n"
    )
    subprocess.run([sys.executable, "-c", program], env=env, timeout=60, check=True)


@pytest.mark.parametrize("login", LOGINS)
def test_what_is_turned_off_in_another_login_is_off_in_the_agent_that_runs(
    tidings: Program,
    session: Session,
    served: LoopbackServer,
    company: Company,
    tmp_path: Path,
    login: object,
) -> None:
    assert callable(login)
    tidings.run("once")
    clicks(session.env)
    served.answer = lambda request: (
        problem(503, "busy") if request.path.endswith("signals") else company(request)
    )
    tidings.start("run", "--headless")
    until(lambda: asked(served, "signals"), "an attempt to send the click")
    elsewhere = Program("agent", login(session), tmp_path / "other.log", is_quick=True)
    assert elsewhere.run(*ALL_OFF).stdout == "Seen: off\nClicks: off\nLikes: off\n"
    assert json.loads(tidings.run("privacy", "show", "--json").stdout)["shared"]["click"] is False
    served.answer = company
    until(lambda: len(company.withdrawals) == 3, "the withdrawals")
    refused = elsewhere.run("purge", "--yes", code=1)
    assert tidings.child is not None
    assert f"process {tidings.child.pid}" in refused.stderr
    assert "already running" in refused.stderr
    assert tidings.child.running
    assert "Northwind" in tidings.run("status").stdout
    assert tidings.stop() == 0
    assert company.events == {}
    elsewhere.run("purge", "--yes")


@pytest.mark.parametrize("login", LOGINS)
def test_an_agent_that_began_in_another_login_is_found_from_the_session(
    tidings: Program, session: Session, served: LoopbackServer, tmp_path: Path, login: object
) -> None:
    assert callable(login)
    elsewhere = Program("agent", login(session), tmp_path / "other.log", is_quick=True)
    served.requests.clear()
    elsewhere.start("run", "--headless")
    until(lambda: asked(served, "feed"), "a poll")
    assert "Clicks: off" in tidings.run(*ALL_OFF).stdout
    for words in (("once",), ("run", "--headless"), ("purge", "--yes")):
        assert "already running" in tidings.run(*words, code=1).stderr
    elsewhere.stop()


@pytest.fixture
def network_home(session: Session) -> Iterator[None]:
    """The person's data is on a disk that other computers may use too."""
    with a_network_disk(Path(session.env["XDG_DATA_HOME"]) / "tidings"):
        yield


def test_an_agent_on_another_computer_is_named_and_left_alone(
    network_home: None, tidings: Program, session: Session, tmp_path: Path
) -> None:
    """A second computer with the same home, by a name of its own."""
    data = Path(session.env["XDG_DATA_HOME"]) / "tidings"
    lock = InstanceLock(replace(Folders.under(tmp_path), data=data))
    try:
        running_instance.write(data, replace(lock.place, host="desk-7", pid=4711))
        before = {path: path.stat().st_mtime_ns for path in data.iterdir()}
        for words in (
            ALL_OFF,
            ("privacy", "show"),
            ("status",),
            ("once",),
            ("purge", "--yes"),
            ("doctor", "--diagnostics"),
        ):
            said = tidings.run(*words, code=1)
            assert "It runs on the computer desk-7, as process 4711." in said.stderr
            assert "off" not in said.stdout
        assert "desk-7" in tidings.run("doctor", code=1).stdout
        after = {path: path.stat().st_mtime_ns for path in data.iterdir() if path in before}
        assert {path.name for path in before if before[path] != after.get(path)} == set()
    finally:
        lock.release()


# The record on the disk changes under an agent


@pytest.fixture
def computer(served: LoopbackServer, tmp_path: Path) -> Iterator[Agent]:
    """Connected, everything on, not started: it sends when it is told to."""
    with an_agent(tmp_path / "one") as agent:
        agent.runtime.enrol(served.url, CODE)
        agent.runtime.sync_once()
        agent.runtime.choose(all_on())
        agent.runtime.sync_once()
        yield agent


def record_of(agent: Agent) -> ConsentFile:
    """The record as another computer opens it."""
    return ConsentFile(agent.folders.data / "consent.record")


def turned_off_elsewhere(agent: Agent, *signals: FeedbackSignal) -> None:
    """Another process writes what its own person chose there."""
    program = (
        "import sys; from pathlib import Path; from agent.system.clock import SystemClock\n"
        "from agent.consent.record_file import ConsentFile; from agent.consent.rules import refuse\n"
        "from agent.domain.model import FeedbackSignal\n"
        "file = ConsentFile(Path(sys.argv[1])); consents = file.read()\n"
        "for name in sys.argv[2:]:\n"
        "    now = SystemClock().now()\n"
        "    file.write(refuse(consents[FeedbackSignal(name)], notice_version=3, now=now, language='en'))\n"
    )
    path = agent.folders.data / "consent.record"
    subprocess.run([sys.executable, "-c", program, path, *signals], timeout=60, check=True)


def shared(agent: Agent) -> set[FeedbackSignal]:
    return {choice.signal for choice in agent.runtime.choices() if choice.on}


def click(agent: Agent) -> None:
    agent.runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))


def test_no_event_is_made_after_the_record_was_changed(computer: Agent, company: Company) -> None:
    turned_off_elsewhere(computer, FeedbackSignal.CLICK)
    click(computer)
    computer.runtime.interactions.record(Interaction("c-one", InteractionKind.LIKED))
    assert not (computer.folders.data / "outbox-click.sqlite3").exists()
    assert shared(computer) == {FeedbackSignal.SEEN, FeedbackSignal.LIKE}
    computer.runtime.sync_once()
    assert [event["signal"] for event in company.events.values()] == ["like"]


def test_what_waits_is_not_sent_after_the_record_was_changed_and_windows_hear_of_it(
    computer: Agent, company: Company
) -> None:
    click(computer)
    heard: list[Change] = []
    computer.runtime.subscribe(heard.append)
    turned_off_elsewhere(computer, FeedbackSignal.CLICK)
    computer.runtime.sync_once()
    assert company.events == {}
    assert Change.CONSENT in heard
    assert not (computer.folders.data / "outbox-click.sqlite3").exists()
    assert [each["signal"] for each in company.withdrawals] == ["click"], "the server is told here too"


def test_a_record_that_changes_as_an_event_is_about_to_leave_stops_it(
    computer: Agent, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(computer)
    begin = computer.runtime.messages.begin

    def begun(*arguments: object) -> int:
        number = begin(*arguments)  # type: ignore[arg-type]
        turned_off_elsewhere(computer, FeedbackSignal.CLICK)
        return number

    monkeypatch.setattr(computer.runtime.messages, "begin", begun)
    with pytest.raises(errors.Interrupted):
        computer.runtime.sync_once()
    monkeypatch.undo()
    computer.runtime.sync_once()
    assert company.events == {}
    assert computer.runtime.messages.parts() == [], "what never left is not said to be sent"


def test_nothing_is_turned_on_by_a_record_that_changed(computer: Agent, company: Company) -> None:
    """An older copy of the home is put back under the agent: what was withdrawn since stays so."""
    path = computer.folders.data / "consent.record"
    given = path.read_bytes()
    computer.runtime.choose({FeedbackSignal.CLICK: False})
    path.write_bytes(given)
    click(computer)
    computer.runtime.sync_once()
    assert company.events == {}
    assert shared(computer) == {FeedbackSignal.SEEN, FeedbackSignal.LIKE}


def test_a_consent_under_another_receipt_than_ours_closes(computer: Agent, company: Company) -> None:
    record = record_of(computer)
    consent = record.read()[FeedbackSignal.CLICK]
    record.write(replace(consent, receipt_id="00000000-0000-4000-8000-000000000000"))
    click(computer)
    computer.runtime.sync_once()
    assert company.events == {}
    assert FeedbackSignal.CLICK not in shared(computer)


@pytest.mark.expected_logs("is damaged")
@pytest.mark.parametrize("how", ["removed", "emptied", "scribbled"])
def test_a_record_that_is_lost_under_the_agent_is_off(computer: Agent, company: Company, how: str) -> None:
    path = computer.folders.data / "consent.record"
    if how == "removed":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "emptied" else b"x" * path.stat().st_size)
    click(computer)
    computer.runtime.interactions.record(Interaction("c-one", InteractionKind.LIKED))
    computer.runtime.sync_once()
    assert company.events == {}
    assert shared(computer) == set()


def test_a_record_that_cannot_be_read_for_a_moment_makes_and_sends_nothing_then_and_loses_nothing(
    computer: Agent, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    click(computer)
    read = private_files.read

    def fails(path: Path, most_bytes: int) -> bytes:
        if path.name == "consent.record":
            raise OSError(errno.EIO, "Input/output error")
        return read(path, most_bytes)

    monkeypatch.setattr(private_files, "read", fails)
    click(computer)
    computer.runtime.sync_once()
    assert company.events == {}
    monkeypatch.undo()
    computer.runtime.sync_once()
    assert len(company.events) == 1
    assert shared(computer) == set(FeedbackSignal)


def test_an_answer_of_the_server_does_not_write_over_what_was_turned_off_elsewhere(
    served: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    with an_agent(tmp_path / "one") as agent:
        agent.runtime.enrol(served.url, CODE)
        agent.runtime.choose({FeedbackSignal.CLICK: True})

        def meanwhile(_request: object, answer: object) -> object:
            turned_off_elsewhere(agent, FeedbackSignal.CLICK)
            return answer()  # type: ignore[operator]

        company.faults.append(meanwhile)  # type: ignore[arg-type]
        agent.runtime._background.send_once()
        assert record_of(agent).read()[FeedbackSignal.CLICK].state is ConsentState.WITHDRAWN
        assert shared(agent) == set()


# The lock


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders.under(tmp_path / "home")


def test_the_lock_and_what_it_says_are_their_owners_alone_and_go_with_it(folders: Folders) -> None:
    before = os.umask(0)
    try:
        lock = InstanceLock(folders, ":7")
    finally:
        os.umask(before)
    names = {path.name for path in folders.data.iterdir()}
    assert names == {"agent.lock", "agent.place"}
    assert {path.stat().st_mode & 0o777 for path in folders.data.iterdir()} == {0o600}
    with pytest.raises(errors.AlreadyRunning) as refused:
        InstanceLock(folders)
    assert (refused.value.pid, refused.value.display, refused.value.host) == (os.getpid(), ":7", "")
    lock.release()
    assert running_instance.read(folders.data) is None


def test_the_lock_of_an_earlier_version_counts_as_long_as_it_is_held(folders: Folders) -> None:
    folders.make()
    earlier = (folders.runtime / NAME).open("ab")
    fcntl.flock(earlier, fcntl.LOCK_EX)
    with pytest.raises(errors.AlreadyRunning):
        InstanceLock(folders)
    earlier.close()
    lock = InstanceLock(folders)
    with (folders.runtime / NAME).open("ab") as later, pytest.raises(BlockingIOError):
        fcntl.flock(later, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.release()


def test_an_earlier_version_in_another_login_counts_too(folders: Folders, tmp_path: Path) -> None:
    other = tmp_path / "session"
    other.mkdir()
    with (other / NAME).open("ab") as earlier:
        fcntl.flock(earlier, fcntl.LOCK_EX)
        with pytest.raises(errors.AlreadyRunning):
            InstanceLock(replace(folders, other_runtimes=(other,)))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other computers may be over the same home."""
    monkeypatch.setattr(mounts, "is_of_one_computer", lambda _folder: False)


def seems_to_run_on(host: str, folders: Folders, *, last_sign_s: float) -> None:
    """A computer wrote that an agent runs there, and the lock of that agent is not seen here."""
    folders.make()
    running_instance.write(folders.data, running_instance.Place("x", host, 9, ":0", b"/run/user/9/tidings"))
    (folders.data / NAME).touch()
    now = (folders.data / NAME).stat().st_mtime
    os.utime(folders.data / running_instance.NAME, (now - last_sign_s, now - last_sign_s))


def test_a_sign_of_life_of_another_computer_counts_where_locks_do_not_reach(
    folders: Folders, network: None
) -> None:
    seems_to_run_on("desk-7", folders, last_sign_s=limits.BEAT_S)
    with pytest.raises(errors.AlreadyRunning) as refused:
        InstanceLock(folders)
    assert "desk-7" in refused.value.message
    assert running_instance.read(folders.data) is not None


def test_a_computer_that_crashed_holds_nothing_up_for_long(folders: Folders) -> None:
    seems_to_run_on("desk-7", folders, last_sign_s=limits.LEASE_S + 60)
    InstanceLock(folders).release()


def test_an_agent_that_died_on_this_computer_holds_nothing_up(folders: Folders) -> None:
    seems_to_run_on(socket.gethostname(), folders, last_sign_s=0)
    InstanceLock(folders).release()


@pytest.mark.expected_logs("beside the data is lost")
def test_an_agent_whose_lock_was_taken_over_makes_and_sends_nothing(
    served: LoopbackServer, company: Company, tmp_path: Path, network: None
) -> None:
    folders = Folders.under(tmp_path / "one")
    lock = InstanceLock(folders)
    runtime = Runtime.open(
        folders, clock=SettableClock(), secrets=MemoryKeychain(), verifier=OwnProcessVerifier(), lock=lock
    )
    try:
        runtime.enrol(served.url, CODE)
        runtime.choose(all_on())
        runtime.sync_once()
        runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        running_instance.write(folders.data, replace(lock.place, instance="another", host="desk-7"))
        for act in (
            lambda: runtime.interactions.record(Interaction("c-one", InteractionKind.LIKED)),
            runtime.sync_once,
        ):
            with pytest.raises(LockLost):
                act()
        assert company.events == {}
        lock.beat()
        place = running_instance.read(folders.data)
        assert place is not None
        assert place.instance == "another", "it does not take back what is another's now"
    finally:
        runtime.stop()
        lock.release()


REMOVED = pytest.mark.expected_logs("was removed by somebody")
LOST = pytest.mark.expected_logs("beside the data is lost", "data folder cannot be listed")


@REMOVED
def test_a_lock_that_somebody_removed_lets_no_second_agent_in_and_is_taken_again(folders: Folders) -> None:
    lock, elsewhere = InstanceLock(folders), replace(folders, runtime=folders.runtime / "other")
    (folders.data / NAME).unlink()
    assert not lock.is_ours()
    with pytest.raises(errors.AlreadyRunning):
        InstanceLock(elsewhere)
    lock.hold()
    assert lock.is_ours()
    with pytest.raises(errors.AlreadyRunning):
        InstanceLock(elsewhere)
    lock.release()
    InstanceLock(elsewhere).release()


@LOST
def test_where_folders_take_no_lock_the_second_agent_ends_the_first(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_lock, "_locked_folder", lambda _folder: None)
    lock, ended = InstanceLock(folders), list[int]()
    lock.when_lost = lambda: ended.append(1)
    (folders.data / NAME).unlink()
    next_one = InstanceLock(replace(folders, runtime=folders.runtime / "other"))
    for _ in range(2):
        with pytest.raises(LockLost):
            lock.hold()
    assert ended == [1]
    next_one.hold()
    lock.release()
    assert running_instance.read(folders.data) == next_one.place, "the first leaves alone what is another's"
    next_one.release()


@LOST
@pytest.mark.parametrize("is_replaced", [False, True])
def test_an_agent_whose_folder_was_taken_away_does_nothing_more_and_says_so(
    served: LoopbackServer, folders: Folders, is_replaced: bool
) -> None:
    lock = InstanceLock(folders)
    runtime = Runtime.open(
        folders, clock=SettableClock(), secrets=MemoryKeychain(), verifier=OwnProcessVerifier(), lock=lock
    )
    try:
        runtime.enrol(served.url, CODE)
        runtime.choose(all_on())
        runtime.sync_once()
        before = len(served.requests)
        folders.data.rename(folders.data.with_name("moved"))
        if is_replaced:
            folders.data.mkdir()
        for act in (
            runtime.sync_once,
            lambda: runtime.choose(all_off()),
            lambda: runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1")),
        ):
            with pytest.raises(LockLost):
                act()
        assert [trouble.code for trouble in runtime.status().troubles] == ["LockLost"]
        assert len(served.requests) == before
    finally:
        runtime.stop()
        lock.release()


@REMOVED
def test_a_running_agent_takes_its_lock_again_before_it_works_on(
    served: LoopbackServer, company: Company, folders: Folders
) -> None:
    lock = InstanceLock(folders)
    runtime = Runtime.open(
        folders, clock=SettableClock(), secrets=MemoryKeychain(), verifier=OwnProcessVerifier(), lock=lock
    )
    try:
        runtime.enrol(served.url, CODE)
        runtime.choose(all_on())
        for name in lock.files:
            (folders.data / name).unlink()
        runtime.sync_once()
        runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        runtime.sync_once()
        assert len(company.counted("click")) == 1
        lock.beat()
        assert running_instance.read(folders.data) == lock.place
    finally:
        runtime.stop()
        lock.release()


@ROOT_ONLY
def test_a_lock_that_another_user_made_and_holds_stops_nobody(folders: Folders) -> None:
    """As in a folder that was open to all when they came."""
    folders.data.mkdir(parents=True)
    stranger = (folders.data / NAME).open("ab")
    os.fchown(stranger.fileno(), 65534, 65534)
    os.fchmod(stranger.fileno(), 0o666)
    folders.data.chmod(0o777)
    fcntl.flock(stranger, fcntl.LOCK_EX)
    InstanceLock(folders).release()
    assert folders.data.stat().st_mode & 0o777 == 0o700
    stranger.close()


def test_a_disk_without_locks_is_a_sentence(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(NoLocks) as refused:
        InstanceLock(folders)
    assert "administrator" in refused.value.message


def test_where_the_sessions_folder_takes_no_socket_the_agent_is_found_all_the_same(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_socket, "takes_sockets", lambda _folder: False)
    lock = InstanceLock(folders)
    assert lock.sockets.stat().st_mode & 0o777 == 0o700
    end = channel.Channel(lock, lambda question, _: question + b"!").close
    try:
        elsewhere = replace(folders, runtime=folders.runtime / "of" / "another" / "login")
        assert channel.ask_agent(elsewhere, b"here") == b"here!"
    finally:
        end()
        lock.release()
    assert not lock.sockets.exists()


def test_the_temporary_folder_of_a_dead_agent_goes_at_the_next_start(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_socket, "takes_sockets", lambda _folder: False)
    dead = InstanceLock(folders)
    kept = dead.sockets
    shutil.copy(folders.data / running_instance.NAME, folders.data.parent / "kept")
    dead.release()
    kept.mkdir()
    shutil.copy(folders.data.parent / "kept", folders.data / running_instance.NAME)
    monkeypatch.undo()
    InstanceLock(folders).release()
    assert not kept.exists()

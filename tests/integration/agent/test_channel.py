"""The channel between commands and the running agent, with others at it that hold lines, drip, or take things away."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest

from agent.cli import privacy
from agent.consent.choice_errors import OnlyRecorded
from agent.consent.record_file import ConsentFile
from agent.domain import errors, limits
from agent.domain.model import ConnectionState, ConsentState, FeedbackSignal, Status
from agent.ipc import calls, channel, local_socket, running_instance
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders
from tests.support.agent.company_in_memory import Company
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LoopbackServer, loopback_server
from tests.support.agent.watching import CODE, asked
from tests.support.waiting import PATIENCE_S, until

MANY = 127


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
def as_connected(session: Session, address: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shares its clicks. Connected once: the keychain's entry belongs to the folder."""
    folder = tmp_path_factory.mktemp("connected") / "tidings"
    address.answer = Company()
    program = Program(
        "agent", session.env | {"TIDINGS_HOME": str(folder)}, folder.parent / "log", is_quick=True
    )
    program.run("enrol", address.url, CODE)
    program.run("privacy", "set", "click=on")
    shutil.copytree(folder, folder.parent / "as-connected")
    return folder


@pytest.fixture
def home(as_connected: Path) -> Path:
    shutil.rmtree(as_connected)
    shutil.copytree(as_connected.parent / "as-connected", as_connected)
    return as_connected


@pytest.fixture
def running(session: Session, home: Path, server: LoopbackServer, tmp_path: Path) -> Iterator[Program]:
    """An agent that shares its clicks."""
    tidings = Program(
        "agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "agent.log", is_quick=True
    )
    tidings.start("run", "--headless")
    until(lambda: asked(server, "feed"), "a poll")
    yield tidings
    tidings.stop()


def withdraws(tidings: Program, company: Company) -> None:
    """Clicks are turned off by command, in the agent that runs, which tells the server."""
    done = tidings.run("privacy", "set", "click=off")
    assert "Clicks: off" in done.stdout
    assert done.stderr == ""
    until(lambda: [each["signal"] for each in company.withdrawals] == ["click"], "the withdrawal")


# Others hold lines


@contextmanager
def lines(path: Path, count: int) -> Iterator[list[socket.socket]]:
    """So many connections to a socket, of which none says anything."""
    with ExitStack() as held:
        yield [held.enter_context(a_line(path)) for _ in range(count)]


def a_line(path: Path) -> socket.socket:
    """One that waits until there is room for it."""
    line = socket.socket(socket.AF_UNIX)
    with local_socket.short(path) as address:
        line.connect(address)
    line.setblocking(False)
    return line


@contextmanager
def dripping(silent: list[socket.socket]) -> Iterator[None]:
    """Each says a byte of a long question, and one more every so often, as long as it is heard."""
    ended = threading.Event()

    def drip() -> None:
        for byte in struct.pack(">i", 60_000) + b"x" * 60_000:
            for line in silent:
                with_nobody_there = (BrokenPipeError, ConnectionResetError, BlockingIOError)
                try:
                    line.send(bytes([byte]))
                except with_nobody_there:
                    continue
            if ended.wait(0.5):
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("count", [10, MANY, limits.CONTROL_LINES + 20])
def test_lines_that_say_nothing_keep_no_withdrawal_waiting(
    running: Program, home: Path, company: Company, count: int
) -> None:
    with lines(home / "run" / local_socket.NAME, count):
        withdraws(running, company)


def test_lines_that_drip_keep_no_withdrawal_waiting(running: Program, home: Path, company: Company) -> None:
    with lines(home / "run" / local_socket.NAME, MANY) as silent, dripping(silent):
        withdraws(running, company)


def test_a_line_that_drips_is_ended_when_the_time_of_a_whole_question_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONTROL_QUESTION_S", 2.0)
    listener = channel.ControlListener(tmp_path, lambda question, _: question)
    try:
        with lines(tmp_path / local_socket.NAME, 1) as (line,), dripping([line]):
            line.setblocking(True)
            line.settimeout(PATIENCE_S)
            heard = b""
            while piece := line.recv(100):
                heard += piece
            assert heard.endswith(channel.READY), "it was heard out, and nothing was answered"
    finally:
        listener.close()


def test_an_agent_that_drips_its_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONTROL_PATIENCE_S", 2.0)
    with socket.socket(socket.AF_UNIX) as listening, local_socket.short(tmp_path / local_socket.NAME) as path:
        listening.bind(path)
        listening.listen()

        def agent() -> None:
            line, _ = listening.accept()
            with line:
                line.sendall(struct.pack(">i", len(channel.READY)) + channel.READY)
                with dripping([line]):
                    while line.recv(1_000):
                        pass

        thread = threading.Thread(target=agent)
        thread.start()
        with pytest.raises(errors.NoAnswer):
            channel.ask(tmp_path, b"{}")
        thread.join(PATIENCE_S)


def test_questions_that_take_long_keep_no_choice_waiting(tmp_path: Path) -> None:
    """As those do that wait for the server."""
    free, begun = threading.Event(), threading.Semaphore(0)

    def answer(question: bytes, _: Callable[[], bool]) -> bytes:
        if b"verify" in question:
            begun.release()
            free.wait(PATIENCE_S)
        return question

    listener = channel.ControlListener(tmp_path, answer)
    slow = msgspec.json.encode(calls.Call("verify"))
    asking = [
        threading.Thread(target=channel.ask, args=(tmp_path, slow)) for _ in range(2 * limits.CONTROL_AT_ONCE)
    ]
    try:
        for thread in asking:
            thread.start()
        for _ in range(limits.CONTROL_AT_ONCE):
            assert begun.acquire(timeout=PATIENCE_S)
        choice = msgspec.json.encode(calls.Call("choose"))
        assert channel.ask(tmp_path, choice) == choice
    finally:
        free.set()
        for thread in asking:
            thread.join(PATIENCE_S)
        listener.close()


def test_who_finds_no_room_in_the_line_of_an_agent_that_stands_still_waits_for_it(
    running: Program, home: Path, company: Company
) -> None:
    child = running.child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    try:
        until(lambda: stands_still(child.pid), "the agent to stand still")
        with ExitStack() as held, local_socket.short(home / "run" / local_socket.NAME) as address:
            room = 0
            with suppress(BlockingIOError):
                while room < 1_000:
                    line = held.enter_context(socket.socket(socket.AF_UNIX))
                    line.setblocking(False)
                    line.connect(address)
                    room += 1
            assert local_socket.WAITING <= room < 1_000
            command = subprocess.Popen(
                [*running.command, "privacy", "set", "click=off"], env=running.env, stdout=subprocess.PIPE
            )
            with command:
                until(lambda: CONNECT in system_calls(command.pid), "the command that waits for room")
                os.kill(child.pid, signal.SIGCONT)
                said, _ = command.communicate(timeout=PATIENCE_S)
    finally:
        os.kill(child.pid, signal.SIGCONT)
    assert b"Clicks: off" in said


def stands_still(pid: int) -> bool:
    """Whether no thread of it runs on (proc(5), /proc/pid/stat)."""
    threads = [task.read_text().rpartition(")")[2] for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(thread.split()[0] == "T" for thread in threads)


CONNECT = {"x86_64": "42", "aarch64": "203"}[platform.machine()]


def system_calls(pid: int) -> set[str]:
    """The numbers of those in which a process waits (proc(5), /proc/pid/syscall)."""
    found = set()
    for task in Path(f"/proc/{pid}/task").glob("*/syscall"):
        with suppress(OSError):
            found.add(task.read_text().split()[0])
    return found


# What the agent says of where it is


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "something").write_text("of whoever made this")


def _device(path: Path) -> None:
    os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero, which never ends


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


IN_ITS_PLACE: dict[str, Callable[[Path], None]] = {
    "a pipe": _fifo,
    "a folder": _folder,
    "a device": _device,
    "a huge file": _huge,
    "a link to a device": _link,
    "a link to nothing": _nowhere,
}
ROOT_MAKES = ("a device",)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders.under(tmp_path / "home")


@pytest.fixture
def lock(folders: Folders) -> Iterator[InstanceLock]:
    """An agent that answers with what it was asked."""
    held = InstanceLock(folders)
    heard = channel.Channel(held, lambda question, _: question)
    yield held
    heard.close()
    held.release()


def is_reached(folders: Folders) -> None:
    """A command sees that it runs, and asks it."""
    with pytest.raises(errors.AlreadyRunning):
        InstanceLock(folders)
    question = msgspec.json.encode(calls.Call("show", data=running_instance.data_mark(folders.data)))
    assert channel.ask_agent(folders, question, PATIENCE_S) == question


@pytest.mark.expected_logs("could not be written")
@pytest.mark.parametrize("what", IN_ITS_PLACE)
def test_whatever_is_in_the_place_of_what_the_agent_says_of_itself_commands_reach_it(
    folders: Folders, lock: InstanceLock, what: str
) -> None:
    if what in ROOT_MAKES and os.geteuid() != 0:
        pytest.skip("only root makes devices")
    place = folders.data / running_instance.NAME
    place.unlink()
    IN_ITS_PLACE[what](place)
    is_reached(folders)
    lock.hold()
    lock.beat()
    is_reached(folders)


def test_a_pipe_in_its_place_keeps_no_withdrawal_from_an_agent_that_runs(
    running: Program, home: Path, company: Company
) -> None:
    place = home / "data" / running_instance.NAME
    place.unlink()
    os.mkfifo(place)
    withdraws(running, company)
    assert "Northwind" in running.run("status").stdout
    assert running.stop() == 0
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    assert "Clicks: on" in running.run("privacy", "set", "click=on").stdout, "where none runs, too"


def _at_no_socket(place: running_instance.Place, _other: Path) -> running_instance.Place:
    return msgspec.structs.replace(place, sockets=b"/nonexistent")


def _on_another_computer(place: running_instance.Place, _other: Path) -> running_instance.Place:
    return msgspec.structs.replace(place, host="desk-7", computer="0" * 32)


def _of_another_start(place: running_instance.Place, _other: Path) -> running_instance.Place:
    return msgspec.structs.replace(place, instance="another")


def _at_another_agent(place: running_instance.Place, other: Path) -> running_instance.Place:
    return msgspec.structs.replace(place, sockets=os.fsencode(other))


FORGED = (_at_no_socket, _on_another_computer, _of_another_start, _at_another_agent)


@pytest.mark.parametrize("forge", FORGED)
def test_whatever_is_forged_of_where_the_agent_is_commands_reach_it_and_it_puts_that_right(
    folders: Folders,
    lock: InstanceLock,
    tmp_path: Path,
    forge: Callable[[running_instance.Place, Path], running_instance.Place],
) -> None:
    other = Folders.under(tmp_path / "other")
    others_lock = InstanceLock(other)
    another = channel.ControlListener(
        others_lock.sockets,
        partial(
            calls.answer, lambda: pytest.fail("it is not meant"), data=running_instance.data_mark(other.data)
        ),
    )
    try:
        running_instance.write(folders.data, forge(lock.place, others_lock.sockets))
        for _ in range(3):  # whichever is ready first
            is_reached(folders)
        lock.hold()
        assert lock.is_ours()
        lock.beat()
        assert running_instance.read(folders.data) == lock.place
    finally:
        another.close()
        others_lock.release()


def test_a_withdrawal_reaches_an_agent_of_which_somebody_wrote_that_it_is_on_another_computer(
    running: Program, home: Path, company: Company
) -> None:
    place = running_instance.read(home / "data")
    assert place is not None
    running_instance.write(home / "data", _on_another_computer(place, home))
    withdraws(running, company)
    assert "Northwind" in running.run("status").stdout
    assert running.child is not None
    assert running.child.running, "it goes on"


def test_a_sign_of_life_that_comes_from_the_future_holds_no_start_up(folders: Folders) -> None:
    lock = InstanceLock(folders)
    forged = _on_another_computer(lock.place, folders.data)
    lock.release()
    running_instance.write(folders.data, forged)
    os.utime(folders.data / running_instance.NAME, (1 << 32, 1 << 32))
    InstanceLock(folders).release()


def test_a_socket_at_which_nobody_answers_keeps_nobody_from_the_agent(
    folders: Folders, lock: InstanceLock, tmp_path: Path
) -> None:
    """Somebody listens where the agent is said to be, and accepts nothing."""
    with socket.socket(socket.AF_UNIX) as mute, local_socket.short(tmp_path / local_socket.NAME) as path:
        mute.bind(path)
        mute.listen()
        running_instance.write(folders.data, _at_another_agent(lock.place, tmp_path))
        is_reached(folders)


# Something is in the place of the socket


def test_an_agent_whose_socket_has_no_place_is_found_at_another(
    home: Path, session: Session, server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    (home / "run" / local_socket.NAME).mkdir(parents=True)
    tidings = Program("agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "log", is_quick=True)
    tidings.start("run", "--headless")
    try:
        until(lambda: asked(server, "feed"), "a poll")
        withdraws(tidings, company)
    finally:
        tidings.stop()


@pytest.mark.expected_logs("taken away by somebody", "at another place")
@pytest.mark.parametrize("how", ["removed", "a folder", "another's socket", "its folder removed"])
def test_a_socket_that_was_taken_away_is_made_anew(folders: Folders, how: str) -> None:
    lock = InstanceLock(folders)
    path = lock.sockets / local_socket.NAME
    heard = channel.Channel(lock, lambda question, _: question + b"!")
    try:
        path.unlink()
        if how == "a folder":
            path.mkdir()
        elif how == "another's socket":
            with socket.socket(socket.AF_UNIX) as other, local_socket.short(path) as address:
                other.bind(address)
        elif how == "its folder removed":
            shutil.rmtree(path.parent)
        lock.beat()
        assert lock.deaf is None
        assert channel.ask_agent(folders, b"here", PATIENCE_S) == b"here!"
    finally:
        heard.close()
        lock.release()
    assert not path.is_socket()


@pytest.mark.expected_logs("at another place", "cannot ask this agent", "could not be written")
def test_an_agent_that_nobody_can_ask_says_so_until_somebody_can(folders: Folders) -> None:
    lock = InstanceLock(folders)
    path = lock.sockets / local_socket.NAME
    path.mkdir()
    place = folders.data / running_instance.NAME
    place.unlink()
    place.mkdir()
    heard = channel.Channel(lock, lambda question, _: question)
    try:
        assert lock.deaf is not None
        assert str(path) in lock.deaf.message or "cannot be written" in lock.deaf.message
        path.rmdir()
        place.rmdir()
        lock.beat()
        assert lock.deaf is None
        assert channel.ask_agent(folders, b"here", PATIENCE_S) == b"here"
    finally:
        heard.close()
        lock.release()


# Nobody answers, or somebody else


def test_what_is_turned_off_while_the_agent_stands_still_is_off_when_it_goes_on(
    running: Program, home: Path, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = running.child
    assert child is not None
    monkeypatch.setattr(limits, "CONTROL_READY_S", 0.5)
    os.kill(child.pid, signal.SIGSTOP)
    try:
        with pytest.raises(OnlyRecorded) as told:
            set_here(running, monkeypatch, "click=off")
        assert "written down" in told.value.message
    finally:
        os.kill(child.pid, signal.SIGCONT)
    shown = json.loads(running.run("privacy", "show", "--json").stdout)
    assert shown["shared"]["click"] is False
    running.stop()
    running.run("once")
    assert [each["signal"] for each in company.withdrawals] == ["click"]


def test_what_is_turned_on_while_the_agent_stands_still_is_not_on(
    running: Program, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = running.child
    assert child is not None
    monkeypatch.setattr(limits, "CONTROL_READY_S", 0.5)
    os.kill(child.pid, signal.SIGSTOP)
    try:
        with pytest.raises(errors.AlreadyRunning):
            set_here(running, monkeypatch, "like=on")
    finally:
        os.kill(child.pid, signal.SIGCONT)
    assert json.loads(running.run("privacy", "show", "--json").stdout)["shared"]["like"] is False


def test_what_somebody_only_says_to_be_off_is_off(
    running: Program, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another program is where the agent is said to be, and answers that all went well."""
    place = running_instance.read(home / "data")
    assert place is not None
    shown = calls.Shown(Status(ConnectionState.CONNECTED), ())
    lie = msgspec.json.encode(calls.Reply(msgspec.Raw(msgspec.json.encode(shown))))
    (home / "run" / local_socket.NAME).unlink()
    liar = channel.ControlListener(tmp_path, lambda _question, _: lie)
    try:
        running_instance.write(home / "data", _at_another_agent(place, tmp_path))
        with pytest.raises(OnlyRecorded):
            set_here(running, monkeypatch, "click=off")
    finally:
        liar.close()
    consents = ConsentFile(home / "data" / "consent.record").read()
    assert consents[FeedbackSignal.CLICK].state is ConsentState.WITHDRAWN


def set_here(tidings: Program, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """`tidings privacy set`, in this process, whose patience a test sets."""
    for name, value in tidings.env.items():
        if name.startswith(("TIDINGS", "XDG", "HOME")):
            monkeypatch.setenv(name, value)
    name, _, on = words.partition("=")
    privacy.privacy(Namespace(act="set", choices=[(name, on == "on")]), ())


@pytest.mark.parametrize(
    "names", [("consent.record", "agent.lock"), ("keychain.name", "enrolment.note")], ids=str
)
def test_a_pipe_in_the_place_of_a_file_of_ours_makes_no_command_wait(
    home: Path, session: Session, server: LoopbackServer, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """It says what is wrong, or does without the file."""
    for name in names:
        (home / "data" / name).unlink(missing_ok=True)
        os.mkfifo(home / "data" / name)
    tidings = Program("agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "log", is_quick=True)
    done = tidings.run("privacy", "set", "click=off", code=None)
    assert "Traceback" not in done.stderr
    assert ("Clicks: off" in done.stdout) is (done.returncode == 0)
    assert done.stderr or done.returncode == 0

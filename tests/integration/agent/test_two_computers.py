"""Two computers over one home folder: one agent at a time works on it, also where they do not see each other's locks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.domain.model import ConsentState, FeedbackSignal, Interaction, InteractionKind
from agent.ipc import instance_lock, running_instance
from agent.ipc.instance_lock import InstanceLock, LockLost
from agent.runtime import Runtime
from agent.system import mounts
from agent.system.dirs import Folders
from tests.support.agent.company_in_memory import Company
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.parts import MemoryKeychain, OwnProcessVerifier, SettableClock, all_on
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LoopbackServer, loopback_server
from tests.support.agent.watching import CODE, asked
from tests.support.desktop.session_bus import own_user_only
from tests.support.disks import a_network_disk
from tests.support.waiting import until

# Another kernel's names over the same files


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


def on_desk_7(session: Session, log: Path) -> Program:
    """A program on another computer: with a host name of its own, and folders of its sessions."""
    program = Program("agent", session.env | {"XDG_RUNTIME_DIR": str(own_user_only(log.parent / "run"))}, log)
    named = ["sh", "-c", 'hostname desk-7 && exec "$@"', "sh"]
    program.command = ["unshare", "--uts", *named, *program.command]
    return program


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root makes namespaces")
def test_what_runs_on_one_computer_is_named_and_left_alone_by_the_other(
    session: Session, company: Company, tmp_path: Path
) -> None:
    data = Path(session.env["XDG_DATA_HOME"]) / "tidings"
    with a_network_disk(data), loopback_server(company) as server:
        here, there = Program("agent", session.env, tmp_path / "log"), on_desk_7(session, tmp_path / "7.log")
        here.run("enrol", server.url, CODE)
        here.run("privacy", "set", "click=on")
        server.requests.clear()
        there.start("run", "--headless")
        until(lambda: asked(server, "feed"), "a poll of the other computer")
        record, store = (data / "consent.record").read_bytes(), (data / "tidings.sqlite3").stat().st_ino
        for words in (
            ("privacy", "set", "click=off"),
            ("privacy", "erase", "--yes"),
            ("privacy", "show"),
            ("status",),
            ("once",),
            ("run", "--headless"),
            ("purge", "--yes"),
        ):
            said = here.run(*words, code=1)
            assert "It runs on the computer desk-7, as process " in said.stderr
            assert "off" not in said.stdout
        assert (data / "consent.record").read_bytes() == record
        assert (data / "tidings.sqlite3").stat().st_ino == store
        assert company.withdrawals == []
        there.stop()
        until(lambda: running_instance.read(data) is None, "the end of the other computer's agent")
        assert "Clicks: off" in here.run("privacy", "set", "click=off").stdout
        assert [each["signal"] for each in company.withdrawals] == ["click"]


# Computers that do not see each other's locks (NFS with nolock)


class Computers:
    """This process plays one computer after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(instance_lock, "_lock", lambda _descriptor: None)
        monkeypatch.setattr(mounts, "is_of_one_computer", lambda _folder: False)

    def use(self, name: str, number: str = "") -> None:
        self._monkeypatch.setattr(running_instance, "this_host", lambda: name)
        self._monkeypatch.setattr(running_instance, "this_computer", lambda: number)


@pytest.fixture
def computers(monkeypatch: pytest.MonkeyPatch) -> Computers:
    made = Computers(monkeypatch)
    made.use("desk-7")
    return made


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders.under(tmp_path / "home")


@contextmanager
def running(folders: Folders, keychain: MemoryKeychain) -> Iterator[Runtime]:
    """With its lock, not started."""
    lock = InstanceLock(folders)
    runtime = Runtime.open(
        folders, clock=SettableClock(), secrets=keychain, verifier=OwnProcessVerifier(), lock=lock
    )
    try:
        yield runtime
    finally:
        runtime.stop()
        lock.release()


def no_sign_of_life(folders: Folders) -> None:
    """The other computer slept, or lost the network, for as long as its lease."""
    place = folders.data / running_instance.NAME
    then = place.stat().st_mtime - limits.LEASE_S - 60
    os.utime(place, (then, then))


def stored(folders: Folders) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in folders.data.iterdir()
        if path.is_file() and not path.name.endswith("-shm")
    }


ACTS: dict[str, Callable[[Runtime], object]] = {
    "poll": lambda runtime: runtime._background.poll._run(),
    "send": lambda runtime: runtime._background.send._run(),
    "a choice": lambda runtime: runtime.choose({FeedbackSignal.CLICK: False}),
    "delete all": lambda runtime: runtime.delete_all_shared(),
    "a click": lambda runtime: runtime.interactions.record(
        Interaction("c-one", InteractionKind.CLICKED, "l1")
    ),
    "shown": lambda runtime: runtime.interactions.displayed(["c-one"]),
    "read": lambda runtime: runtime.interactions.mark_read(["c-one"], True),
    "remind": lambda runtime: runtime.interactions.remind("c-one", 60),
    "pause": lambda runtime: runtime.pause(60),
    "preferences": lambda runtime: runtime.preferences.change({"sound": True}),
    "disconnect": lambda runtime: runtime.disconnect(),
}


@pytest.mark.expected_logs("is lost")
def test_an_agent_that_another_computer_took_over_from_changes_and_sends_nothing_more(
    computers: Computers, folders: Folders, server: LoopbackServer, company: Company
) -> None:
    keychain = MemoryKeychain()
    with running(folders, keychain) as first:
        first.enrol(server.url, CODE)
        first.sync_once()
        first.choose(all_on())
        first.send_once()
        first.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
        no_sign_of_life(folders)
        computers.use("desk-8")
        with running(folders, keychain) as second:
            second.choose({FeedbackSignal.CLICK: False})
            second.send_once()
            computers.use("desk-7")
            before, requests = stored(folders), len(server.requests)
            for name, act in ACTS.items():
                with suppress(LockLost):
                    act(first)
                assert stored(folders) == before, name
                assert len(server.requests) == requests, name
            assert "LockLost" in {each.code for each in first.status().troubles}
            assert keychain.secrets
            computers.use("desk-8")
            second.send_once()
            assert {choice.state for choice in second.choices() if choice.signal is FeedbackSignal.CLICK} == {
                ConsentState.WITHDRAWN
            }
    assert company.counted("click") == []


def test_an_agent_that_comes_back_before_anybody_took_over_goes_on(
    computers: Computers, folders: Folders, server: LoopbackServer
) -> None:
    with running(folders, MemoryKeychain()) as first:
        first.enrol(server.url, CODE)
        no_sign_of_life(folders)
        first.sync_once()
        assert first.status().troubles == ()


@pytest.mark.parametrize(
    ("number", "is_refused"), [("other", True), ("same", False), ("", False)], ids=["copy", "same", "unknown"]
)
def test_another_computer_of_the_same_name_is_another_computer(
    computers: Computers, folders: Folders, number: str, is_refused: bool
) -> None:
    """As those that were made of one image are. One without a number cannot be told from this one."""
    computers.use("localhost", "same")
    first = InstanceLock(folders)
    computers.use("localhost", number)
    try:
        if is_refused:
            with pytest.raises(errors.AlreadyRunning):
                InstanceLock(folders)
        else:
            InstanceLock(folders).release()
    finally:
        computers.use("localhost", "same")
        first.release()


def test_the_number_of_a_computer_is_not_the_one_that_is_to_be_kept_secret() -> None:
    number, secret = running_instance.this_computer(), Path("/etc/machine-id")
    if secret.exists() and (kept := secret.read_text().strip()):
        assert number
        assert kept not in number
    else:
        assert number == ""


def test_the_place_of_an_earlier_version_is_read(computers: Computers, folders: Folders) -> None:
    folders.make()
    (folders.data / running_instance.NAME).write_text(
        '{"instance":"x","host":"desk-8","pid":9,"display":":0","sockets":""}'
    )
    place = running_instance.read(folders.data)
    assert place is not None
    assert (place.host, place.computer) == ("desk-8", "")

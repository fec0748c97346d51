"""``tidings privacy`` and ``tidings receipt`` as processes: with an agent that runs, and without one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from agent.domain import errors
from agent.domain.model import Interaction, InteractionKind
from agent.ipc import channel, local_socket, running_instance
from agent.runtime import Runtime
from agent.system.dirs import Folders
from tests.contract.golden_documents import PUBLIC_KEYS, RECEIPT_JWS, STRANGERS_KEY
from tests.support.agent.company_in_memory import Company
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import ROOT, Program
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, loopback_server
from tests.support.agent.watching import CODE, asked
from tests.support.descriptors import none_left
from tests.support.waiting import PATIENCE_S, until

RECEIPT_THUMBPRINT = PUBLIC_KEYS["keys"][1]["kid"]


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
def home(session: Session, address: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Connected once: the keychain's entry belongs to the folder."""
    folder = tmp_path_factory.mktemp("connected") / "tidings"
    address.answer = Company()
    Program("agent", session.env | {"TIDINGS_HOME": str(folder)}, folder.parent / "log", is_quick=True).run(
        "enrol", address.url, CODE
    )
    shutil.copytree(folder, folder.parent / "as-connected")
    return folder


@pytest.fixture
def tidings(session: Session, home: Path, server: LoopbackServer, tmp_path: Path) -> Iterator[Program]:
    """Connected, without an agent that runs."""
    shutil.rmtree(home)
    shutil.copytree(home.parent / "as-connected", home)
    program = Program(
        "agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "agent.log", is_quick=True
    )
    yield program
    program.stop()


@pytest.fixture
def running(tidings: Program, server: LoopbackServer) -> Program:
    """Connected, with an agent that runs."""
    tidings.start("run", "--headless")
    until(lambda: asked(server, "feed"), "a poll")
    return tidings


def clicks(home: Path) -> None:
    """The person clicks, as in a window of an agent that does not run on."""
    runtime = Runtime.open(Folders.under(home))
    try:
        runtime.interactions.record(Interaction("c-one", InteractionKind.CLICKED, "l1"))
    finally:
        runtime.stop()


def shown(tidings: Program) -> dict[str, bool]:
    shared: dict[str, bool] = json.loads(tidings.run("privacy", "show", "--json").stdout)["shared"]
    return shared


def test_switches_are_turned_and_the_server_is_told_before_the_command_ends(
    tidings: Program, company: Company
) -> None:
    done = tidings.run("privacy", "set", "seen=on", "click=on")
    assert done.stdout == "Seen: on\nClicks: on\nLikes: off\n"
    assert sorted(company.consents.values()) == ["given", "given"]
    assert tidings.run("privacy", "set", "click=off").stdout == "Seen: on\nClicks: off\nLikes: off\n"
    assert sorted(company.consents.values()) == ["given", "withdrawn"]
    said = tidings.run("privacy", "show").stdout
    for needle in ("Northwind SAS", "European Union", "Inès Martin", "version 3", "if you agree"):
        assert needle in said


def test_offline_what_is_turned_off_is_off_and_that_is_said(tidings: Program, server: LoopbackServer) -> None:
    tidings.run("privacy", "set", "click=on")
    server.answer = lambda _: Reply(LOST)
    done = tidings.run("privacy", "set", "click=off")
    assert "Clicks: off" in done.stdout
    assert "is told as soon as it can be reached" in done.stderr
    assert shown(tidings)["click"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("privacy",),
        ("privacy", "set"),
        ("privacy", "set", "click=maybe"),
        ("privacy", "set", "dwell=on"),
        ("privacy", "correct", "salary=more"),
        ("receipt", "verify"),
    ],
)
def test_words_that_make_no_sense_end_with_2(tidings: Program, words: tuple[str, ...]) -> None:
    done = tidings.run(*words, code=2)
    assert "usage: tidings" in done.stderr
    assert done.stdout == ""


def test_an_agent_that_runs_obeys_at_once(running: Program, company: Company, home: Path) -> None:
    assert "Clicks: on" in running.run("privacy", "set", "click=on").stdout
    until(lambda: list(company.consents.values()) == ["given"], "the consent at the server")
    assert "Clicks: off" in running.run("privacy", "set", "click=off").stdout
    until(lambda: list(company.consents.values()) == ["withdrawn"], "the withdrawal at the server")
    assert shown(running) == {"seen": False, "click": False, "like": False}
    assert "[stored]" in running.run("privacy", "sent").stdout
    assert "Last name: asked for" in running.run("privacy", "correct", "last_name=King").stdout
    assert running.child is not None
    assert running.child.running
    running.stop()
    assert not (home / "run" / local_socket.NAME).exists()


def test_the_socket_of_an_agent_is_its_users_alone(running: Program, home: Path) -> None:
    path = home / "run" / local_socket.NAME
    until(path.exists, "the socket")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


AS_ANOTHER_USER = """
import os, socket, sys
os.setuid(65534)
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect(sys.argv[1])
    try:
        asking.sendall(bytes([0, 0, 0, 2]) + b"{}")
        print(len(asking.recv(10)))
    except (ConnectionResetError, BrokenPipeError):
        print(0)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.expected_logs("Another user asked the agent")
def test_another_user_is_refused_even_where_the_folder_was_opened_to_all() -> None:
    heard: list[bytes] = []

    def answer(question: bytes, _: Callable[[], bool]) -> bytes:
        heard.append(question)
        return b"{}"

    with tempfile.TemporaryDirectory(prefix="tidings-") as name:
        folder = Path(name)
        listener = channel.ControlListener(folder, answer)
        try:
            folder.chmod(0o777)
            (folder / local_socket.NAME).chmod(0o777)
            command = [sys.executable, "-c", AS_ANOTHER_USER, str(folder / local_socket.NAME)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
            assert (done.stdout, done.stderr) == ("0\n", "")
            assert heard == []
            assert channel.ask(folder, b"mine") == b"{}"
        finally:
            listener.close()


def test_a_question_that_makes_no_sense_harms_nothing(running: Program, home: Path) -> None:
    folder = home / "run"
    for question in (b"", b"{}", b"\xff", b'{"name": "nonsense"}', b'{"name": "show", "more": 1}'):
        assert json.loads(channel.ask(folder, question))["title"]
    with socket.socket(socket.AF_UNIX) as rude, local_socket.short(folder / local_socket.NAME) as path:
        rude.connect(path)
        rude.sendall(b"\xff\xff\xff\xff")
    mark = running_instance.data_mark(home / "data")
    asked = json.dumps({"name": "show", "data": mark}).encode()
    assert json.loads(channel.ask(folder, asked))["title"] == ""
    assert json.loads(channel.ask(folder, b'{"name": "show", "data": "1:2"}'))["title"], "another's data"


def test_what_was_given_up_while_the_agent_stood_still_is_not_done_later(
    running: Program, home: Path
) -> None:
    folder, child = home / "run", running.child
    assert child is not None
    running.run("privacy", "set", "seen=on", "click=off", "like=off")
    turn_on = {"name": "choose", "choices": {"like": True}, "data": running_instance.data_mark(home / "data")}
    question = json.dumps(turn_on).encode()
    os.kill(child.pid, signal.SIGSTOP)
    try:
        with pytest.raises(errors.AlreadyRunning):
            channel.ask(folder, question, 0.5)
        with socket.socket(socket.AF_UNIX) as hasty, local_socket.short(folder / local_socket.NAME) as path:
            hasty.connect(path)
            hasty.sendall(struct.pack(">I", len(question)) + question)
    finally:
        os.kill(child.pid, signal.SIGCONT)
    shown = json.loads(running.run("privacy", "show", "--json").stdout)
    assert shown["shared"] == {"seen": True, "click": False, "like": False}


def test_an_agent_that_had_no_descriptors_left_for_a_while_is_reached_again(
    running: Program, company: Company
) -> None:
    """It does not spin meanwhile, and nothing is done for whoever gave up."""
    child = running.child
    assert child is not None
    running.run("privacy", "set", "seen=on")
    process = psutil.Process(child.pid)
    with (
        none_left(child.pid),
        socket.socket(socket.AF_UNIX) as first,  # whose descriptor was taken when it was waited for
        socket.socket(socket.AF_UNIX) as asking,
        local_socket.short(folder_of(running)) as path,
    ):
        first.connect(path)
        asking.connect(path)
        asking.settimeout(1)
        busy = sum(process.cpu_times()[:2])
        with pytest.raises(TimeoutError):
            asking.recv(1)
        assert sum(process.cpu_times()[:2]) - busy < 0.5
    assert running.run("privacy", "set", "seen=off").stdout.startswith("Seen: off")
    until(lambda: company.withdrawals, "the withdrawal")


def folder_of(program: Program) -> Path:
    """The socket that commands ask over."""
    return Folders.under(Path(program.env["TIDINGS_HOME"])).runtime / local_socket.NAME


def test_an_agent_that_took_a_question_and_did_not_answer_leaves_open_what_was_done() -> None:
    def never(_question: bytes, _: Callable[[], bool]) -> bytes:
        raise OSError("it died")

    with tempfile.TemporaryDirectory(prefix="tidings-") as name:
        listener = channel.ControlListener(Path(name), never)
        try:
            with pytest.raises(errors.NoAnswer) as fault:
                channel.ask(Path(name), b"{}")
        finally:
            listener.close()
    assert "may have been done" in fault.value.message


def test_a_socket_that_nobody_answers_is_an_agent_that_runs(tmp_path: Path) -> None:
    with pytest.raises(errors.AlreadyRunning):
        channel.ask(tmp_path, b"{}")


def test_what_was_sent_is_listed_saved_compared_and_exported(
    tidings: Program, company: Company, home: Path, session: Session, tmp_path: Path
) -> None:
    tidings.run("once")
    tidings.run("privacy", "set", "click=on")
    clicks(home)
    tidings.run("once")
    (event,) = company.events.values()
    listed = tidings.run("privacy", "sent").stdout
    assert f'"event_id":"{event["event_id"]}"' in listed
    assert "3 messages" in listed
    assert len(json.loads(tidings.run("privacy", "sent", "--json").stdout)["messages"]) == 4, (
        "the consent twice, as each process asks anew"
    )
    assert "1 event is the same" in tidings.run("privacy", "verify").stdout
    company.events.clear()
    assert "only on this computer" in tidings.run("privacy", "verify", code=1).stdout
    folder = tmp_path / "copy"
    tidings.run("privacy", "export", folder)
    names = {path.name.split("-")[0] for path in folder.iterdir()}
    assert names == {"my", "sent.json", "receipt"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert "exists already" in tidings.run("privacy", "export", folder, code=1).stderr


def test_erase_asks_first_and_then_withdraws_everything(tidings: Program, company: Company) -> None:
    tidings.run("privacy", "set", "click=on")
    assert "Nothing was deleted" in tidings.run("privacy", "erase", stdin="no\n", code=1).stdout
    assert list(company.consents.values()) == ["given"]
    assert tidings.run("privacy", "erase", "--yes").stdout == "Seen: off\nClicks: off\nLikes: off\n"
    assert set(company.consents.values()) == {"withdrawn"}
    assert len(company.consents) == 3, "every signal, for every computer of the person"


# Receipts


def test_a_receipt_is_listed_saved_and_checked_with_the_pinned_key(tidings: Program, tmp_path: Path) -> None:
    tidings.run("privacy", "set", "like=on")
    tidings.run("privacy", "set", "like=off")
    lines = tidings.run("receipt", "list").stdout.splitlines()
    assert [line.partition("Consent ")[2] for line in lines] == ["withdrawn · Likes", "given · Likes"]
    file = tmp_path / "receipt.json"
    tidings.run("receipt", "save", lines[0].split()[0], file)
    done = tidings.run("receipt", "verify", file)
    assert done.stderr == ""
    for needle in ("The signature is right", "Consent withdrawn: Likes", "Rows that the server deleted: 0"):
        assert needle in done.stdout
    assert RECEIPT_THUMBPRINT in done.stdout
    assert "no receipt" in tidings.run("receipt", "save", "none", tmp_path / "x", code=1).stderr


@pytest.fixture
def stranger(tmp_path: Path, session: Session) -> Program:
    """Somebody who was given a receipt: nothing of Tidings is on their computer."""
    return Program(
        "agent", session.env | {"TIDINGS_HOME": str(tmp_path / "none")}, tmp_path / "log", is_quick=True
    )


def a_file(path: Path, receipt: str, key: object) -> Path:
    path.write_text(json.dumps({"tidings_receipt": 1, "receipt": receipt, "key": key}))
    return path


def test_anybody_can_check_a_receipt_and_is_warned_where_the_key_is_the_files_own(
    stranger: Program, tmp_path: Path
) -> None:
    file = a_file(tmp_path / "r.json", RECEIPT_JWS["withdrawn"], PUBLIC_KEYS["keys"][1])
    done = stranger.run("receipt", "verify", file)
    assert "Careful" in done.stderr
    for needle in ("Northwind SAS", "Clicks", "deleted: 2", "2026-11-24 08:30:00 UTC", RECEIPT_THUMBPRINT):
        assert needle in done.stdout
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(PUBLIC_KEYS))
    assert stranger.run("receipt", "verify", file, "--keys", keys).stderr == ""
    bare = stranger.run("receipt", "verify", "-", "--keys", keys, stdin=RECEIPT_JWS["given"] + "\n")
    assert "Consent given: Clicks" in bare.stdout
    assert not (tmp_path / "none" / "data").exists()


def test_a_receipt_that_is_not_genuine_is_refused(stranger: Program, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(PUBLIC_KEYS))
    header, body, signature = RECEIPT_JWS["withdrawn"].split(".")
    flipped = "A" if body[40] != "A" else "B"
    altered = ".".join((header, RECEIPT_JWS["given"].split(".")[1], signature))
    strangers = STRANGERS_KEY.as_dict(private=False)
    foreign = (
        {name: strangers[name] for name in ("kty", "crv", "x")}
        | PUBLIC_KEYS["keys"][1]
        | {"x": strangers["x"]}
    )
    for file, words in (
        (a_file(tmp_path / "1", altered, None), ("--keys", str(keys))),
        (a_file(tmp_path / "2", RECEIPT_JWS["given"], foreign), ()),
        (a_file(tmp_path / "3", RECEIPT_JWS["given"], PUBLIC_KEYS["keys"][0]), ()),
    ):
        done = stranger.run("receipt", "verify", file, *words, code=1)
        assert "NOT genuine" in done.stderr
        assert done.stdout == ""
    damaged = a_file(tmp_path / "4", ".".join((header, body[:40] + flipped + body[41:], signature)), None)
    for file in (damaged, a_file(tmp_path / "5", "no.receipt.atall", None), tmp_path / "missing"):
        done = stranger.run("receipt", "verify", file, "--keys", keys, code=1)
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_the_program_of_docs_receipts_checks_what_the_agent_saves(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "receipts.md").read_text()
    program = text.partition("```python\n")[2].partition("```")[0]

    def run(receipt: str) -> subprocess.CompletedProcess[str]:
        file = a_file(tmp_path / "r.json", receipt, PUBLIC_KEYS["keys"][1])
        command = [sys.executable, "-c", program, str(file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    good = run(RECEIPT_JWS["withdrawn"])
    assert f"thumbprint {RECEIPT_THUMBPRINT}" in good.stdout
    assert '"erased": 2' in good.stdout
    bad = run(RECEIPT_JWS["withdrawn"].rpartition(".")[0] + "." + RECEIPT_JWS["given"].rpartition(".")[2])
    assert "InvalidSignature" in bad.stderr

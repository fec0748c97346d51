"""The commands of a computer without windows, as processes: what they print, how they end, what they leave."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.cli import doctor
from agent.domain import limits
from agent.ipc.instance_lock import InstanceLock
from agent.system.dirs import Folders
from tests.support.agent.company_in_memory import TOKEN, Company, running
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.parts import MemoryKeychain
from tests.support.agent.processes import ASK_AGAIN_S, ROOT, Program
from tests.support.agent.scripted_server import LOST, LoopbackServer, Reply, Request, html, loopback_server
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S, until

CODE = "KX7P-9QMD-2HTV"
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


@pytest.fixture
def company() -> Company:
    made = Company()
    made.publish("c-one")
    return made


@pytest.fixture(scope="module")
def address() -> Iterator[LoopbackServer]:
    """One address for all, so that a computer needs to be connected once only."""
    with loopback_server(Company()) as running:
        yield running


@pytest.fixture
def server(address: LoopbackServer, company: Company) -> LoopbackServer:
    address.answer = company
    address.requests.clear()
    return address


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "tidings"


@pytest.fixture
def tidings(session: Session, home: Path, tmp_path: Path) -> Program:
    return Program("agent", session.env | {"TIDINGS_HOME": str(home)}, tmp_path / "agent.log", is_quick=True)


@pytest.fixture(scope="module")
def template(session: Session, address: LoopbackServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a computer that was just connected."""
    folder = tmp_path_factory.mktemp("connected")
    home = folder / "tidings"
    address.answer = Company()
    tidings = Program("agent", session.env | {"TIDINGS_HOME": str(home)}, folder / "log", is_quick=True)
    assert "Northwind" in tidings.run("enrol", address.url, CODE).stdout
    return home


@pytest.fixture
def connected(template: Path, tidings: Program, home: Path, server: LoopbackServer) -> Program:
    shutil.copytree(template, home)
    return tidings


def fails(tidings: Program, *words: str, code: int = 1, stdin: str = "") -> str:
    """What is said on standard error by a command that fails with this code."""
    done = tidings.run(*words, code=code, stdin=stdin)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


def test_help_and_version_need_nothing_and_leave_nothing(tidings: Program, home: Path) -> None:
    assert "enrol" in tidings.run("--help").stdout
    assert tidings.run("--version").stdout == "tidings 0.1.0\n"
    assert not home.exists()


@pytest.mark.parametrize(
    "words", [("nonsense",), ("enrol",), ("status", "--nonsense"), ("--log-level", "loud")]
)
def test_a_command_line_that_makes_no_sense_ends_with_2(tidings: Program, words: tuple[str, ...]) -> None:
    assert "usage: tidings" in fails(tidings, *words, code=2)


def test_without_windows_there_is_no_tray(tidings: Program) -> None:
    assert "tidings run --headless" in fails(tidings, "run")


def test_an_unknown_helper_ends_with_2(tidings: Program) -> None:
    fails(tidings, "helper", "nonsense", code=2)


def test_status_of_a_fresh_computer(tidings: Program) -> None:
    assert tidings.run("status").stdout == "Not connected to a company\n"
    status = json.loads(tidings.run("status", "--json").stdout)
    assert status["status"]["connection"] == "not_connected"
    assert status["shared"] == {"seen": False, "click": False, "like": False}


def test_enrolling_says_to_whom_and_that_nothing_is_shared(tidings: Program, server: LoopbackServer) -> None:
    done = tidings.run("enrol", server.url, CODE)
    assert (
        done.stdout
        == "Connected to Northwind as ada@northwind.example.\nNothing is shared until you choose so.\n"
    )
    assert done.stderr == ""
    status = json.loads(tidings.run("status", "--json").stdout)
    assert status["status"]["person"]["email"] == "ada@northwind.example"
    assert status["status"]["choose_now"] is True
    lines = tidings.run("status").stdout.splitlines()
    assert lines[0] == f"Northwind · ada@northwind.example · {server.url}"
    assert lines[-1] == "Shared: nothing"


def test_status_names_what_is_held_back_and_why(connected: Program, company: Company) -> None:
    starts = datetime.now(UTC) + timedelta(days=3)
    company.publish("c-later", running("Open days", starts=f"{starts:%Y-%m-%dT%H:%M:%SZ}"))
    connected.run("once")
    local = starts.astimezone()
    lines = connected.run("status").stdout.splitlines()
    assert lines[-2:] == [
        "Held: 1",
        f"  Open days — Held until {local:%H:%M on %Y-%m-%d}: it has not begun yet",
    ]
    (held,) = json.loads(connected.run("status", "--json").stdout)["held"]
    assert (held["campaign_id"], held["reason"]) == ("c-later", "not_started")


def test_a_code_may_come_from_standard_input_so_that_no_process_list_shows_it(
    tidings: Program, server: LoopbackServer
) -> None:
    assert "Northwind" in tidings.run("enrol", server.url, "-", stdin=" kx7p 9qmd 2htv \n").stdout


def test_a_wrong_code_and_a_wrong_address_are_told_apart(tidings: Program, server: LoopbackServer) -> None:
    assert "This code does not work" in fails(tidings, "enrol", server.url, "AAAA-BBBB-CCCC")
    assert "Please check what you entered" in fails(tidings, "enrol", server.url, "?")
    assert "https://" in fails(tidings, "enrol", "http://news.example.com", CODE)
    server.answer = lambda _: html()
    assert "Another page answered" in fails(tidings, "enrol", server.url, CODE)
    assert "cannot be reached" in fails(tidings, "enrol", "http://127.0.0.1:1", CODE)


def test_once_receives_and_sends(connected: Program, company: Company) -> None:
    assert connected.run("once").stdout == "1 announcement, 1 unread\n"
    company.publish("c-two")
    assert connected.run("once").stdout == "2 announcements, 2 unread\n"


def test_once_says_what_is_wrong(tidings: Program, connected: Program, company: Company) -> None:
    company.faults.append(lambda _request, _answer: Reply(500))
    assert "The server has a problem" in fails(connected, "once")
    company.token = "tdt_" + "x" * 40
    assert "no longer connected" in fails(connected, "once")


def test_once_without_a_company_says_what_to_do(tidings: Program) -> None:
    assert "invitation code" in fails(tidings, "once")


def test_the_doctor_finds_all_well(connected: Program, company: Company) -> None:
    company.is_stating = True
    connected.run("once")
    found = {check["name"]: check for check in json.loads(connected.run("doctor", "--json").stdout)}
    assert {"version", "disk", "keychain", "store", "server", "clock", "freshness"} <= found.keys()
    assert {check["verdict"] for check in found.values()} == {"ok"}
    assert connected.run("doctor").stdout.count("✓") == len(found)


def test_right_after_enrolling_the_doctor_finds_nothing_wrong(connected: Program, company: Company) -> None:
    company.is_stating = True
    found = {check["name"]: check for check in json.loads(connected.run("doctor", "--json").stdout)}
    assert {check["verdict"] for check in found.values()} == {"ok"}
    assert "with the first check for announcements" in found["freshness"]["result"]


def test_the_doctor_says_whether_an_agent_runs_and_answers(
    connected: Program, server: LoopbackServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> tuple[str, str]:
        checks = doctor.examine(Folders.under(home), secrets=MemoryKeychain())
        return next((check.verdict, check.result) for check in checks if check.name == "agent")

    monkeypatch.setattr(limits, "CONTROL_READY_S", 0.5)
    assert found() == ("ok", "Tidings does not run now")
    child = connected.start("run", "--headless")
    try:
        until(lambda: found() == ("ok", "Tidings runs and answers"), "an answer")
        os.kill(child.pid, signal.SIGSTOP)
        verdict, result = found()
        assert verdict == "fault"
        assert f"process {child.pid}" in result
        assert "does not answer" in result
        said = connected.run("status")
        assert f"process {child.pid}" in said.stderr
        assert "look again in a minute" in said.stderr
        assert "Northwind" in said.stdout
    finally:
        os.kill(child.pid, signal.SIGCONT)
        connected.stop()
    assert found() == ("ok", "Tidings does not run now")


def test_the_diagnostics_can_be_had_without_a_window_and_name_nobody(connected: Program) -> None:
    lines = connected.run("doctor", "--diagnostics").stdout.splitlines()
    assert {"Agent: not running", "Region: eu", "Troubles: none"} <= set(lines)
    said = "\n".join(lines).lower()
    assert not [word for word in ("northwind", "roux", "localhost", "127.0.0.1", "@", "/") if word in said]


def test_the_doctor_finds_what_is_wrong_and_ends_with_1(
    connected: Program, server: LoopbackServer, tmp_path: Path
) -> None:
    server.answer = lambda _: Reply(LOST)
    broken = Program(
        "agent",
        connected.env | {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/none"},
        tmp_path / "log",
        is_quick=True,
    )
    done = broken.run("doctor", "--json", code=1)
    verdicts = {check["name"]: check["verdict"] for check in json.loads(done.stdout)}
    assert (verdicts["keychain"], verdicts["server"], verdicts["store"]) == ("warning", "fault", "ok")
    assert TOKEN not in done.stdout + done.stderr


def test_doctor_and_status_tell_what_was_damaged(connected: Program, home: Path) -> None:
    lately = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    (home / "data" / f"tidings.sqlite3.damaged-{lately}-3").write_bytes(b"what it was")
    found = {check["name"]: check for check in json.loads(connected.run("doctor", "--json").stdout)}
    assert found["store"]["verdict"] == "warning"
    for said in (found["store"]["result"], connected.run("status").stderr):
        assert "damaged" in said
        assert "Announcements and what was sent" in said


def test_the_doctor_notices_a_clock_that_is_wrong(
    connected: Program, server: LoopbackServer, company: Company
) -> None:
    def odd(request: Request) -> Reply:
        reply = company(request)
        return Reply(reply.status, reply.body, {**reply.headers, "Date": "Mon, 23 Nov 1999 10:00:00 -0000"})

    server.answer = odd
    found = {
        check["name"]: check["verdict"] for check in json.loads(connected.run("doctor", "--json").stdout)
    }
    assert found["clock"] == "warning"


def test_a_running_agent_is_not_disturbed_and_its_status_can_be_asked(connected: Program, home: Path) -> None:
    lock = InstanceLock(Folders.under(home))
    try:
        for words in (
            ("once",),
            ("enrol", "http://localhost:1", CODE),
            ("purge", "--yes"),
            ("run", "--headless"),
        ):
            assert "already running" in fails(connected, *words)
        assert "Northwind" in connected.run("status").stdout
    finally:
        lock.release()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_headless_agent_receives_until_it_is_told_to_end(
    connected: Program, company: Company, server: LoopbackServer, how: signal.Signals
) -> None:
    child = connected.start("run", "--headless")
    polled = until(lambda: [r for r in server.requests if r.path.endswith("feed")], "a poll")
    assert polled
    until(
        lambda: "Connection: connected" in connected.run("doctor", "--diagnostics").stdout,
        "the answer",
        every=ASK_AGAIN_S,
    )
    assert "Agent: running" in connected.run("doctor", "--diagnostics").stdout
    os.kill(child.pid, how)
    assert child.wait(PATIENCE_S) == 0
    assert child.output() == ""
    assert connected.run("once").stdout.startswith("1 announcement")


def test_a_headless_agent_ends_while_a_server_keeps_it_waiting(
    connected: Program, server: LoopbackServer
) -> None:
    asked: list[int] = []

    def endless(_: object) -> Reply:
        asked.append(1)
        return Reply(200, headers={"Content-Type": "application/json"}, pieces=server.drip())

    server.answer = endless
    child = connected.start("run", "--headless")
    until(lambda: asked, "a request")
    os.kill(child.pid, signal.SIGTERM)
    assert child.wait(limits.REQUEST_DEADLINE_S / 2) == 0
    assert "Traceback" not in child.output()


# Logs and language


def test_logs_hold_no_token_and_no_e_mail_address(connected: Program, company: Company, home: Path) -> None:
    connected.run("--log-level", "debug", "once")
    company.faults.append(lambda _request, _answer: Reply(500))
    said = connected.run("--log-level", "debug", "once", code=1).stderr
    written = "".join(path.read_text() for path in (home / "logs").glob("*"))
    assert "ServerFault" in written
    for needle in (TOKEN, "tdt_", "ada@", CODE.replace("-", "")):
        assert needle not in said + written


ODD_ANSWERS: dict[str, Reply] = {
    "lost": Reply(LOST),
    "a broken header": Reply(200, b"{}", {"Connection": "close", "ETag": "a\rb"}),
    "cut": Reply(200, b"{", {"Content-Type": "application/json", "Content-Length": "90"}),
    "a page": html(),
    "elsewhere": Reply(302, headers={"Location": "https://elsewhere.example/?token=1"}),
    "a length that is none": Reply(200, b"{}", {"Content-Length": "many"}),
    "another service": Reply(404, b"{}", {"Content-Type": "application/problem+json"}),
}


@pytest.mark.parametrize("odd", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_no_log_holds_where_a_request_went(
    connected: Program, server: LoopbackServer, home: Path, odd: Reply
) -> None:
    """By the command itself: what a library logs depends on what was imported and set up first."""
    server.answer = lambda _: odd
    said = connected.run("--log-level", "debug", "once", code=1).stderr
    assert_names_no_request(said + logged(home), server)


def test_no_log_holds_where_a_request_could_not_go(
    connected: Program, server: LoopbackServer, home: Path
) -> None:
    nobody = {"https_proxy": "", "http_proxy": f"http://127.0.0.1:{free_port()}", "no_proxy": ""}
    proxied = Program("agent", connected.env | nobody, home.parent / "log", is_quick=True)
    proxied.run("--log-level", "debug", "once", code=1)
    assert "ProxyUnreachable" in logged(home)
    assert_names_no_request(logged(home), server)
    assert nobody["http_proxy"].rpartition(":")[2] not in logged(home)
    stopped = home.parent / "stopped.py"
    stopped.write_text(GONE)
    # In the order of the windows: the log first, the agent's libraries later.
    done = subprocess.run(
        [
            *connected.command[:-2],
            stopped,
            home.parent / "logs",
            f"http://127.0.0.1:{free_port()}",
            TOKEN,
            "/api/v1/feed",
        ],
        env=connected.env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    written = done.stderr + "".join(path.read_text() for path in (home.parent / "logs").glob("*"))
    assert "refused" in written
    assert_names_no_request(written, server)


GONE = """
import sys
from pathlib import Path
from agent.system import log_setup
log_setup.set_up("debug", Path(sys.argv[1]))
import logging
from agent.domain import errors
from agent.transport.http_client import ApiClient
try:
    ApiClient(sys.argv[2], sys.argv[3]).request("GET", sys.argv[4])
except errors.TidingsError as fault:
    logging.getLogger("agent").warning("poll: %s", fault.detail)
    logging.getLogger("agent").exception("a bug around it")
"""


def logged(home: Path) -> str:
    return "".join(path.read_text() for path in (home / "logs").glob("*"))


def assert_names_no_request(written: str, server: LoopbackServer) -> None:
    for needle in (TOKEN, "tdt_", "127.0.0.1", str(server.port), "/api/", "http://", "elsewhere.example"):
        assert needle not in written, written


def test_results_are_on_standard_output_and_logs_on_standard_error(connected: Program) -> None:
    done = connected.run("--log-level", "debug", "status", "--json")
    assert json.loads(done.stdout)["status"]["company"]["name"] == "Northwind"


def test_french_is_spoken_where_the_computer_speaks_it(tidings: Program, tmp_path: Path) -> None:
    french = Program("agent", tidings.env | {"TIDINGS_LANGUAGE": "fr"}, tmp_path / "log", is_quick=True)
    english, said = tidings.run("status").stdout, french.run("status").stdout
    catalogue = ROOT / "resources" / "locale" / "fr" / "LC_MESSAGES" / "tidings.mo"
    assert (said != english) is catalogue.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("privacy", "show"),
        ("privacy", "sent"),
        ("privacy", "sent", "--json"),
        ("privacy", "set", "seen=off"),
        ("privacy", "verify"),
        ("status",),
        ("status", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("doctor", "--diagnostics"),
        ("once",),
    ],
    ids=" ".join,
)
def test_who_has_read_enough_of_the_output_gets_no_traceback(
    connected: Program, words: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        done = subprocess.run(
            [*connected.command, *words],
            env=connected.env,
            stdout=nobody_reads,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 1


def test_status_repairs_a_damaged_store_as_every_start_does(connected: Program, home: Path) -> None:
    store = home / "data" / "tidings.sqlite3"
    store.write_bytes(os.urandom(store.stat().st_size))
    done = connected.run("status")
    assert "Northwind" in done.stdout
    assert "Some of your data on this computer was damaged" in done.stderr
    assert "purge" not in done.stdout + done.stderr


def as_an_ordinary_user(program: Program) -> Program:
    """Root without the right to pass over modes: the files of other users are closed to it."""
    dropped = "-dac_override,-dac_read_search,-fowner,-chown"
    plain = Program("agent", program.env, program.log)
    plain.command = ["setpriv", "--inh-caps=-all", f"--bounding-set={dropped}", *program.command]
    return plain


@ROOT_ONLY
@pytest.mark.parametrize("name", ["tidings.sqlite3", "consent.record"])
def test_the_doctor_names_a_file_that_belongs_to_another_user(
    connected: Program, home: Path, name: str
) -> None:
    shutil.chown(home / "data" / name, 65534)
    done = as_an_ordinary_user(connected).run("doctor", "--json", code=1)
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert found["disk"]["verdict"] == "fault"
    assert f"{home / 'data' / name} cannot be read and written" in found["disk"]["result"]


@ROOT_ONLY
def test_what_is_taken_back_holds_in_a_folder_that_takes_no_new_files(
    connected: Program, company: Company, home: Path
) -> None:
    connected.run("privacy", "set", "seen=on")
    data = home / "data"
    data.chmod(0o500)
    try:
        done = as_an_ordinary_user(connected).run("privacy", "set", "seen=off", code=None)
        assert "disk cannot be written" not in done.stderr
    finally:
        data.chmod(0o700)
    assert json.loads(connected.run("privacy", "show", "--json").stdout)["shared"]["seen"] is False
    until(lambda: company.withdrawals, "the withdrawal")


def test_a_data_folder_that_cannot_be_made_is_a_sentence(tidings: Program, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    broken = Program(
        "agent", tidings.env | {"TIDINGS_HOME": str(tmp_path / "file" / "x")}, tmp_path / "log", is_quick=True
    )
    assert "The disk cannot be written" in fails(broken, "status")

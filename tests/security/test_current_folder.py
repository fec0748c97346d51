"""Code that lies in the current folder is never run: not by the programs, and not by a process that they start."""

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from agent.system import subprocesses
from server.retention import daily
from tests.support.children import Child
from tests.support.server.campaign_server import ServerHome
from tests.support.waiting import until

MODULES = (
    *(
        "agent",
        "ui",
        "server",
        "resources",
        "argparse",
        "json",
        "logging",
        "socket",
        "signal",
        "ssl",
        "email",
    ),
    *(
        "random",
        "secrets",
        "subprocess",
        "threading",
        "tempfile",
        "platformdirs",
        "msgspec",
        "keyring",
        "django",
    ),
    *(
        "granian",
        "PySide6",
        "requests",
        "cryptography",
        "joserfc",
        "truststore",
        "apscheduler",
        "webvtt",
        "av",
    ),
)
HELPERS = ("keychain", "verify", "proxies", "desktop", "player", "notification")
SCRIPTS = Path(sys.executable).parent


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of every name that we import, where each leaves a trace when it runs. One works in it."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text("open(__file__ + '.ran', 'w').close()\n")
    monkeypatch.chdir(folder)
    for name in ("PYTHONPATH", "PYTHONSAFEPATH"):
        monkeypatch.delenv(name, raising=False)
    return folder


def ran(folder: Path) -> list[str]:
    """Whose code was run."""
    return sorted(path.name for path in folder.glob("*.ran"))


def run(*command: str | Path) -> "subprocess.CompletedProcess[bytes]":
    """Run it in the current folder to its end, with nothing to say to it."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)


def test_the_trap_works(hostile: Path) -> None:
    run(sys.executable, "-m", "agent", "--version")
    assert ran(hostile) == ["agent.py.ran"]


@pytest.mark.parametrize("helper", HELPERS)
def test_of_a_helper(hostile: Path, helper: str) -> None:
    run(*subprocesses.command("helper", helper))
    assert ran(hostile) == []


def test_of_what_starts_at_login(hostile: Path) -> None:
    done = run(*subprocesses.command("--version"))
    assert done.stdout.startswith(b"tidings ")
    assert ran(hostile) == []


@pytest.mark.parametrize("words", [("tidings", "status"), ("tidings", "doctor"), ("tidings-server", "check")])
def test_of_a_command_and_all_that_it_starts(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TIDINGS_HOME", str(tmp_path / "agent"))
    monkeypatch.setenv("TIDINGS_SERVER_DATA", str(tmp_path / "server"))
    name, *rest = words
    assert run(SCRIPTS / name, *rest).stdout
    assert ran(hostile) == []


def url_in(said: str) -> str:
    """The address that a server says it serves at, once it does."""
    return next((word for word in said.split() if word.startswith("http")), "")


def answers(page: str) -> bool:
    """Whether a server answers yet; a worker that cannot load its code says so with a status."""
    with contextlib.suppress(requests.ConnectionError, requests.Timeout):
        return requests.get(page, timeout=5).status_code > 0
    return False


@pytest.mark.parametrize(
    ("words", "page"),
    [(["serve", "--workers", "2"], "/api/v1/health"), (["console", "serve"], "/sign-in")],
    ids=["API", "console"],
)
def test_of_a_server_that_serves_and_keeps_house(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], page: str
) -> None:
    home = ServerHome(tmp_path / "server")
    home.environment = {"PYTHONSAFEPATH": "1"}  # For the commands of the test, which are no scripts.
    home.init()
    monkeypatch.setenv("TIDINGS_SERVER_DATA", str(home.folder))
    command = [SCRIPTS / "tidings-server", *words, "--port", "0"]
    with Child(command, tmp_path / "serve.log", cwd=hostile) as child:
        url = until(lambda: url_in(child.output()), "the server")
        until(lambda: answers(f"{url}{page}"), "an answer")
        assert ran(hostile) == []
    daily._run(threading.Event(), ["housekeeping"])
    assert ran(hostile) == []


def test_what_a_server_starts_is_told_not_to_look_there(hostile: Path) -> None:
    """Also a worker that the interpreter would start anew (multiprocessing's "spawn" and "forkserver")."""
    program = (
        "import os; from server.__main__ import main\ntry: main(['--version'])\nexcept SystemExit: pass\n"
    )
    program += "print(os.environ['PYTHONSAFEPATH'])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "1"

"""The real keychain of a real, private session, asked by the real helper process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agent.cli import doctor
from agent.domain import errors, limits
from agent.system import subprocesses
from agent.system.keychain import ProcessKeychain
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import ROOT
from tests.support.waiting import PATIENCE_S, until

"""For a keychain that answers, on a computer that is busy with other things."""

SECRET = "tdt_" + "k" * 43
ACCOUNT = "https://news.example.com"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with a_session(keyring=True) as made:
        yield made


@pytest.fixture
def keychain(session: Session, monkeypatch: pytest.MonkeyPatch) -> ProcessKeychain:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, session.env[name])
    return ProcessKeychain(PATIENCE_S)


def test_a_secret_is_kept_exchanged_and_forgotten(keychain: ProcessKeychain) -> None:
    assert keychain.read(ACCOUNT) is None
    keychain.write(ACCOUNT, SECRET)
    assert keychain.read(ACCOUNT) == SECRET
    keychain.write(ACCOUNT, SECRET + "2")
    assert keychain.read(ACCOUNT) == SECRET + "2"
    assert keychain.read("https://other.example.com") is None
    keychain.delete(ACCOUNT)
    assert keychain.read(ACCOUNT) is None
    keychain.delete(ACCOUNT)


def test_a_secret_lies_on_no_disk_in_plain_text(keychain: ProcessKeychain, session: Session) -> None:
    keychain.write(ACCOUNT, SECRET)
    files = [path for path in session.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    keychain.delete(ACCOUNT)


def test_no_keychain_is_told_from_a_locked_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")
    with pytest.raises(errors.KeychainUnavailable) as raised:
        ProcessKeychain(PATIENCE_S).read(ACCOUNT)
    assert not raised.value.locked


def test_a_session_without_a_keychain_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_session(keyring=False) as bare:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bare.bus.address)
        with pytest.raises(errors.KeychainUnavailable) as raised:
            ProcessKeychain(PATIENCE_S).write(ACCOUNT, SECRET)
        assert not raised.value.locked


@pytest.mark.parametrize(
    "backend",
    [
        "keyring.backends.null.Keyring",
        "keyrings.alt.file.PlaintextKeyring",
        "nonsense",
        "no.such.Thing",
        "",
        "keyring.backends.kwallet.DBusKeyring",  # which does not run here
    ],
)
def test_a_backend_that_a_variable_names_and_that_keeps_no_secret_is_never_used_and_said(
    keychain: ProcessKeychain, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    for ask in (lambda: keychain.write(ACCOUNT, SECRET), keychain.look):
        with pytest.raises(errors.KeychainTurnedOff) as raised:
            ask()
        assert "PYTHON_KEYRING_BACKEND" in raised.value.message


def test_the_variable_is_not_blamed_where_no_keychain_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.SecretService.Keyring")
    with pytest.raises(errors.KeychainUnavailable) as raised:
        ProcessKeychain(PATIENCE_S).read(ACCOUNT)
    assert not isinstance(raised.value, errors.KeychainTurnedOff)


@pytest.mark.parametrize(
    "named", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "no.such.Thing"]
)
def test_a_file_that_turns_the_keychain_off_is_named(
    keychain: ProcessKeychain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, named: str
) -> None:
    file = tmp_path / "python_keyring" / "keyringrc.cfg"
    file.parent.mkdir()
    file.write_text(f"[backend]\ndefault-keyring={named}\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    check = doctor._keychain(keychain)
    assert check.verdict == "warning"
    assert str(file) in check.result


def test_a_keychain_without_any_keyring_is_not_called_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_session(keyring=True, collection=False) as empty:
        for name, value in empty.env.items():
            monkeypatch.setenv(name, value)
        keychain = ProcessKeychain(PATIENCE_S)
        for ask in (keychain.look, lambda: keychain.read(ACCOUNT)):
            with pytest.raises(errors.NoKeyringYet) as raised:
                ask()
            assert raised.value.title == "There is no keyring yet"
        keychain.delete(ACCOUNT)
        keychain.close()


def test_a_locked_keychain_is_called_locked_and_does_not_hold_us_up(
    keychain: ProcessKeychain, session: Session
) -> None:
    keychain.write(ACCOUNT, SECRET)
    session.lock()
    hurried = ProcessKeychain(0.5)
    with pytest.raises(errors.KeychainUnavailable) as raised:
        hurried.read(ACCOUNT)
    assert raised.value.locked
    assert SECRET not in raised.value.detail
    hurried.close()


# Helper processes that fail


def helper(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Put a shell script in the place of our own program."""
    monkeypatch.setattr(subprocesses, "command", lambda *_: ["/bin/sh", "-c", program])


@pytest.mark.parametrize(
    "program", ["exit 1", "echo nonsense", "echo '{\"fault\": 3}'", "kill -9 $$", "true"]
)
def test_a_helper_that_fails_is_a_missing_keychain_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    helper(monkeypatch, program)
    with pytest.raises(errors.KeychainUnavailable):
        ProcessKeychain(PATIENCE_S).write(ACCOUNT, SECRET)


def slow_helper(monkeypatch: pytest.MonkeyPatch, folder: Path, answer: str = '{"secret": "late"}') -> Path:
    """One that answers when the file `go` is there, as a person does; each that starts adds a line to `asked`."""
    go = folder / "go"
    wait = f"until [ -e {go} ]; do sleep 0.02; done"
    helper(monkeypatch, f"echo $$ >> {folder}/asked; {wait}; echo '{answer}'")
    return go


def asked(folder: Path) -> list[int]:
    """The process ids of the helpers so far."""
    file = folder / "asked"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_a_late_answer_counts_and_is_asked_for_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    go, told = slow_helper(monkeypatch, tmp_path), threading.Event()
    keychain = ProcessKeychain(0.1)
    keychain.when_late(told.set)
    for _ in range(5):
        with pytest.raises(errors.KeychainWaiting):
            keychain.read(ACCOUNT)
    go.touch()
    assert told.wait(PATIENCE_S)
    assert keychain.read(ACCOUNT) == "late"
    assert len(asked(tmp_path)) == 1


def test_an_answer_in_time_is_told_to_nobody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow_helper(monkeypatch, tmp_path).touch()
    told: list[int] = []
    keychain = ProcessKeychain(PATIENCE_S)
    keychain.when_late(lambda: told.append(1))
    assert keychain.read(ACCOUNT) == "late"
    assert told == []


def test_a_newer_question_about_the_same_secret_withdraws_the_older(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow_helper(monkeypatch, tmp_path)
    keychain = ProcessKeychain(0.1)
    with pytest.raises(errors.KeychainWaiting):
        keychain.read(ACCOUNT)
    until(lambda: asked(tmp_path), "the helper")
    with pytest.raises(errors.KeychainWaiting):
        keychain.write(ACCOUNT, SECRET)
    until(lambda: len(asked(tmp_path)) == 2, "the next helper")
    first, second = asked(tmp_path)
    until(lambda: not psutil.pid_exists(first), "the end of the first")
    assert psutil.pid_exists(second)
    keychain.close()
    until(lambda: not psutil.pid_exists(second), "the end of the second")


def test_a_question_that_nobody_answers_is_withdrawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "KEYCHAIN_TIMEOUT_S", 0.2)
    slow_helper(monkeypatch, tmp_path)
    with pytest.raises(errors.KeychainUnavailable) as raised:
        ProcessKeychain(PATIENCE_S).read(ACCOUNT)
    assert raised.value.locked


def test_a_helper_ends_with_whoever_asked() -> None:
    """Also where the agent was killed: the window of the keychain goes too."""
    program = (
        "import subprocess, threading; from agent.system import subprocesses as processes\n"
        "print(subprocess.Popen(processes.command('helper', 'keychain')).pid, flush=True)\n"
        "threading.Event().wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as agent:
        assert agent.stdout is not None
        helper_process = psutil.Process(int(agent.stdout.readline()))
        until(lambda: helper_process.num_threads() > 1, "the helper to wait for its question")
        agent.kill()
        until(lambda: has_ended(helper_process), "the end of the helper")


def has_ended(process: psutil.Process) -> bool:
    """Also where nobody has asked for its exit code yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_helper_that_cannot_be_started_is_a_missing_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocesses, "command", lambda *_: ["/nowhere/tidings"])
    with pytest.raises(errors.KeychainUnavailable):
        ProcessKeychain().read(ACCOUNT)

"""The real keychain of a real, private session, asked by the real helper process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import errors, policy, processes
from agent.secrets import ProcessKeychain
from tests.support.agent_session import Session, a_session

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
    return ProcessKeychain()


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
        ProcessKeychain().read(ACCOUNT)
    assert not raised.value.locked


def test_a_session_without_a_keychain_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with a_session(keyring=False) as bare:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bare.bus.address)
        with pytest.raises(errors.KeychainUnavailable) as raised:
            ProcessKeychain().write(ACCOUNT, SECRET)
        assert not raised.value.locked


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "keyrings.alt.file.PlaintextKeyring"])
def test_a_backend_that_keeps_secrets_in_the_open_is_never_used(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
    with pytest.raises(errors.KeychainUnavailable) as raised:
        ProcessKeychain().write(ACCOUNT, SECRET)
    assert not raised.value.locked


def test_a_locked_keychain_is_called_locked_and_does_not_hold_us_up(
    keychain: ProcessKeychain, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    keychain.write(ACCOUNT, SECRET)
    session.lock()
    monkeypatch.setattr(policy, "KEYCHAIN_TIMEOUT_S", 2)
    with pytest.raises(errors.KeychainUnavailable) as raised:
        keychain.read(ACCOUNT)
    assert raised.value.locked
    assert SECRET not in raised.value.detail


# Helper processes that fail


def helper(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Put a shell script in the place of our own program."""
    monkeypatch.setattr(processes, "command", lambda *_: ["/bin/sh", "-c", program])


@pytest.mark.parametrize(
    "program", ["exit 1", "echo nonsense", "echo '{\"fault\": 3}'", "kill -9 $$", "true"]
)
def test_a_helper_that_fails_is_a_missing_keychain_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    helper(monkeypatch, program)
    with pytest.raises(errors.KeychainUnavailable):
        ProcessKeychain().write(ACCOUNT, SECRET)


def test_a_helper_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "KEYCHAIN_TIMEOUT_S", 0.2)
    helper(monkeypatch, "exec tail -f /dev/null")
    with pytest.raises(errors.KeychainUnavailable) as raised:
        ProcessKeychain().read(ACCOUNT)
    assert raised.value.locked


def test_a_helper_that_cannot_be_started_is_a_missing_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "command", lambda *_: ["/nowhere/tidings"])
    with pytest.raises(errors.KeychainUnavailable):
        ProcessKeychain().read(ACCOUNT)

"""A keychain that asks the person for each entry and each program, as KeePassXC does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jeepney import DBusAddress

from agent.domain import errors
from agent.system.keychain import ProcessKeychain
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import ROOT, Program
from tests.support.agent.scripted_server import LoopbackServer
from tests.support.agent.watching import CODE
from tests.support.children import Child
from tests.support.waiting import PATIENCE_S, until

KEYCHAIN = ("/usr/bin/python3", ROOT / "tests" / "support" / "agent" / "asking_keychain.py")
ASKED = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", "org.tidings.Asked")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with a_session(keyring=False) as made, Child(KEYCHAIN, tmp_path / "keychain.log", made.env):
        until(lambda: "org.freedesktop.secrets" in made.bus.names(), "the keychain")
        yield made


@pytest.fixture
def keychain(session: Session, monkeypatch: pytest.MonkeyPatch) -> ProcessKeychain:
    for name, value in session.env.items():
        monkeypatch.setenv(name, value)
    return ProcessKeychain(PATIENCE_S)


def asked(session: Session) -> int:
    """How often the person was asked."""
    return int(session.bus.call(ASKED, "Count")[0])


def entries(session: Session) -> int:
    return int(session.bus.call(ASKED, "Count")[1])


@pytest.fixture
def tidings(session: Session, tmp_path: Path) -> Program:
    env = session.env | {"TIDINGS_HOME": str(tmp_path / "tidings")}
    return Program("agent", env, tmp_path / "agent.log")


def test_enrolling_asks_nobody(tidings: Program, session: Session, server: LoopbackServer) -> None:
    done = tidings.run("enrol", server.url, CODE)
    assert done.stderr == ""
    assert asked(session) == 0
    tidings.run("once")
    assert asked(session) == 1, "for the token, which another process kept"


def test_purge_leaves_no_entry_in_it(tidings: Program, session: Session, server: LoopbackServer) -> None:
    tidings.run("enrol", server.url, CODE)
    done = tidings.run("purge", "--yes")
    assert done.stderr == ""
    assert entries(session) == 0


def test_what_is_not_there_is_deleted_without_a_question(keychain: ProcessKeychain, session: Session) -> None:
    keychain.delete("nothing")
    keychain.delete_unasked("nothing")
    assert asked(session) == 0


def test_what_cannot_be_deleted_unasked_stays_and_that_is_said(
    keychain: ProcessKeychain, session: Session
) -> None:
    keychain.write("one", "secret")
    with pytest.raises(errors.KeychainUnavailable):
        keychain.delete_unasked("one")
    assert (asked(session), entries(session)) == (0, 1)
    keychain.delete("one")
    assert (asked(session), entries(session)) == (2, 0)

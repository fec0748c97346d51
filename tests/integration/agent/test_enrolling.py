"""Connecting where answers are lost: a real server, and a proxy that loses them. No code is burnt, no token left over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from agent.domain import errors, limits
from agent.domain.model import ConnectionState
from agent.runtime import Runtime
from agent.system.dirs import Folders
from tests.support import disks
from tests.support.agent.company_in_memory import Company, instead, lost_answer
from tests.support.agent.keychain_session import a_session
from tests.support.agent.parts import MemoryKeychain, OwnProcessVerifier, SettableClock, an_agent
from tests.support.agent.processes import Program
from tests.support.agent.scripted_server import LoopbackServer, problem
from tests.support.agent.watching import CODE, asked
from tests.support.proxy import Answer, CutAnswer, DropAnswer, Fault, FaultyProxy, busy, faulty_proxy
from tests.support.server import bulk_data
from tests.support.server.campaign_server import RunningServer, ServerHome

LOST = pytest.mark.expected_logs("answer to an enrolment was lost")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ENROLMENT_WAITS_S", (0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ServerHome:
    made = ServerHome(tmp_path_factory.mktemp("server"))
    made.init()
    return made


@pytest.fixture(scope="module")
def northwind(home: ServerHome) -> Iterator[RunningServer]:
    with home.running() as server:
        yield server


@pytest.fixture
def proxy(northwind: RunningServer) -> Iterator[FaultyProxy]:
    with faulty_proxy(northwind.url) as made:
        yield made


@pytest.fixture
def code(home: ServerHome) -> str:
    """The invitation of a person of their own."""
    from server.devices.enrolment import invite

    with home.opened():
        return invite(bulk_data.add_people(1)[0], timedelta(days=1))


def computers(home: ServerHome) -> int:
    """Of the person who was invited last."""
    from server.devices.models import Invitation

    with home.opened():
        return Invitation.objects.order_by("-pk")[0].person.devices.count()


@contextmanager
def opened(folder: Path, keychain: MemoryKeychain) -> Iterator[Runtime]:
    runtime = Runtime.open(Folders.under(folder), secrets=keychain, verifier=OwnProcessVerifier())
    try:
        yield runtime
    finally:
        runtime.stop()


FAULTS: dict[str, Fault] = {
    "a closed line": DropAnswer(),
    "half an answer": CutAnswer(keep=100),
    "502 of a proxy": Answer(502),
    "busy": busy(503, 0),
    "a server that failed": Answer(500, b"", {"Content-Type": "text/html"}),
}


@LOST
@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_is_lost_is_asked_for_again(
    home: ServerHome, proxy: FaultyProxy, code: str, tmp_path: Path, fault: str
) -> None:
    proxy.fail(FAULTS[fault], "enrolments", times=2)
    with opened(tmp_path, MemoryKeychain()) as runtime:
        runtime.enrol(proxy.url, code)
        runtime.sync_once()
        assert runtime.status().connection is ConnectionState.CONNECTED
    assert computers(home) == 1


@LOST
def test_a_person_who_tries_again_by_hand_is_let_in_with_the_same_code(
    home: ServerHome, proxy: FaultyProxy, code: str, tmp_path: Path
) -> None:
    proxy.fail(DropAnswer(), "enrolments")
    with opened(tmp_path, MemoryKeychain()) as runtime:
        with pytest.raises(errors.ServerUnreachable):
            runtime.enrol(proxy.url, code)
        proxy.heal()
        runtime.enrol(proxy.url, code)
        runtime.sync_once()
    assert computers(home) == 1
    secrets = {json.loads(each.body)["retry_secret"] for each in proxy.requests("enrolments")}
    assert len(secrets) == 1


def test_a_store_that_fails_after_the_answer_does_not_burn_the_code(
    home: ServerHome, proxy: FaultyProxy, code: str, tmp_path: Path
) -> None:
    keychain = MemoryKeychain()
    with disks.a_small_disk(tmp_path / "disk") as disk, opened(disk, keychain) as runtime:
        filler = disks.fill(disk)
        with pytest.raises(errors.DiskFault):
            runtime.enrol(proxy.url, code)
        assert runtime.status().connection is ConnectionState.NOT_CONNECTED
        assert not keychain.secrets
        filler.unlink()
        runtime.enrol(proxy.url, code)
        runtime.sync_once()
    assert computers(home) == 1


def test_a_keychain_that_fails_after_the_answer_does_not_burn_the_code_of_a_command(
    home: ServerHome, proxy: FaultyProxy, code: str, tmp_path: Path
) -> None:
    class FailingLater(MemoryKeychain):
        """Takes the attempt's secret, not the token."""

        def write(self, account: str, secret: str) -> None:
            if secret.startswith("tdt_"):
                raise errors.KeychainUnavailable("locked meanwhile", locked=True)
            super().write(account, secret)

    keychain = FailingLater()
    with opened(tmp_path, keychain) as runtime:
        with pytest.raises(errors.KeychainNeeded) as raised:
            runtime.enrol(proxy.url, code, keep=True)
        assert "ten minutes" in raised.value.message
        assert runtime.status().connection is ConnectionState.NOT_CONNECTED
    healthy = MemoryKeychain()
    healthy.secrets = keychain.secrets
    with opened(tmp_path, healthy) as runtime:
        runtime.enrol(proxy.url, code, keep=True)
        runtime.sync_once()
    assert [secret[:4] for secret in healthy.secrets.values()] == ["tdt_"], "no secret is left over"
    assert computers(home) == 1


def test_a_server_that_cannot_be_reached_is_told_at_once(tmp_path: Path) -> None:
    with opened(tmp_path, MemoryKeychain()) as runtime, pytest.raises(errors.ServerUnreachable) as raised:
        runtime.enrol("http://127.0.0.1:9", CODE)
    assert not raised.value.sent


@LOST
def test_the_command_asks_again_and_a_later_one_goes_on_where_it_ended(
    home: ServerHome, proxy: FaultyProxy, code: str, tmp_path: Path
) -> None:
    with a_session(keyring=True) as session:
        tidings = Program(
            "agent", session.env | {"TIDINGS_HOME": str(tmp_path / "tidings")}, tmp_path / "log"
        )
        proxy.fail(DropAnswer(), "enrolments")
        assert "The server cannot be reached" in tidings.run("enrol", proxy.url, code, code=1).stderr
        tried = len(proxy.requests("enrolments"))
        proxy.heal()
        assert "Connected to Northwind" in tidings.run("enrol", proxy.url, code).stdout
    assert (tried, computers(home)) == (4, 1)


def test_a_server_from_before_there_was_a_secret_is_asked_without(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    company.faults.append(instead(problem(422, "invalid-request")))
    with an_agent(tmp_path) as agent:
        agent.runtime.enrol(server.url, CODE)
        assert agent.runtime.status().person is not None
    with_secret, without = (json.loads(request.body) for request in asked(server, "/enrolments"))
    assert set(with_secret) - set(without) == {"retry_secret"}


def test_a_code_that_is_used_up_stays_used_up(
    server: LoopbackServer, company: Company, tmp_path: Path
) -> None:
    company.codes.clear()
    with an_agent(tmp_path, clock=SettableClock()) as agent, pytest.raises(errors.CodeRefused):
        agent.runtime.enrol(server.url, CODE)
    assert len(asked(server, "/enrolments")) == 1


@LOST
def test_each_code_has_a_secret_of_its_own(server: LoopbackServer, company: Company, tmp_path: Path) -> None:
    company.faults.extend([lost_answer] * 4)
    with an_agent(tmp_path) as agent:
        with pytest.raises(errors.ServerUnreachable):
            agent.runtime.enrol(server.url, CODE)
        company.codes.add("AAAABBBBCCCC")
        agent.runtime.enrol(server.url, "AAAA-BBBB-CCCC")
    sent = [json.loads(request.body) for request in asked(server, "/enrolments")]
    assert len({(each["code"], each["retry_secret"]) for each in sent}) == 2
    assert len({each["retry_secret"] for each in sent}) == 2

"""What goes wrong between an agent and its server ends in a clear state and a sentence, never in a traceback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import EMPLOYEE
from tests.support.agent.keychain_session import Session, a_session
from tests.support.agent.processes import ASK_AGAIN_S, TRACEBACK, AgentProcess
from tests.support.proxy import CAPTIVE_PORTAL, AlterAnswer, CutAnswer, FaultyProxy, busy
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany
from tests.support.waiting import until

CATCH_UP_S = 90


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """No windows here: a keychain is all it takes. It keeps each agent's secret under the address of its server."""
    with a_session(keyring=True) as made:
        yield made


@pytest.fixture
def agent(session: Session, tmp_path: Path) -> Iterator[AgentProcess]:
    """The employee's agent, which is not connected and does not run yet."""
    with AgentProcess(session.env, tmp_path) as process:
        yield process
    assert TRACEBACK not in process.logs()


def unread(agent: AgentProcess) -> int:
    return int(agent.status()["status"]["unread"])


def cached_files(agent: AgentProcess) -> list[Path]:
    return [path for path in (agent.home / "cache" / "media").glob("*") if path.suffix != ".part"]


def video_is_cached(company: SampleCompany, agent: AgentProcess) -> bool:
    """Whether the largest of the company's files, the video, is among the agent's."""
    published = [path for path in (company.home.folder / "media").rglob("*") if path.is_file()]
    video = max(published, key=lambda path: path.stat().st_size).read_bytes()
    return video in [path.read_bytes() for path in cached_files(agent)]


def refused(agent: AgentProcess, *words: str, stdin: str = "") -> str:
    """The sentence with which a command fails."""
    done = agent.run(*words, stdin=stdin, code=1)
    assert TRACEBACK not in done.stderr
    return done.stderr


def test_a_wrong_code_is_refused_with_what_to_do(server: RunningServer, agent: AgentProcess) -> None:
    said = refused(agent, "enrol", server.url, "-", stdin="AAAA-BBBB-CCCC\n")
    assert "This code does not work" in said
    assert agent.status()["status"]["connection"] == "not_connected"


def test_a_code_works_once(server: RunningServer, agent: AgentProcess, code: str) -> None:
    agent.enrol(server.url, code)
    assert agent.status()["status"]["person"]["email"] == EMPLOYEE
    agent.run("purge", "--yes")
    assert "This code does not work" in refused(agent, "enrol", server.url, "-", stdin=code)


def test_a_revoked_computer_says_so(
    company: SampleCompany, server: RunningServer, agent: AgentProcess, code: str
) -> None:
    agent.enrol(server.url, code)
    company.home.succeed("device", "revoke", EMPLOYEE)
    assert "This computer is no longer connected" in refused(agent, "once")


def test_a_captive_portal_changes_nothing(
    company: SampleCompany, proxy: FaultyProxy, agent: AgentProcess, code: str
) -> None:
    company.publish("vpn")
    agent.enrol(proxy.url, code)
    agent.run("once")
    before = unread(agent)
    proxy.fail(CAPTIVE_PORTAL)
    assert "Another page answered instead of the server" in refused(agent, "once")
    assert unread(agent) == before == 1
    proxy.heal()
    agent.run("once")


def test_a_portal_instead_of_the_server_does_not_use_up_the_code(
    proxy: FaultyProxy, agent: AgentProcess, code: str
) -> None:
    proxy.fail(CAPTIVE_PORTAL)
    refused(agent, "enrol", proxy.url, "-", stdin=code)
    proxy.heal()
    agent.enrol(proxy.url, code)


def test_a_cut_off_video_is_fetched_on_from_where_it_stopped(
    company: SampleCompany, proxy: FaultyProxy, agent: AgentProcess, code: str
) -> None:
    company.publish("lyon-studio")
    agent.enrol(proxy.url, code)
    # The poster and the captions are shorter and pass whole.
    proxy.fail(CutAnswer(keep=150_000), "GET /api/v1/media/")
    refused(agent, "once")
    assert not video_is_cached(company, agent)
    proxy.heal()
    agent.run("once")
    assert video_is_cached(company, agent)
    (rest,) = (each for each in proxy.requests("/media/") if "Range" in each.headers)
    assert rest.status == 206
    assert 0 < len(rest.answer) < 150_000


def test_a_video_that_is_not_the_signed_one_is_never_kept(
    company: SampleCompany, proxy: FaultyProxy, agent: AgentProcess, code: str
) -> None:
    company.publish("lyon-studio")
    agent.enrol(proxy.url, code)
    proxy.fail(AlterAnswer(), "GET /api/v1/media/")
    agent.run("once")
    assert cached_files(agent) == []


def test_the_agent_catches_up_after_the_server_was_away(
    company: SampleCompany, agent: AgentProcess, code: str
) -> None:
    with company.serving():
        company.publish("vpn")
        agent.enrol(company.url, code)
        agent.start("run", "--headless")
        until(lambda: unread(agent) == 1, "the first announcement", every=ASK_AGAIN_S)
    company.publish("canteen")
    until(lambda: "ServerUnreachable" in agent.logs(), "the agent to notice", CATCH_UP_S)
    with company.serving():
        until(lambda: unread(agent) == 2, "the announcement of meanwhile", CATCH_UP_S, ASK_AGAIN_S)
        assert agent.stop() == 0


def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(
    proxy: FaultyProxy, agent: AgentProcess, code: str
) -> None:
    agent.enrol(proxy.url, code)
    asked = len(proxy.requests("/feed"))
    proxy.fail(busy(429, 3600), "/feed")
    agent.start("run", "--headless")
    until(lambda: "ServerBusy" in agent.logs(), "the agent to be told")
    # Twice the company's poll interval in which nothing may be asked would be a wait; the log says what is planned.
    planned = [line for line in agent.logs().splitlines() if "ServerBusy" in line]
    assert int(planned[0].split("next try in ")[1].split(" ")[0]) >= 3600
    assert len(proxy.requests("/feed")) == asked + 1

"""A company on a real server, a desktop with a keychain, and an employee's agent on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.agent.processes import TRACEBACK, AgentProcess
from tests.support.browsers import chromium
from tests.support.desktop.x_desktop import DesktopOptions, VirtualDesktop
from tests.support.ports import free_port
from tests.support.proxy import FaultyProxy, faulty_proxy
from tests.support.server.campaign_server import RunningServer
from tests.support.server.sample import SampleCompany

EMPLOYEE = "lea.roux@northwind.example"


@pytest.fixture(scope="session")
def made_company(tmp_path_factory: pytest.TempPathFactory) -> SampleCompany:
    """The sample company, made once; each test works on a copy."""
    company = SampleCompany(tmp_path_factory.mktemp("made") / "server", free_port())
    company.make()
    return company


@pytest.fixture
def company(made_company: SampleCompany, tmp_path: Path) -> SampleCompany:
    """The sample company with nothing published; its server does not run yet."""
    shutil.copytree(made_company.home.folder, tmp_path / "server")
    copied = SampleCompany(tmp_path / "server", free_port())
    copied.home.is_quick = True
    return copied


@pytest.fixture
def server(company: SampleCompany) -> Iterator[RunningServer]:
    """The company's server, running."""
    with company.serving() as running:
        yield running


@pytest.fixture
def proxy(server: RunningServer) -> Iterator[FaultyProxy]:
    """A network between the agent and the server that can fail."""
    with faulty_proxy(server.url) as running:
        yield running


@pytest.fixture
def desktop() -> Iterator[VirtualDesktop]:
    """The employee's desktop."""
    with VirtualDesktop(DesktopOptions(accessibility=True)) as running:
        yield running


@pytest.fixture
def agent(desktop: VirtualDesktop, tmp_path: Path) -> Iterator[AgentProcess]:
    """The employee's agent, which is not connected and does not run yet. Its logs must hold no traceback."""
    with AgentProcess(desktop.env, tmp_path) as process:
        yield process
    assert TRACEBACK not in process.logs()


@pytest.fixture
def code(company: SampleCompany) -> str:
    """An invitation for the employee."""
    return company.home.invite(EMPLOYEE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for a file's tests; each opens windows of its own in it."""
    with chromium() as started:
        yield started
